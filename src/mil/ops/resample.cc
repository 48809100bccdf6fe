#include "mil/ops/resample.h"

#include <algorithm>
#include <cmath>

#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Types InferLastTwo(const Call& call, double height, double width) {
  if (Status status = CheckFloat(call, "x"); !status) return status.error();
  Type result = call.type("x");
  if (result.shape.size() < 3) {
    return call.Bad("'x' must have rank 3 or more, found {}", ToString(result));
  }
  if (!(height >= 1.0 && width >= 1.0 && std::max(height, width) < 0x1p40)) {
    return call.Bad("the result would have {} rows and {} columns", height, width);
  }
  result.shape.end()[-2] = static_cast<int64_t>(height);
  result.shape.end()[-1] = static_cast<int64_t>(width);
  if (Status status = CheckNewShape(call, result.shape); !status) return status.error();
  return std::vector<Type>{result};
}

Arrays Resample(const Call& call, const Type& result, const std::vector<Sample>& rows,
                const std::vector<Sample>& columns) {
  const Array& x = call.array("x");
  const int64_t height = x.type.shape.end()[-2];
  const int64_t width = x.type.shape.back();
  Array array = NewArray(result);
  auto out = array.data.begin();
  for (const double* image = x.data.data(); image != x.data.data() + x.data.size();
       image += height * width) {
    for (const Sample& row : rows) {
      const auto between = [&](int64_t column) {
        return (1.0 - row.weight) * image[row.low * width + column] +
               row.weight * image[row.high * width + column];
      };
      out = std::ranges::transform(columns, out, [&](const Sample& column) {
              return (1.0 - column.weight) * between(column.low) +
                     column.weight * between(column.high);
            }).out;
    }
  }
  return std::vector<Array>{std::move(array)};
}

std::vector<Sample> SampleAxis(int64_t in, int64_t out, Place place) {
  std::vector<Sample> samples;
  for (int64_t i = 0; i < out; ++i) samples.push_back(SampleAt(place(i, in, out), in));
  return samples;
}

double PlaceNearest(int64_t i, int64_t in, int64_t out) {
  return std::floor(static_cast<double>(i) * static_cast<double>(in) / static_cast<double>(out));
}

}  // namespace

Sample SampleAt(double at, int64_t in) {
  const double inside = std::clamp(at, 0.0, static_cast<double>(in - 1));
  const auto low = static_cast<int64_t>(inside);
  return {low, std::min(low + 1, in - 1), inside - static_cast<double>(low)};
}

Types InferUpsample(const Call& call) {
  for (std::string_view key : {"scale_factor_height", "scale_factor_width"}) {
    const Status status = CheckDType(call, key, {DType::kFp32, DType::kFp16, DType::kInt32});
    if (!status) return status.error();
    if (call.Has(key) &&
        (!call.type(key).shape.empty() || call.Find(key)->arrays.front() == nullptr)) {
      return call.Bad("'{}' must be a scalar immediate, found {}", key, ToString(call.type(key)));
    }
  }
  const Shape& shape = call.type("x").shape;
  if (shape.size() < 3) return InferLastTwo(call, 1.0, 1.0);
  const auto scaled = [&](std::string_view key, int64_t length) {
    return std::floor(call.Float(key, 1.0) * static_cast<double>(length));
  };
  return InferLastTwo(call, scaled("scale_factor_height", shape.end()[-2]),
                      scaled("scale_factor_width", shape.back()));
}

Types InferResize(const Call& call, int64_t default_size) {
  return InferLastTwo(call, static_cast<double>(call.Int("target_size_height", default_size)),
                      static_cast<double>(call.Int("target_size_width", default_size)));
}

Arrays ResampleBilinear(const Call& call, const Type& result, Place place) {
  const Shape& in = call.type("x").shape;
  const Shape& out = result.shape;
  return Resample(call, result, SampleAxis(in.end()[-2], out.end()[-2], place),
                  SampleAxis(in.back(), out.back(), place));
}

Arrays ResampleNearest(const Call& call, const Type& result) {
  return ResampleBilinear(call, result, PlaceNearest);
}

double PlaceAlignCorners(int64_t i, int64_t in, int64_t out) {
  if (out == 1) return 0.0;
  return static_cast<double>(i) * static_cast<double>(in - 1) / static_cast<double>(out - 1);
}

double PlaceDefault(int64_t i, int64_t in, int64_t out) {
  return static_cast<double>(i) * static_cast<double>(in) / static_cast<double>(out);
}

double PlaceUnalignCorners(int64_t i, int64_t in, int64_t out) {
  const double spacing = static_cast<double>(in) / static_cast<double>(out);
  return (static_cast<double>(i) + 0.5) * spacing - 0.5;
}

}  // namespace millwright::mil
