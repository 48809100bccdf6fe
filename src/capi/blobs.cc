// The builders of weight files of the C interface.
#include <millwright/ane.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "capi/last_error.h"
#include "mil/type.h"
#include "mil/weights.h"

using namespace millwright;

namespace {

constexpr float kLargestInt8 = 127.0f;

Status CheckMatrix(const void* values, int64_t rows, int64_t columns, const size_t* bytes) {
  if (values == nullptr || bytes == nullptr) return BadInput("a pointer is null");
  if (rows < 1 || columns < 1 || rows > mil::kMaxElements / columns) {
    return BadInput("a matrix of {} x {}", rows, columns);
  }
  return {};
}

// The file with one blob, in memory that the caller frees.
uint8_t* Finish(DType dtype, std::span<const std::byte> data, size_t* bytes) {
  mil::BlobWriter writer;
  writer.Add(dtype, data);
  const std::vector<std::byte> file = std::move(writer).Finish();
  auto* blob = new uint8_t[file.size()];
  std::memcpy(blob, file.data(), file.size());
  *bytes = file.size();
  return blob;
}

// Null, and the error kept.
uint8_t* Refuse(const Status& status) {
  capi::Fail(status.error());
  return nullptr;
}

uint8_t* Fp16Blob(const float* values, int64_t rows, int64_t columns, bool transpose,
                  size_t* bytes) {
  capi::ClearError();
  const Status status = CheckMatrix(values, rows, columns, bytes);
  if (!status) return Refuse(status);
  std::vector<Fp16> data(static_cast<size_t>(rows * columns));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      const int64_t to = transpose ? c * rows + r : r * columns + c;
      data[static_cast<size_t>(to)] = ToFp16(values[r * columns + c]);
    }
  }
  return Finish(DType::kFp16, std::as_bytes(std::span(data)), bytes);
}

// What 1 stands for in a row, as a program's fp16 constant holds it. A row whose scale would be 0
// or infinite there has no scale.
Result<float> RowScale(std::span<const float> row) {
  float largest = 0;
  for (const float value : row) {
    if (!std::isfinite(value)) return BadInput("a value is not finite");
    largest = std::max(largest, std::abs(value));
  }
  if (largest == 0) return 1.0f;
  const float scale = ToFloat(ToFp16(largest / kLargestInt8));
  if (scale == 0 || std::isinf(scale)) {
    return BadInput("values up to {} have no scale in fp16", largest);
  }
  return scale;
}

Result<std::vector<int8_t>> Quantize(const float* values, int64_t rows, int64_t columns,
                                     float* scales) {
  std::vector<int8_t> data;
  data.reserve(static_cast<size_t>(rows * columns));
  for (int64_t r = 0; r < rows; ++r) {
    const std::span row(values + r * columns, static_cast<size_t>(columns));
    const Result<float> scale = RowScale(row);
    if (!scale) return scale.error().In(fmt::format("row {}", r));
    scales[r] = *scale;
    for (const float value : row) {
      const float rounded = std::round(value / *scale);  // half away from zero
      data.push_back(static_cast<int8_t>(std::clamp(rounded, -kLargestInt8, kLargestInt8)));
    }
  }
  return data;
}

}  // namespace

extern "C" {

uint8_t* mw_ane_blob_fp16(const float* values, int64_t rows, int64_t columns, size_t* bytes) {
  return Fp16Blob(values, rows, columns, false, bytes);
}

uint8_t* mw_ane_blob_fp16_transposed(const float* values, int64_t rows, int64_t columns,
                                     size_t* bytes) {
  return Fp16Blob(values, rows, columns, true, bytes);
}

uint8_t* mw_ane_blob_int8(const int8_t* values, int64_t rows, int64_t columns, size_t* bytes) {
  capi::ClearError();
  const Status status = CheckMatrix(values, rows, columns, bytes);
  if (!status) return Refuse(status);
  return Finish(DType::kInt8, std::as_bytes(std::span(values, static_cast<size_t>(rows * columns))),
                bytes);
}

uint8_t* mw_ane_blob_quantized(const float* values, int64_t rows, int64_t columns, float* scales,
                               size_t* bytes) {
  capi::ClearError();
  Status status = CheckMatrix(values, rows, columns, bytes);
  if (status && scales == nullptr) status = BadInput("no place for the scales");
  if (!status) return Refuse(status);
  const auto data = Quantize(values, rows, columns, scales);
  if (!data) return Refuse(data.error());
  return Finish(DType::kInt8, std::as_bytes(std::span(*data)), bytes);
}

void mw_ane_free_blob(uint8_t* blob) { delete[] blob; }

}  // extern "C"
