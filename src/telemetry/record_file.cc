#include "telemetry/record_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "telemetry/crc32c.h"

namespace millwright::telemetry {
namespace {

constexpr size_t kHead = 12, kTail = 4;

// So that a record of records does not have the checksum of its parts.
uint32_t Masked(std::string_view bytes) {
  const uint32_t crc = Crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

template <class T>
std::string LittleEndian(T value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof(T); ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

template <class T>
T FromLittleEndian(std::string_view bytes) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<T>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return value;
}

}  // namespace

std::string FrameRecord(std::string_view data) {
  std::string record = LittleEndian<uint64_t>(data.size());
  record += LittleEndian(Masked(record));
  record += data;
  record += LittleEndian(Masked(data));
  return record;
}

Result<std::vector<std::string>> ReadRecords(std::string_view bytes) {
  std::vector<std::string> records;
  for (size_t at = 0; bytes.size() - at >= kHead;) {
    const std::string_view head = bytes.substr(at, kHead);
    if (FromLittleEndian<uint32_t>(head.substr(8)) != Masked(head.substr(0, 8))) {
      return BadInput("the length of the record at byte {} has a wrong checksum", at);
    }
    const auto length = FromLittleEndian<uint64_t>(head);
    const size_t left = bytes.size() - at - kHead;
    if (left < kTail || length > left - kTail) break;
    const std::string_view data = bytes.substr(at + kHead, length);
    at += kHead + length + kTail;
    if (FromLittleEndian<uint32_t>(bytes.substr(at - kTail)) != Masked(data)) {
      return BadInput("the record that ends at byte {} has a wrong checksum", at);
    }
    records.emplace_back(data);
  }
  return records;
}

Result<std::unique_ptr<RecordFile>> RecordFile::Create(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return Failed("{}: cannot be created: {}", path, std::strerror(errno));
  return std::unique_ptr<RecordFile>(new RecordFile(path, fd));
}

RecordFile::~RecordFile() { ::close(fd_); }

Status RecordFile::Write(std::string_view data) {
  const std::string record = FrameRecord(data);
  std::string_view rest = record;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int reason = errno;
      const bool taken_back = ::ftruncate(fd_, size_) == 0;
      return Failed("{}: cannot be written: {}{}", path_, std::strerror(reason),
                    taken_back ? "" : "; its last record is damaged");
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
  size_ += static_cast<int64_t>(record.size());
  return {};
}

}  // namespace millwright::telemetry
