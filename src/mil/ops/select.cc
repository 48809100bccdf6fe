#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  if (Status status = CheckDType(call, "cond", {DType::kBool}); !status) return status.error();
  if (Status status = CheckSameDType(call, "a", "b"); !status) return status.error();
  const Result<Shape> shape = Broadcast(call, {"cond", "a", "b"});
  if (!shape) return shape.error();
  return std::vector<Type>{{call.type("a").dtype, *shape}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const Array& cond = call.array("cond");
  const Array& a = call.array("a");
  const Array& b = call.array("b");
  const Shape& shape = results[0].shape;
  const std::array<Strides, 3> strides{BroadcastStrides(cond.type.shape, shape),
                                       BroadcastStrides(a.type.shape, shape),
                                       BroadcastStrides(b.type.shape, shape)};
  const int64_t length = RowLength(shape);
  Array result = NewArray(results[0]);
  double* out = result.data.data();
  const auto at = [&](const Array& array, size_t operand, int64_t offset, int64_t i) {
    return array.data[static_cast<size_t>(offset + i * RowStride(strides[operand]))];
  };
  ForEachRow<3>(shape, strides, [&](int64_t, const std::array<int64_t, 3>& offsets) {
    for (int64_t i = 0; i < length; ++i) {
      const bool first = at(cond, 0, offsets[0], i) != 0.0;
      *out++ = first ? at(a, 1, offsets[1], i) : at(b, 2, offsets[2], i);
    }
  });
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_select = {
    .name = "select",
    .doc = R"(
a where cond is true, b elsewhere, element by element.
  cond    bool
  a, b    of one dtype; all three are broadcast together
Opset ios15. Source: coremltools, MIL ops, iOS15 control_flow.)",
    .params = {{.name = "cond"}, {.name = "a"}, {.name = "b"}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
