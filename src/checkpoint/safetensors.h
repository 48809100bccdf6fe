// Safetensors files: named tensors behind a JSON header.
// Format: 8 bytes little-endian header size, the header {"name": {"dtype", "shape",
// "data_offsets"},
// "__metadata__": {string: string}}, then the data; offsets count from the end of the header.
// Source: the format description of the safetensors project (README.md, "Format").
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/mapped_file.h"
#include "base/result.h"
#include "base/shape.h"
#include "checkpoint/file_writer.h"

namespace millwright::checkpoint {

using SafetensorsMetadata = std::map<std::string, std::string>;

// A file opened for reading. The whole header is checked when it is opened: sizes, JSON, dtypes,
// shape * size == length of data, every byte of data owned by exactly one tensor, no name twice.
class Safetensors {
 public:
  struct Entry {
    std::string name;
    std::string dtype_name;  // the file's spelling: "F32"
    std::optional<DType>
        dtype;  // nothing for a dtype that is valid but that we do not compute with
    Shape shape;
    uint64_t begin = 0, end = 0;  // bytes, from the start of the data
  };

  // Bad input, by file and reason, for a file that breaks any rule above.
  static Result<Safetensors> Open(const std::string& path);

  const std::string& path() const { return path_; }
  const std::vector<Entry>& entries() const { return entries_; }  // in the order of their data
  const Entry* Find(std::string_view name) const;                 // null: no such tensor
  const SafetensorsMetadata& metadata() const { return metadata_; }

  // Reads a fp32, fp16 or bf16 tensor as floats. Bad input if it is missing, of another shape or of
  // another dtype. `out` has NumElements(shape) elements.
  Status Read(std::string_view name, const Shape& shape, std::span<float> out) const;

  // The same of a bf16 tensor, bit by bit.
  Status Read(std::string_view name, const Shape& shape, std::span<Bf16> out) const;

  // The bytes of an entry, where the file is mapped.
  std::span<const std::byte> Bytes(const Entry& entry) const;

  // All bytes of the file.
  std::span<const std::byte> file_bytes() const { return file_->bytes(); }

 private:
  Safetensors() = default;
  Result<const Entry*> FindFor(std::string_view name, const Shape& shape, size_t room) const;

  std::string path_;
  std::shared_ptr<const MappedFile> file_;
  size_t data_start_ = 0;
  std::vector<Entry> entries_;
  std::map<std::string, size_t, std::less<>> index_;
  SafetensorsMetadata metadata_;
};

// What will be written.
struct TensorInfo {
  std::string name;
  DType dtype = DType::kFp32;  // kFp32, kFp16 or kBf16
  Shape shape;
};

// Writes one file, tensor after tensor in the order given to Create.
class SafetensorsWriter {
 public:
  // Bad input: a name twice, a dtype that is not a float of the format.
  static Result<SafetensorsWriter> Create(const std::string& path, std::vector<TensorInfo> tensors,
                                          const SafetensorsMetadata& metadata);

  // The elements of the next tensor, rounded to its dtype. Fails if the count differs from its
  // shape, or if a finite value becomes infinite in the dtype.
  Status Append(std::span<const float> data);

  // The elements of the next tensor, which is bf16, as they are.
  Status Append(std::span<const Bf16> data);

  // Syncs and closes. Fails if tensors are missing.
  Result<FileDigest> Finish();

 private:
  SafetensorsWriter(FileWriter file, std::vector<TensorInfo> tensors)
      : file_(std::move(file)), tensors_(std::move(tensors)) {}
  Result<const TensorInfo*> Next(size_t elements);
  template <class Half>
  Status AppendHalf(const TensorInfo& info, std::span<const float> data);

  FileWriter file_;
  std::vector<TensorInfo> tensors_;
  size_t next_ = 0;
};

// Size in bytes of the file that SafetensorsWriter makes of these tensors.
uint64_t SafetensorsBytes(std::span<const TensorInfo> tensors, const SafetensorsMetadata& metadata);

}  // namespace millwright::checkpoint
