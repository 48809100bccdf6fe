#include "mil/ops/elementwise.h"

namespace millwright::mil {
namespace {

Types InferBroadcast(const Call& call) {
  if (Status same = CheckSameDType(call, "x", "y"); !same) return same.error();
  Result<Shape> shape = Broadcast(call, {"x", "y"});
  if (!shape) return shape.error();
  return std::vector<Type>{{call.type("x").dtype, *shape}};
}

}  // namespace

Types InferUnary(const Call& call) {
  if (Status status = CheckFloat(call, "x"); !status) return status.error();
  return std::vector<Type>{call.type("x")};
}

Types InferNumericUnary(const Call& call) {
  const Status status = CheckDType(call, "x", {DType::kFp16, DType::kFp32, DType::kInt32});
  if (!status) return status.error();
  return std::vector<Type>{call.type("x")};
}

Types InferBinary(const Call& call) {
  const Status status = CheckDType(call, "x", {DType::kFp16, DType::kFp32, DType::kInt32});
  if (!status) return status.error();
  return InferBroadcast(call);
}

Types InferComparison(const Call& call) {
  Types types = InferBinary(call);
  if (types) types->front().dtype = DType::kBool;
  return types;
}

Types InferLogical(const Call& call) {
  if (Status status = CheckDType(call, "x", {DType::kBool}); !status) return status.error();
  return InferBroadcast(call);
}

Types InferFloatBinary(const Call& call) {
  if (Status status = CheckFloat(call, "x"); !status) return status.error();
  return InferBroadcast(call);
}

}  // namespace millwright::mil
