#include <algorithm>
#include <utility>

#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

// Elements before and after every axis of x.
Result<std::vector<int64_t>> ReadPad(const Call& call) {
  const Shape& shape = call.type("x").shape;
  const std::vector<int64_t> given = call.Ints("pad");
  if (given.size() % 2 != 0 || given.size() > 2 * shape.size()) {
    return call.Bad("'pad' {} must have two entries for each of the last axes of {}",
                    ShapeToString(given), ToString(call.type("x")));
  }
  std::vector<int64_t> pad(2 * shape.size() - given.size(), 0);
  pad.insert(pad.end(), given.begin(), given.end());
  const bool reflect = call.Text("mode", "constant") == "reflect";
  for (size_t i = 0; i < pad.size(); ++i) {
    if (pad[i] < 0) return call.Bad("'pad' {} has a negative entry", ShapeToString(given));
    if (reflect && pad[i] >= shape[i / 2]) {
      return call.Bad("axis {} of {} is too short to reflect {} elements", i / 2,
                      ToString(call.type("x")), pad[i]);
    }
  }
  return pad;
}

Types Infer(const Call& call) {
  const std::string mode = call.Text("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "replicate") {
    return call.Bad("'mode' must be constant, reflect or replicate, found \"{}\"", mode);
  }
  if (Status status = CheckSameDType(call, "x", "constant_val"); !status) return status.error();
  if (call.Has("constant_val") && !call.type("constant_val").shape.empty()) {
    return call.Bad("'constant_val' must be a scalar, found {}",
                    ToString(call.type("constant_val")));
  }
  const Result<std::vector<int64_t>> pad = ReadPad(call);
  if (!pad) return pad.error();
  Type result = call.type("x");
  for (size_t axis = 0; axis < result.shape.size(); ++axis) {
    result.shape[axis] += (*pad)[2 * axis] + (*pad)[2 * axis + 1];
  }
  if (Status status = CheckNewShape(call, result.shape); !status) return status.error();
  return std::vector<Type>{result};
}

// The element of x at place `index` of the padded axis, or -1 for a constant.
int64_t Source(std::string_view mode, int64_t index, int64_t length) {
  if (index >= 0 && index < length) return index;
  if (mode == "constant") return -1;
  if (mode == "replicate") return index < 0 ? 0 : length - 1;
  return index < 0 ? -index : 2 * (length - 1) - index;
}

// Pads one axis of `x`, so that the others can be padded one after the other.
Array PadAxis(const Array& x, size_t axis, int64_t before, int64_t after, std::string_view mode,
              double constant) {
  Type type = x.type;
  type.shape[axis] += before + after;
  Array result = NewArray(type);
  const AxisSplit from = SplitAt(x.type.shape, axis);
  double* out = result.data.data();
  for (int64_t outer = 0; outer < from.outer; ++outer) {
    for (int64_t i = 0; i < type.shape[axis]; ++i, out += from.inner) {
      const int64_t source = Source(mode, i - before, from.length);
      const double* in = x.data.data() + (outer * from.length + source) * from.inner;
      if (source < 0) {
        std::fill_n(out, from.inner, constant);
      } else {
        std::copy_n(in, from.inner, out);
      }
    }
  }
  return result;
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Result<std::vector<int64_t>> pad = ReadPad(call);
  if (!pad) return pad.error();
  const std::string mode = call.Text("mode", "constant");
  const double constant = call.Float("constant_val", 0.0);
  Array result = call.array("x");
  for (size_t axis = 0; axis < results[0].shape.size(); ++axis) {
    const int64_t before = (*pad)[2 * axis];
    const int64_t after = (*pad)[2 * axis + 1];
    if (before + after == 0) continue;
    result = PadAxis(result, axis, before, after, mode, constant);
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_pad = {
    .name = "pad",
    .doc = R"(
x with elements added before and after its last axes.
  x             fp16 or fp32 (ios17: any numeric tensor)
  pad           constant list: before and after each of the last axes in turn, none negative; axes in
                front that it does not name are left alone
  mode          constant string: "constant" (default, adds constant_val), "reflect" (mirrors x without
                its edge, fewer than the axis has elements) or "replicate" (repeats the edge)
  constant_val  constant scalar of the dtype of x, default 0
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_operation.)",
    .params = {{.name = "x"},
               {.name = "pad", .constant = true, .kind = ParamKind::kInts},
               {.name = "mode", .required = false, .constant = true, .kind = ParamKind::kText},
               {.name = "constant_val", .required = false, .constant = true}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
