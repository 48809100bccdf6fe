// MIL's types and constant values.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/shape.h"

namespace millwright::mil {

// A tensor has fewer elements than this, so that no size, offset or sum of sizes comes near 2^63.
inline constexpr int64_t kMaxElements = int64_t{1} << 40;

// A scalar ("fp16") or a tensor ("tensor<fp16, [1, 768, 1, 256]>"). In MIL a scalar and a tensor of
// rank 0 are one type with two spellings; `shape` is empty for both.
struct Type {
  DType dtype = DType::kFp16;
  Shape shape;

  bool operator==(const Type&) const = default;
  int64_t elements() const { return NumElements(shape); }
  // Of a dense array; elements that are parts of a byte are packed, and the last byte is filled up.
  size_t bytes() const { return (static_cast<size_t>(elements()) * DTypeBits(dtype) + 7) / 8; }
};

// "fp16" for a scalar, "tensor<fp16, [1, 768, 1, 256]>" otherwise.
std::string ToString(const Type& type);

// Where a constant's bytes live: a weight file, and the offset of its 64-byte metadata record.
struct BlobRef {
  std::string path;  // as written, "@model_path/weights/wq.bin"
  uint64_t offset = 64;
  bool operator==(const BlobRef&) const = default;
};

// A constant: an immediate (numbers, a bool, a string) or a reference into a weight file.
// Immediates of any numeric dtype are little-endian bytes in `bytes`; a string is its characters.
class Constant {
 public:
  Constant() = default;

  static Constant Scalar(DType dtype, double value);
  static Constant Bool(bool value);
  static Constant String(std::string value);
  static Constant Ints(std::span<const int64_t> values);  // tensor<int32, [n]>
  // `values.size()` must be the number of elements of `type`; each is rounded to its dtype.
  static Constant Tensor(Type type, std::span<const double> values);
  static Constant Blob(Type type, BlobRef ref);
  // The elements as little-endian bytes, `type.bytes()` of them; for a string its characters.
  static Constant FromBytes(Type type, std::vector<std::byte> bytes);

  const Type& type() const { return type_; }
  const std::optional<BlobRef>& blob() const { return blob_; }
  // The immediate's bytes; empty for a blob reference.
  std::span<const std::byte> bytes() const { return bytes_; }

  // Immediates only. `at` gives an element as double; `ints` all elements as integers.
  double at(size_t index) const;
  bool as_bool() const { return at(0) != 0.0; }
  std::string as_string() const;
  std::vector<int64_t> ints() const;

  bool operator==(const Constant&) const = default;

 private:
  Type type_;
  std::vector<std::byte> bytes_;
  std::optional<BlobRef> blob_;
};

}  // namespace millwright::mil
