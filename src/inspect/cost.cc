#include "inspect/cost.h"

#include <algorithm>
#include <array>
#include <set>

#include "inspect/error_bound.h"
#include "inspect/operands.h"
#include "inspect/run_values.h"

namespace millwright::inspect {
namespace {

// Operations that compute nothing.
constexpr std::array<std::string_view, 21> kMoves = {
    "reshape",        "transpose",      "expand_dims",   "squeeze", "identity", "slice_by_size",
    "slice_by_index", "split",          "concat",        "tile",    "gather",   "gather_along_axis",
    "gather_nd",      "scatter",        "pad",           "stack",   "reverse",  "cast",
    "band_part",      "depth_to_space", "space_to_depth"};
constexpr double kSoftmaxFlops = 5;  // maximum, difference, exponential, sum, quotient

double Size(const mil::Function& function, mil::ValueId value) {
  return static_cast<double>(function.value(value).type.elements());
}

double Bytes(const mil::Function& function, mil::ValueId value) {
  return static_cast<double>(function.value(value).type.bytes());
}

Shape ShapeOf(const mil::Function& function, const mil::Operation& operation,
              std::string_view key) {
  const mil::Argument* argument = operation.FindArgument(key);
  const auto* value = argument == nullptr ? nullptr : std::get_if<mil::ValueId>(&argument->value);
  return value == nullptr ? Shape() : function.value(*value).type.shape;
}

// The terms of one sum of `matmul`: x's columns, or its rows where it is transposed. Its elements
// are those of the result's rows times them.
double MatmulTerms(const mil::Function& function, const mil::Operation& operation) {
  const Shape x = ShapeOf(function, operation, "x");
  const Shape& result = function.value(operation.outputs.front()).type.shape;
  if (x.size() < 2) return static_cast<double>(NumElements(x));
  const int64_t rows = ShapeOf(function, operation, "y").size() < 2
                           ? (result.empty() ? 1 : result.back())
                           : result[result.size() - 2];
  const int64_t terms = x.back() * x[x.size() - 2] / rows;
  return static_cast<double>(terms);
}

// Scores and their weighted sum of values, and the softmax between.
double AttentionFlops(const mil::Function& function, const mil::Operation& operation) {
  const Shape query = ShapeOf(function, operation, "query");
  const Shape key = ShapeOf(function, operation, "key");
  const int64_t queries = NumElements(query) / query.back();
  const auto scores = static_cast<double>(queries * key[key.size() - 2]);
  const auto value = static_cast<double>(ShapeOf(function, operation, "value").back());
  return scores * (2 * static_cast<double>(query.back()) + kSoftmaxFlops + 2 * value);
}

double Flops(const mil::Function& function, const mil::Operation& operation) {
  const std::string_view op = operation.op;
  const double results = Size(function, operation.outputs.front());
  if (std::find(kMoves.begin(), kMoves.end(), op) != kMoves.end()) return 0;
  if (op == "scaled_dot_product_attention") return AttentionFlops(function, operation);
  if (op == "matmul") return 2 * results * MatmulTerms(function, operation);
  if (op == "conv_transpose") {
    const Shape weight = ShapeOf(function, operation, "weight");
    const auto inputs = static_cast<double>(NumElements(ShapeOf(function, operation, "x")));
    const int64_t terms = NumElements(weight) / std::max<int64_t>(1, weight[0]);
    return 2 * inputs * static_cast<double>(terms);
  }
  if (SumsProducts(operation)) {
    return 2 * results * static_cast<double>(SumTerms(function, operation));
  }
  if (op == "softmax") return kSoftmaxFlops * results;
  if (op.starts_with("reduce_")) {
    return static_cast<double>(NumElements(ShapeOf(function, operation, "x")));
  }
  return results;
}

// For every value, whether it is known at compile time, and the last operation that reads it.
struct Lives {
  std::vector<bool> constant;
  std::vector<size_t> last_use;
};

Lives FindLives(const mil::Function& function) {
  Lives lives{std::vector<bool>(function.values.size(), false),
              std::vector<size_t>(function.values.size(), 0)};
  for (size_t i = 0; i < function.operations.size(); ++i) {
    const mil::Operation& operation = function.operations[i];
    for (const mil::ValueId value : Operands(operation)) {
      lives.last_use[static_cast<size_t>(value)] = i;
    }
    for (const mil::ValueId value : operation.outputs) {
      lives.constant[static_cast<size_t>(value)] = !RunsAtRunTime(operation);
      lives.last_use[static_cast<size_t>(value)] = i;
    }
  }
  for (const mil::ValueId value : function.outputs) {
    lives.last_use[static_cast<size_t>(value)] = function.operations.size();
  }
  return lives;
}

// One pass over the operations, keeping what is alive.
class Accountant {
 public:
  explicit Accountant(const mil::Function& function)
      : function_(function), lives_(FindLives(function)) {}

  ProgramCost Run() && {
    for (const mil::ValueId input : function_.inputs) {
      cost_.input_bytes += Bytes(function_, input);
      live_.insert(input);
      Largest(input);
    }
    for (const mil::ValueId output : function_.outputs) {
      cost_.output_bytes += Bytes(function_, output);
    }
    for (size_t i = 0; i < function_.operations.size(); ++i) {
      if (RunsAtRunTime(function_.operations[i])) Add(function_.operations[i], i);
    }
    return std::move(cost_);
  }

 private:
  void Largest(mil::ValueId value) {
    if (!cost_.largest.empty() &&
        Bytes(function_, value) <= static_cast<double>(cost_.largest_type.bytes())) {
      return;
    }
    cost_.largest = function_.value(value).id;
    cost_.largest_type = function_.value(value).type;
  }

  void AddOperands(const mil::Operation& operation, OperationCost* cost) {
    const auto operands = Operands(operation);
    for (const mil::ValueId value : std::set<mil::ValueId>(operands.begin(), operands.end())) {
      if (!lives_.constant[static_cast<size_t>(value)]) {
        cost->read_bytes += Bytes(function_, value);
      } else if (IsFloat(function_.value(value).type.dtype) && Size(function_, value) > 1) {
        cost->weight_bytes += Bytes(function_, value);
        cost->constant_weights = cost->sums_products;
        if (counted_.insert(value).second) cost_.weight_bytes += Bytes(function_, value);
      }
    }
  }

  void Add(const mil::Operation& operation, size_t index) {
    OperationCost cost{.operation = &operation,
                       .flops = Flops(function_, operation),
                       .sums_products = SumsProducts(operation)};
    const Shape& result = function_.value(operation.outputs.front()).type.shape;
    if (!result.empty()) cost.results_channels = result[result.size() > 1 ? 1 : 0];
    AddOperands(operation, &cost);
    for (const mil::ValueId value : operation.outputs) {
      cost.written_bytes += Bytes(function_, value);
      live_.insert(value);
      Largest(value);
    }
    cost.live_bytes = cost.weight_bytes;
    for (const mil::ValueId value : live_) cost.live_bytes += Bytes(function_, value);
    std::erase_if(live_, [&](mil::ValueId value) {
      return lives_.last_use[static_cast<size_t>(value)] <= index;
    });
    cost_.flops += cost.flops;
    cost_.peak_bytes = std::max(cost_.peak_bytes, cost.live_bytes);
    cost_.operations.push_back(cost);
  }

  const mil::Function& function_;
  Lives lives_;
  ProgramCost cost_;
  std::set<mil::ValueId> live_, counted_;
};

}  // namespace

ProgramCost CostOf(const mil::Function& function) { return Accountant(function).Run(); }

}  // namespace millwright::inspect
