#include <cmath>
#include <utility>

#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  for (std::string_view key : {"start", "end", "step"}) {
    const Status status = CheckDType(call, key, {DType::kFp16, DType::kFp32, DType::kInt32});
    if (!status) return status.error();
    if (Status same = CheckSameDType(call, "start", key); !same) return same.error();
    if (!call.type(key).shape.empty() || call.Find(key)->arrays.front() == nullptr) {
      return call.Bad("'{}' must be a scalar immediate, found {}", key, ToString(call.type(key)));
    }
  }
  const double step = call.Float("step", 1.0);
  if (step == 0.0) return call.Bad("'step' must not be 0");
  const double count = std::ceil((call.Float("end", 0.0) - call.Float("start", 0.0)) / step);
  if (!(count >= 1.0 && count < static_cast<double>(kMaxElements))) {
    return call.Bad("from {} to {} in steps of {} are {} elements", call.Float("start", 0.0),
                    call.Float("end", 0.0), step, count);
  }
  return std::vector<Type>{{call.type("start").dtype, {static_cast<int64_t>(count)}}};
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  const double start = call.Float("start", 0.0);
  const double step = call.Float("step", 1.0);
  Array result = NewArray(results[0]);
  for (size_t i = 0; i < result.data.size(); ++i) {
    result.data[i] = start + static_cast<double>(i) * step;
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_range_1d = {
    .name = "range_1d",
    .doc = R"(
start, start + step, start + 2 step, ... below end (above it for a negative step). An empty result is
refused.
  start, end, step  constant scalars of one dtype, fp16, fp32 or int32; step is not 0
Opset ios15. Source: coremltools, MIL ops, iOS15 tensor_operation.)",
    .params = {{.name = "end", .constant = true},
               {.name = "start", .constant = true},
               {.name = "step", .constant = true}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
