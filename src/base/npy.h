// Arrays in NumPy's .npy files.
//
// Format (source: NumPy enhancement proposal 1 and the documentation of numpy.lib.format): the
// bytes 93 "NUMPY", major and minor version, the header's length (2 bytes in version 1, 4 in 2 and
// 3, little-endian), a Python dict of 'descr', 'fortran_order' and 'shape', then the elements.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/result.h"
#include "base/shape.h"

namespace millwright {

// A dense row-major array; elements are little-endian.
struct NpyArray {
  DType dtype = DType::kFp32;
  Shape shape;
  std::vector<std::byte> bytes;

  int64_t elements() const { return NumElements(shape); }
  double at(int64_t index) const {
    return LoadElement(dtype, bytes.data(), static_cast<size_t>(index));
  }
};

// Reads versions 1 to 3, either byte order, C and Fortran order (which is brought into C order):
// float16 to float64, int8 to int32, uint8, uint16, uint64, bool, and int64 whose values fit int32,
// which it becomes. Bad input: everything else, a header that is not what the format says, or a
// size that is not the shape's. `where` names the array in messages.
Result<NpyArray> ParseNpy(std::span<const std::byte> file, std::string_view where);
Result<NpyArray> ReadNpy(const std::string& path);

// Writes version 1.0 in C order; the file appears whole or not at all. Bad input: NumPy has no such
// dtype (bf16, strings).
Status WriteNpy(const std::string& path, const NpyArray& array);

}  // namespace millwright
