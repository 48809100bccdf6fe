// Weight blobs: the files that BLOBFILE constants point into.
//
// Layout, little-endian (source: coremltools, MILBlob/Blob/StorageFormat.hpp):
//   0   u32 count, u32 version = 2, 56 reserved bytes
//   then per blob, 64-byte aligned: u32 0xDEADBEEF, u32 dtype, u64 size in bytes, u64 absolute
//   offset of the data, u64 unused bits of the last byte (of elements that are parts of a byte), 32
//   reserved bytes; the data follows, 64-byte aligned.
// A BLOBFILE offset points at the metadata record, not at the data.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "mil/program.h"
#include "mil/type.h"

namespace millwright::mil {

// Bytes that stay alive as long as anyone holds them: a heap buffer or a mapped file.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
};

// The storage format's number of a dtype, or nothing where the format has none (fp64, uint64, bool,
// strings). Source: coremltools, MILBlob/Blob/BlobDataType.hpp.
std::optional<uint32_t> BlobDTypeCode(DType dtype);

// Builds one weight file in memory.
class BlobWriter {
 public:
  BlobWriter();
  // Appends elements of `dtype`, which has a BlobDTypeCode; returns the offset for BLOBFILE.
  // `unused_bits` are those at the end of the last byte.
  uint64_t Add(DType dtype, std::span<const std::byte> data, uint64_t unused_bits = 0);
  std::vector<std::byte> Finish() &&;

 private:
  std::vector<std::byte> file_;
  uint32_t count_ = 0;
};

// All weight files of a program, by the path written in the program ("@model_path/weights/x.bin").
class WeightStore {
 public:
  void Put(std::string path, std::vector<std::byte> file);
  void Put(std::string path, SharedBytes file);
  const std::map<std::string, SharedBytes>& files() const { return files_; }

  // The data of `constant`: its immediate bytes, or the blob, whose record must be inside the file,
  // carry the sentinel and the constant's dtype, and be exactly as long as its type.
  // `lenient` also accepts the malformed headers that public programs contain: data 64 bytes behind
  // the record where the offset field is 0, length from the type.
  Result<std::span<const std::byte>> Read(const Constant& constant, bool lenient = false) const;

 private:
  std::map<std::string, SharedBytes> files_;
};

// Loads every weight file that `program` names from `folder`: "weights/x.bin" first, then "x.bin".
Result<WeightStore> LoadWeights(const Program& program, const std::string& folder);

// Writes every file of `store` below `folder` (the "@model_path/" prefix dropped).
Status SaveWeights(const WeightStore& store, const std::string& folder);

}  // namespace millwright::mil
