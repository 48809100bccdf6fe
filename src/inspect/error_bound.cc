#include "inspect/error_bound.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "base/tolerance.h"
#include "inspect/operands.h"
#include "inspect/tensor_stats.h"

namespace millwright::inspect {
namespace {

using device::ArrayPtr;

constexpr std::array<std::string_view, 6> kProducts = {
    "matmul", "linear", "conv", "conv_transpose", "einsum", "scaled_dot_product_attention"};
constexpr int kVectorFunctionUnits = 8;
// exp of less than this is 0 in fp32: how large the argument of a probability that counts can be.
constexpr int64_t kExpRange = 104;

// ||f(|x|, |y|, ...)||: what a sum would be without cancellation. `norm` is ||f(x, y, ...)||.
Result<double> MagnitudeNorm(const device::Evaluator& evaluator, const mil::Operation& operation,
                             std::span<const ArrayPtr> values, double norm) {
  if (operation.op == "softmax") return norm;  // a sum of exponentials, which are positive
  std::vector<ArrayPtr> magnitudes(values.begin(), values.end());
  for (const mil::ValueId value : Operands(operation)) {
    const ArrayPtr& from = values[static_cast<size_t>(value)];
    if (from == nullptr || !IsFloat(from->type.dtype)) continue;
    mil::Array array = *from;
    for (double& element : array.data) element = std::fabs(element);
    magnitudes[static_cast<size_t>(value)] = std::make_shared<const mil::Array>(std::move(array));
  }
  const auto result = evaluator.Evaluate(operation, magnitudes, Numerics(Precision::kExact));
  if (!result) return result.error();
  return StatsOf(result->front().data, DType::kFp64).norm;
}

// By how much rounding in a product's precision moves an operand, as a norm.
double OperandRounding(Precision precision, const TensorStats& stats) {
  return precision == Precision::kBf16
             ? OperandRoundoff(precision) * stats.norm
             : Int8Step(stats.absmax) * std::sqrt(static_cast<double>(stats.elements));
}

// sum over both operands of ||rounding of one|| ||other||, and both roundings together.
double OperandsError(Precision precision, const mil::Operation& operation,
                     std::span<const ArrayPtr> values) {
  std::array<double, 2> steps = {}, norms = {};
  size_t count = 0;
  for (const mil::ValueId value : Operands(operation)) {
    const ArrayPtr& array = values[static_cast<size_t>(value)];
    if (array == nullptr || !IsFloat(array->type.dtype) || array->type.shape.size() < 2) continue;
    if (count == steps.size()) break;
    const TensorStats stats = StatsOf(array->data, array->type.dtype);
    steps[count] = OperandRounding(precision, stats);
    norms[count++] = stats.norm;
  }
  return steps[0] * norms[1] + steps[1] * norms[0] + steps[0] * steps[1];
}

bool SumsProbabilities(const mil::Operation& operation) {
  return operation.op == "scaled_dot_product_attention";
}

bool ReadsFloats(const mil::Operation& operation, std::span<const ArrayPtr> values) {
  const auto operands = Operands(operation);
  return std::any_of(operands.begin(), operands.end(), [&](mil::ValueId value) {
    const ArrayPtr& array = values[static_cast<size_t>(value)];
    return array != nullptr && IsFloat(array->type.dtype);
  });
}

int64_t ElementsOf(const mil::Function& function, const mil::Operation& operation,
                   std::string_view key) {
  const mil::Argument* argument = operation.FindArgument(key);
  const auto* value = argument == nullptr ? nullptr : std::get_if<mil::ValueId>(&argument->value);
  return value == nullptr ? 1 : function.value(*value).type.elements();
}

}  // namespace

DType HeldAs(Precision precision, DType declared) {
  if (!IsFloat(declared)) return declared;
  switch (precision) {
    case Precision::kExact:
      return DType::kFp64;
    case Precision::kFp32:
    case Precision::kBf16:
    case Precision::kInt8:
      return DType::kFp32;
    case Precision::kFp16:
    case Precision::kAne:
      break;
  }
  return declared;
}

double OperandRoundoff(Precision precision) {
  if (precision == Precision::kBf16) return UnitRoundoff(DType::kBf16);
  return precision == Precision::kInt8 ? 0.5 / 127 : 0.0;
}

bool SumsProducts(const mil::Operation& operation) {
  return std::find(kProducts.begin(), kProducts.end(), operation.op) != kProducts.end();
}

int64_t SumTerms(const mil::Function& function, const mil::Operation& operation) {
  const int64_t results = function.value(operation.outputs.front()).type.elements();
  if (operation.op == "conv" || operation.op == "conv_transpose" || operation.op == "linear") {
    const mil::Argument* weight = operation.FindArgument("weight");
    const auto* value = std::get_if<mil::ValueId>(&weight->value);
    const Shape shape = value == nullptr ? Shape() : function.value(*value).type.shape;
    return shape.empty() ? 1 : std::max<int64_t>(1, NumElements(shape) / shape.front());
  }
  if (operation.op == "matmul") {
    const Shape& x =
        function.value(std::get<mil::ValueId>(operation.FindArgument("x")->value)).type.shape;
    // Which of the two it is does not matter for a bound: the larger one.
    return x.size() < 2 ? NumElements(x) : std::max(x.back(), x[x.size() - 2]);
  }
  if (operation.op == "einsum") {  // both equations that there are sum over x's last axis
    const auto& values =
        std::get<std::vector<mil::ValueId>>(operation.FindArgument("values")->value);
    return function.value(values.front()).type.shape.back();
  }
  if (operation.op == "scaled_dot_product_attention") {
    const Shape& key =
        function.value(std::get<mil::ValueId>(operation.FindArgument("key")->value)).type.shape;
    return key.back() + key[key.size() - 2];
  }
  const int64_t from = ElementsOf(function, operation, "x");
  if (operation.op == "softmax") {
    const Shape& x = function.value(operation.outputs.front()).type.shape;
    return x.empty() ? 1 : *std::max_element(x.begin(), x.end());
  }
  return operation.op.starts_with("reduce_")
             ? std::max<int64_t>(1, from / std::max<int64_t>(1, results))
             : 1;
}

Result<double> OwnErrorBound(const device::Evaluator& evaluator, const mil::Operation& operation,
                             std::span<const ArrayPtr> values, const mil::Array& exact,
                             const Arithmetic& arithmetic) {
  const DType held = HeldAs(arithmetic.precision, exact.type.dtype);
  if (!IsFloat(held)) {
    const auto count = static_cast<double>(exact.data.size());
    return ReadsFloats(operation, values) ? std::sqrt(count) : 0.0;
  }
  const int64_t terms = SumTerms(evaluator.function(), operation);
  const double norm = StatsOf(exact.data, held).norm;
  // The norms and the exact result itself are sums of doubles.
  double bound = (UnitRoundoff(held) + Gamma(DType::kFp64, terms + 8)) * norm;
  if (!arithmetic.compiled) return bound;
  bound += kVectorFunctionUnits * UnitRoundoff(DType::kFp32) * norm;
  if (terms > 1 || SumsProducts(operation)) {
    const auto magnitude = MagnitudeNorm(evaluator, operation, values, norm);
    if (!magnitude) return magnitude.error();
    // An exponential turns the rounding of its argument, up to kExpRange units, into a relative
    // one.
    const bool exponential = operation.op == "softmax" || SumsProbabilities(operation);
    bound += Gamma(DType::kFp32, terms + 2 + (exponential ? kExpRange : 0)) * *magnitude;
  }
  if (HasRoundedProducts(arithmetic.precision) && SumsProducts(operation)) {
    bound += OperandsError(arithmetic.precision, operation, values);
  }
  return bound;
}

}  // namespace millwright::inspect
