#include "tests/differential/analysis.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/tolerance.h"
#include "tests/differential/op_specs.h"

namespace millwright::differential {
namespace {

using mil::Array;
using Elements = std::vector<double>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kSmallestNormal = 0x1p-126;  // of fp32: vector loops may flush what is below

// The type of an element as it is held in a mode.
DType Held(DType dtype, Mode mode) {
  return mode == Mode::kFp16 && dtype == DType::kFp16 ? DType::kFp16 : DType::kFp32;
}

double Underflow(DType held) {
  return held == DType::kFp16 ? SmallestPositive(DType::kFp16) : kSmallestNormal;
}

// What one operation does to arrays that take its operands' place.
class Evaluation {
 public:
  // The elements that an operand of floats is given.
  using Replace = std::function<Elements(const Known& operand, size_t number)>;

  Evaluation(const mil::Operation& operation, std::span<const mil::Type> types,
             std::span<const KnownPtr> known)
      : operation_(operation), types_(types), known_(known) {
    def_ = mil::FindOp(operation.op);
    for (const mil::Argument& argument : operation.arguments) AddArgument(argument);
    for (const mil::Attribute& attribute : operation.attributes) {
      if (attribute.key != "name") AddOperand(attribute.key, KnownConstant(attribute.value));
    }
  }

  // Operands that are tensors of floats, constants included.
  const std::vector<const Known*>& floats() const { return floats_; }
  std::span<const mil::Type> types() const { return types_; }

  Result<std::vector<Array>> Run(const Replace& replace) const {
    std::vector<std::shared_ptr<Array>> replaced;
    std::vector<mil::CallArgument> arguments;
    size_t number = 0;
    for (const Operand& operand : operands_) {
      if (arguments.empty() || arguments.back().key != operand.key) {
        arguments.push_back({.key = operand.key, .tuple = operand.tuple});
      }
      mil::CallArgument& made = arguments.back();
      made.types.push_back(operand.value->exact.type);
      const Array* array = &operand.value->exact;
      if (operand.is_float) {
        replaced.push_back(std::make_shared<Array>(*array));
        replaced.back()->data = replace(*operand.value, number++);
        array = replaced.back().get();
      }
      made.arrays.push_back(array);
      if (array->type.dtype == DType::kString) made.text = operand.value->text;
    }
    const mil::Call call(operation_.op, operation_.op, std::move(arguments));
    auto results = def_->evaluate(call, types_, Numerics(Precision::kExact));
    if (!results) return results.error();
    for (Array& array : *results) {
      for (double& x : array.data) x = Numerics(Precision::kExact).Round(x, array.type.dtype);
    }
    return results;
  }

 private:
  struct Operand {
    std::string_view key;
    KnownPtr value;
    bool is_float = false, tuple = false;
  };

  bool IsTensor(std::string_view key) const {
    const auto param = std::ranges::find(def_->params, key, &mil::Param::name);
    return param != def_->params.end() &&
           (param->kind == mil::ParamKind::kTensor || param->kind == mil::ParamKind::kValues);
  }

  void AddOperand(std::string_view key, KnownPtr value, bool tuple = false) {
    const bool is_float = IsFloat(value->exact.type.dtype) && IsTensor(key);
    operands_.push_back({key, std::move(value), is_float, tuple});
    if (is_float) floats_.push_back(operands_.back().value.get());
  }

  void AddArgument(const mil::Argument& argument) {
    if (const auto* value = std::get_if<mil::ValueId>(&argument.value)) {
      AddOperand(argument.key, known_[static_cast<size_t>(*value)]);
    } else if (const auto* literal = std::get_if<mil::Constant>(&argument.value)) {
      AddOperand(argument.key, KnownConstant(*literal));
    } else {
      for (mil::ValueId element : std::get<std::vector<mil::ValueId>>(argument.value)) {
        AddOperand(argument.key, known_[static_cast<size_t>(element)], true);
      }
    }
  }

  const mil::Operation& operation_;
  std::span<const mil::Type> types_;
  std::span<const KnownPtr> known_;
  const mil::OpDef* def_;
  std::vector<Operand> operands_;
  std::vector<const Known*> floats_;
};

// The bounds of one operation's results in one mode.
class Bounds {
 public:
  Bounds(const Evaluation& evaluation, const std::vector<Array>& exact, OpBound bound, Mode mode)
      : evaluation_(evaluation), exact_(exact), bound_(bound), mode_(mode) {}

  // By result, then by element.
  Result<std::vector<Elements>> Run() {
    for (const Array& array : exact_) errors_.emplace_back(array.data.size(), 0.0);
    switch (bound_.rule) {
      case Rule::kMove:
        return OnErrors();
      case Rule::kSum:
        return Sum();
      case Rule::kProduct:
        return Product();
      case Rule::kCorners:
        return Corners();
      case Rule::kSoftmax:
        return Softmax();
      case Rule::kLargest:
        AddToAll(LargestError());
        return Rounded();
      case Rule::kExact:
        return Rounded();
    }
    return errors_;
  }

 private:
  const Elements& ErrorsOf(const Known& operand) const { return operand.errors(mode_); }

  double LargestError() const {
    double largest = 0;
    for (const Known* operand : evaluation_.floats()) {
      for (double e : ErrorsOf(*operand)) largest = std::max(largest, e);
    }
    return largest;
  }

  void AddToAll(double error) {
    for (Elements& errors : errors_) {
      for (double& e : errors) e += error;
    }
  }

  // Adds the roundings of the operation itself, of results of magnitude |exact| + error.
  std::vector<Elements> Rounded() {
    for (size_t i = 0; i < errors_.size(); ++i) {
      const DType dtype = exact_[i].type.dtype;
      if (!IsFloat(dtype)) continue;
      const DType held = Held(dtype, mode_);
      const double unit = UnitRoundoff(held) + bound_.ulps * UnitRoundoff(DType::kFp32);
      for (size_t k = 0; k < errors_[i].size(); ++k) {
        const double magnitude = std::fabs(exact_[i].data[k]) + errors_[i][k];
        errors_[i][k] += unit * magnitude + (1 + bound_.ulps) * Underflow(held);
      }
    }
    return errors_;
  }

  Result<std::vector<Elements>> OnErrors() {
    const auto moved =
        evaluation_.Run([&](const Known& operand, size_t) { return ErrorsOf(operand); });
    if (!moved) return moved.error();
    for (size_t i = 0; i < errors_.size(); ++i) {
      if (IsFloat(exact_[i].type.dtype)) errors_[i] = (*moved)[i].data;
    }
    return errors_;
  }

  Result<std::vector<Array>> OnMagnitudes(bool with_errors) const {
    return evaluation_.Run([&](const Known& operand, size_t) {
      Elements magnitudes = operand.exact.data;
      for (size_t i = 0; i < magnitudes.size(); ++i) {
        magnitudes[i] = std::fabs(magnitudes[i]) + (with_errors ? ErrorsOf(operand)[i] : 0.0);
      }
      return magnitudes;
    });
  }

  // Adds gamma_terms times what the operation makes of magnitudes.
  void AddSumming(int64_t terms, const std::vector<Array>& magnitudes) {
    for (size_t i = 0; i < errors_.size(); ++i) {
      if (!IsFloat(exact_[i].type.dtype)) continue;
      for (size_t k = 0; k < errors_[i].size(); ++k) {
        errors_[i][k] += SumTolerance(DType::kFp32, terms, magnitudes[i].data[k]);
      }
    }
  }

  Result<std::vector<Elements>> Sum() {
    if (auto moved = OnErrors(); !moved) return moved.error();
    const auto magnitudes = OnMagnitudes(true);
    if (!magnitudes) return magnitudes.error();
    int64_t most = 1;
    for (const Known* operand : evaluation_.floats()) {
      most = std::max(most, static_cast<int64_t>(operand->exact.data.size()));
    }
    AddSumming(most + 2, *magnitudes);
    return Rounded();
  }

  Result<std::vector<Elements>> Product() {
    const auto plain = OnMagnitudes(false), wide = OnMagnitudes(true);
    const auto ones = evaluation_.Run(
        [](const Known& operand, size_t) { return Elements(operand.exact.data.size(), 1.0); });
    for (const auto* result : {&plain, &wide, &ones}) {
      if (!*result) return result->error();
    }
    double terms = 0;
    for (size_t i = 0; i < errors_.size(); ++i) {
      for (size_t k = 0; k < errors_[i].size(); ++k) {
        errors_[i][k] = (*wide)[i].data[k] - (*plain)[i].data[k];
        terms = std::max(terms, (*ones)[i].data[k]);
      }
    }
    AddSumming(static_cast<int64_t>(terms) + 3, *wide);
    return Rounded();
  }

  Result<std::vector<Elements>> Corners() {
    const size_t operands = evaluation_.floats().size();
    std::vector<size_t> moving;  // operands with errors
    for (size_t i = 0; i < operands; ++i) {
      const Elements& e = ErrorsOf(*evaluation_.floats()[i]);
      if (std::ranges::any_of(e, [](double x) { return x != 0; })) moving.push_back(i);
    }
    for (size_t corner = 0; corner < size_t{1} << moving.size(); ++corner) {
      const auto at = evaluation_.Run([&](const Known& operand, size_t number) {
        Elements values = operand.exact.data;
        const auto it = std::ranges::find(moving, number);
        if (it == moving.end()) return values;
        const bool up = (corner >> (it - moving.begin()) & 1) != 0;
        for (size_t i = 0; i < values.size(); ++i) {
          values[i] += up ? ErrorsOf(operand)[i] : -ErrorsOf(operand)[i];
        }
        return values;
      });
      if (!at) return at.error();
      for (size_t i = 0; i < errors_.size(); ++i) {
        for (size_t k = 0; k < errors_[i].size(); ++k) {
          const double moved = std::fabs((*at)[i].data[k] - exact_[i].data[k]);
          errors_[i][k] = std::isnan(moved) ? kInfinity : std::max(errors_[i][k], moved);
        }
      }
    }
    return Rounded();
  }

  // The largest result is e^(x_i + e_i) / sum e^(x_j - e_j), which is the softmax of x - e times
  // e^(2 e_i); the smallest alike.
  Result<std::vector<Elements>> Softmax() {
    const auto at = [&](double sign) {
      return evaluation_.Run([&](const Known& operand, size_t) {
        Elements values = operand.exact.data;
        for (size_t i = 0; i < values.size(); ++i) values[i] += sign * ErrorsOf(operand)[i];
        return values;
      });
    };
    const auto low = at(-1), high = at(1);
    if (!low) return low.error();
    if (!high) return high.error();
    const Known& x = *evaluation_.floats()[0];
    const auto [least, most] = std::ranges::minmax(x.exact.data);
    const double unit = UnitRoundoff(DType::kFp32);
    // x - max is rounded, its exponential has a few ulp, as many terms as an axis has are summed.
    const double own =
        std::expm1(2 * (unit * (most - least) + 16 * unit +
                        Gamma(DType::kFp32, static_cast<int64_t>(x.exact.data.size()))));
    for (size_t k = 0; k < errors_[0].size(); ++k) {
      const double p = exact_[0].data[k], stretch = std::exp(2 * ErrorsOf(x)[k]);
      const double most_p = (*low)[0].data[k] * stretch, least_p = (*high)[0].data[k] / stretch;
      errors_[0][k] = std::max(most_p - p, p - least_p) + own * std::max(most_p, p);
    }
    return Rounded();
  }

  const Evaluation& evaluation_;
  const std::vector<Array>& exact_;
  OpBound bound_;
  Mode mode_;
  std::vector<Elements> errors_;
};

}  // namespace

bool Known::IsExact() const {
  return std::ranges::all_of(error, [](const Elements& errors) {
    return std::ranges::all_of(errors, [](double e) { return e == 0; });
  });
}

KnownPtr KnownElements(mil::Type type, std::vector<double> elements) {
  Known known;
  for (Elements& errors : known.error) errors.assign(elements.size(), 0.0);
  known.exact = {std::move(type), std::move(elements)};
  return std::make_shared<const Known>(std::move(known));
}

KnownPtr KnownConstant(const mil::Constant& constant) {
  if (constant.type().dtype != DType::kString) {
    return KnownElements(constant.type(), mil::ToArray(constant).data);
  }
  Known known{.exact = {constant.type(), {}}, .text = constant.as_string()};
  return std::make_shared<const Known>(std::move(known));
}

Result<std::vector<KnownPtr>> Analyze(const mil::Operation& operation,
                                      std::span<const mil::Type> types,
                                      std::span<const KnownPtr> known, const OpBound& bound) {
  const Evaluation evaluation(operation, types, known);
  if (bound.rule == Rule::kExact) {
    for (const Known* operand : evaluation.floats()) {
      if (!operand->IsExact()) return BadInput("{}: an operand is not exact", operation.op);
    }
  }
  const auto exact =
      evaluation.Run([](const Known& operand, size_t) { return operand.exact.data; });
  if (!exact) return exact.error();
  std::vector<Known> results(exact->size());
  for (Mode mode : kModes) {
    auto errors = Bounds(evaluation, *exact, bound, mode).Run();
    if (!errors) return errors.error();
    for (size_t i = 0; i < results.size(); ++i) {
      results[i].error[static_cast<size_t>(mode)] = std::move((*errors)[i]);
    }
  }
  std::vector<KnownPtr> made;
  for (size_t i = 0; i < results.size(); ++i) {
    results[i].exact = (*exact)[i];
    made.push_back(std::make_shared<const Known>(std::move(results[i])));
  }
  return made;
}

double OutputError(const Known& value, size_t index, Mode mode) {
  const double error = value.errors(mode)[index];
  if (!IsFloat(value.exact.type.dtype)) return error;
  // Surfaces of floats hold fp16 in the precision of that name, whatever the program declares.
  const DType stored = mode == Mode::kFp16 ? DType::kFp16 : DType::kFp32;
  const double magnitude = std::fabs(value.exact.data[index]) + error;
  return error + UnitRoundoff(stored) * magnitude + Underflow(stored);
}

Result<std::vector<KnownPtr>> AnalyzeFunction(const mil::Function& function,
                                              const std::vector<std::vector<double>>& inputs) {
  std::vector<KnownPtr> known(function.values.size());
  for (size_t i = 0; i < function.inputs.size(); ++i) {
    const mil::ValueId input = function.inputs[i];
    known[static_cast<size_t>(input)] = KnownElements(function.value(input).type, inputs[i]);
  }
  for (const mil::Operation& operation : function.operations) {
    if (operation.op == "const") {
      known[static_cast<size_t>(operation.outputs[0])] =
          KnownConstant(*operation.FindAttribute("val"));
      continue;
    }
    std::vector<mil::Type> types;
    for (mil::ValueId output : operation.outputs) types.push_back(function.value(output).type);
    const OpSpec* spec = FindSpec(operation.op);
    const auto results =
        Analyze(operation, types, known, spec == nullptr ? OpBound() : spec->bound);
    if (!results) return results.error();
    for (size_t i = 0; i < results->size(); ++i) {
      known[static_cast<size_t>(operation.outputs[i])] = (*results)[i];
    }
  }
  return known;
}

}  // namespace millwright::differential
