// TensorFlow's record files: byte strings, each with its length and checksums.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millwright::telemetry {

// A record as it lies in a file: length (64 bits), its masked CRC-32C, the data, their masked
// CRC-32C; little-endian.
// Source: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
std::string FrameRecord(std::string_view data);

// All whole records of a file's bytes; one that is cut off at the end does not count. Fails at the
// first whose checksum is wrong, with its place.
Result<std::vector<std::string>> ReadRecords(std::string_view bytes);

// Appends records to a file of its own.
class RecordFile {
 public:
  // Fails if `path` exists or cannot be created.
  static Result<std::unique_ptr<RecordFile>> Create(const std::string& path);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  // The record has reached the operating system when this returns. One that was written in part
  // (the disk was full) is taken back, so that the file stays readable.
  Status Write(std::string_view data);

 private:
  RecordFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::string path_;
  int fd_;
  int64_t size_ = 0;
};

}  // namespace millwright::telemetry
