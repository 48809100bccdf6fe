#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckFloat(call, "x"); !status) return status.error();
  Type result = call.type("x");
  if (result.shape.size() != 4) {
    return call.Bad("'x' must have rank 4, found {}", ToString(result));
  }
  size_t axis = 2;
  for (std::string_view key : {"crop_height", "crop_width"}) {
    const std::vector<int64_t> crop = call.Ints(key);
    int64_t& length = result.shape[axis++];
    if (crop.size() != 2 || crop[0] < 0 || crop[1] < 0 || crop[0] + crop[1] >= length) {
      return call.Bad("'{}' {} must have two entries that leave something of {} elements", key,
                      ShapeToString(crop), length);
    }
    length -= crop[0] + crop[1];
  }
  return std::vector<Type>{result};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Array& x = call.array("x");
  const Strides strides = RowMajorStrides(x.type.shape);
  const int64_t offset =
      call.Ints("crop_height")[0] * strides[2] + call.Ints("crop_width")[0] * strides[3];
  return std::vector<Array>{
      {results[0], Gathered(x.data.data() + offset, results[0].shape, strides)}};
}

}  // namespace

const OpDef k_crop = {
    .name = "crop",
    .doc = R"(
x [n, C, H, W] without some rows and columns at its edges.
  x            fp16 or fp32, rank 4
  crop_height  constant list of 2, not negative: rows cut off at the top and the bottom
  crop_width   constant list of 2: columns cut off at the left and the right
Opset ios15. Source: coremltools, MIL ops, iOS15 image_resizing.)",
    .params = {{.name = "x"},
               {.name = "crop_height", .constant = true, .kind = ParamKind::kInts},
               {.name = "crop_width", .constant = true, .kind = ParamKind::kInts}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
