#include "tests/differential/grower.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/dtype.h"
#include "tests/differential/op_specs.h"

namespace millwright::differential {
namespace {

using mil::Constant;
using mil::Operation;
using mil::Type;
using mil::ValueId;

constexpr int64_t kMostElements = 700;
constexpr double kLargest = 20000;       // far from where fp16 overflows
constexpr double kMostUncertain = 0.25;  // of a value's largest magnitude, at least 1
constexpr int kTries = 30;
constexpr size_t kMostOutputs = 6;

bool IsPort(DType dtype) {
  constexpr DType kPorts[] = {DType::kFp16,  DType::kFp32,  DType::kInt8,
                              DType::kUint8, DType::kInt32, DType::kBool};
  return std::ranges::find(kPorts, dtype) != std::end(kPorts);
}

// Whether errors are small enough for a comparison to say something; integers and bools have none.
bool IsUseful(const Known& known) {
  double largest = 0, uncertain = 0;
  for (double x : known.exact.data) {
    if (!std::isfinite(x)) return false;
    largest = std::max(largest, std::fabs(x));
  }
  for (const auto& errors : known.error) {
    for (double e : errors) uncertain = std::max(uncertain, std::isnan(e) ? kLargest : e);
  }
  if (!IsFloat(known.exact.type.dtype)) return uncertain == 0 && largest < 1 << 24;
  return largest < kLargest && uncertain <= kMostUncertain * std::max(1.0, largest);
}

// False where a chain was broken off: a call before this one was refused.
bool HasOperands(const Operation& operation) {
  return std::ranges::all_of(operation.arguments, [](const mil::Argument& argument) {
    if (const auto* value = std::get_if<ValueId>(&argument.value)) return *value >= 0;
    const auto* values = std::get_if<std::vector<ValueId>>(&argument.value);
    return values == nullptr || std::ranges::all_of(*values, [](ValueId v) { return v >= 0; });
  });
}

}  // namespace

Op& Op::Value(std::string_view key, ValueId value) {
  operation_.arguments.push_back({std::string(key), value});
  return *this;
}
Op& Op::Values(std::string_view key, std::vector<ValueId> values) {
  operation_.arguments.push_back({std::string(key), std::move(values)});
  return *this;
}
Op& Op::Literal(std::string_view key, Constant value) {
  operation_.arguments.push_back({std::string(key), std::move(value)});
  return *this;
}
Op& Op::Int(std::string_view key, int64_t value) {
  return Literal(key, Constant::Scalar(DType::kInt32, static_cast<double>(value)));
}
Op& Op::Ints(std::string_view key, const std::vector<int64_t>& values) {
  return Literal(key, Constant::Ints(values));
}
Op& Op::Bool(std::string_view key, bool value) { return Literal(key, Constant::Bool(value)); }
Op& Op::Bools(std::string_view key, const std::vector<bool>& values) {
  const std::vector<double> elements(values.begin(), values.end());
  return Literal(key,
                 Constant::Tensor({DType::kBool, {static_cast<int64_t>(values.size())}}, elements));
}
Op& Op::Real(std::string_view key, DType dtype, double value) {
  return Literal(key, Constant::Scalar(dtype, value));
}
Op& Op::Text(std::string_view key, std::string_view value) {
  return Literal(key, Constant::String(std::string(value)));
}

Grower::Grower(uint64_t seed) : rng_(seed, StreamId("differential")) {}

int64_t Grower::Int(int64_t low, int64_t high) {
  return low + static_cast<int64_t>(rng_.Below(draws_++, static_cast<uint64_t>(high - low + 1)));
}

bool Grower::Coin(double probability) { return rng_.Uniform(draws_++) < probability; }

double Grower::Real(double low, double high) {
  const double x = low + (high - low) * rng_.Uniform(draws_++);
  Fp16 half = DoubleToFp16(x);
  const double nearest = ToFloat(half);
  if (nearest >= low && nearest <= high) return nearest;
  // Rounded beyond a bound that is no number of fp16: the next one lies before it.
  const bool toward_zero = (nearest > high) == (nearest > 0);
  half.bits = static_cast<uint16_t>(toward_zero ? half.bits - 1 : half.bits + 1);
  return ToFloat(half);
}

Shape Grower::RandomShape(size_t least_rank, size_t most_rank) {
  const std::vector<int64_t> dims = {1, 1, 2, 2, 3, 4, 4, 5, 6, 7, 8, 12, 16, 17};
  Shape shape(
      static_cast<size_t>(Int(static_cast<int64_t>(least_rank), static_cast<int64_t>(most_rank))));
  int64_t room = kMostElements;
  for (int64_t& dim : shape) {
    dim = std::min(Pick(dims), room);
    room = std::max<int64_t>(1, room / dim);
  }
  for (size_t i = shape.size(); i > 1; --i) {
    std::swap(shape[i - 1], shape[static_cast<size_t>(Int(0, static_cast<int64_t>(i) - 1))]);
  }
  return shape;
}

std::vector<int64_t> Grower::Permutation(size_t count) {
  std::vector<int64_t> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = static_cast<int64_t>(i);
  for (size_t i = count; i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<size_t>(Int(0, static_cast<int64_t>(i) - 1))]);
  }
  return order;
}

int64_t Grower::Axis(ValueId x) {
  const auto rank = static_cast<int64_t>(shape(x).size());
  return Int(-rank, rank - 1);
}

std::vector<int64_t> Grower::Axes(ValueId x) {
  const auto rank = static_cast<int64_t>(shape(x).size());
  std::vector<int64_t> axes = Permutation(shape(x).size());
  axes.resize(static_cast<size_t>(Int(1, rank)));
  for (int64_t& axis : axes) axis -= Coin(0.3) ? rank : 0;
  return axes;
}

std::vector<double> Grower::RandomElements(const Type& type, double low, double high) {
  std::vector<double> elements(static_cast<size_t>(type.elements()));
  for (double& x : elements) {
    if (IsFloat(type.dtype)) {
      x = Real(low, high);
    } else if (type.dtype == DType::kBool) {
      x = Coin() ? 1.0 : 0.0;
    } else {
      x = static_cast<double>(
          Int(static_cast<int64_t>(std::ceil(low)), static_cast<int64_t>(std::floor(high))));
    }
  }
  return elements;
}

ValueId Grower::NewValue(std::string_view prefix, const Type& type, KnownPtr known) {
  const auto id = static_cast<ValueId>(function_.values.size());
  function_.values.push_back({fmt::format("{}{}", prefix, id), type});
  known_.push_back(std::move(known));
  definitions_.push_back(-1);
  return id;
}

ValueId Grower::NewInput(const Type& type, std::vector<double> elements) {
  inputs_.push_back(elements);
  function_.inputs.push_back(NewValue("p", type, KnownElements(type, std::move(elements))));
  return function_.inputs.back();
}

ValueId Grower::NewInput(const Type& type, double low, double high) {
  return NewInput(type, RandomElements(type, low, high));
}

ValueId Grower::NewConstant(Constant value) {
  const ValueId id = NewValue("c", value.type(), KnownConstant(value));
  definitions_.back() = static_cast<int>(function_.operations.size());
  function_.operations.push_back({"const", {}, {{"val", std::move(value)}}, {id}});
  return id;
}

ValueId Grower::NewConstant(const Type& type, double low, double high) {
  return NewConstant(Constant::Tensor(type, RandomElements(type, low, high)));
}

ValueId Grower::CopyConstant(const Operation& operation) {
  return NewConstant(*operation.FindAttribute("val"));
}

std::optional<ValueId> Grower::Find(const std::function<bool(ValueId)>& fits) {
  std::vector<ValueId> found;
  for (ValueId v = 0; v < static_cast<ValueId>(function_.values.size()); ++v) {
    if (type(v).dtype != DType::kString && fits(v)) found.push_back(v);
  }
  if (found.empty()) return std::nullopt;
  // What is new is used more often: chains grow long.
  const auto last = static_cast<int64_t>(found.size()) - 1;
  return found[static_cast<size_t>(Coin() ? Int(std::max<int64_t>(0, last - 2), last)
                                          : Int(0, last))];
}

ValueId Grower::Float(const Wish& wish) {
  const auto fits = [&](ValueId v) {
    const Known& k = known(v);
    const size_t rank = shape(v).size();
    if ((type(v).dtype != DType::kFp16 && type(v).dtype != DType::kFp32) ||
        rank < wish.least_rank || rank > wish.most_rank || (wish.exact && !k.IsExact())) {
      return false;
    }
    return std::ranges::all_of(k.exact.data,
                               [&](double x) { return x >= wish.low && x <= wish.high; });
  };
  if (!Coin(0.15)) {
    if (const auto found = Find(fits)) return *found;
  }
  return NewInput({FloatType(), RandomShape(wish.least_rank, wish.most_rank)},
                  std::max(wish.low, -2.0), std::min(wish.high, std::max(2.0, wish.low + 2)));
}

ValueId Grower::OfType(const Type& wanted, const Wish& wish) {
  const auto fits = [&](ValueId v) {
    return type(v) == wanted && (!wish.exact || known(v).IsExact()) &&
           std::ranges::all_of(known(v).exact.data,
                               [&](double x) { return x >= wish.low && x <= wish.high; });
  };
  if (Coin(0.7)) {
    if (const auto found = Find(fits)) return *found;
  }
  const double low = std::max(wish.low, -2.0);
  const double high = std::min(wish.high, std::max(2.0, wish.low + 2));
  return Coin(0.3) ? NewConstant(wanted, low, high) : NewInput(wanted, low, high);
}

ValueId Grower::Integer(size_t least_rank, size_t most_rank) {
  const auto found = Find([&](ValueId v) {
    return type(v).dtype == DType::kInt32 && shape(v).size() >= least_rank &&
           shape(v).size() <= most_rank;
  });
  if (found && !Coin(0.3)) return *found;
  return NewInput({DType::kInt32, RandomShape(least_rank, most_rank)}, -9, 9);
}

ValueId Grower::Boolean(size_t least_rank, size_t most_rank) {
  const auto found = Find([&](ValueId v) {
    return type(v).dtype == DType::kBool && shape(v).size() >= least_rank &&
           shape(v).size() <= most_rank;
  });
  if (found && !Coin(0.3)) return *found;
  return NewInput({DType::kBool, RandomShape(least_rank, most_rank)});
}

ValueId Grower::Any(size_t least_rank, size_t most_rank) {
  if (Coin(0.15)) return Integer(least_rank, most_rank);
  if (Coin(0.05)) return Boolean(least_rank, most_rank);
  if (Coin(0.05)) return NewInput({DType::kInt8, RandomShape(least_rank, most_rank)}, -9, 9);
  return Float({.least_rank = least_rank, .most_rank = most_rank});
}

Type Grower::Broadcast(ValueId x) {
  Type made = type(x);
  if (Coin(0.6)) return made;
  for (int64_t& dim : made.shape) dim = Coin(0.4) ? 1 : dim;
  if (Coin(0.3)) {
    const auto drop = Int(0, static_cast<int64_t>(made.shape.size()));
    made.shape.erase(made.shape.begin(), made.shape.begin() + drop);
  }
  return made;
}

// A part of the literals become constants with a name, as the ANE wants them.
void Grower::MaybeNameLiterals(Operation* operation) {
  if (operation->op.starts_with("constexpr_")) return;
  for (mil::Argument& argument : operation->arguments) {
    auto* literal = std::get_if<Constant>(&argument.value);
    if (literal != nullptr && Coin()) argument.value = NewConstant(*literal);
  }
}

std::vector<ValueId> Grower::Append(const Operation& drawn) {
  if (!HasOperands(drawn)) return {};
  Operation operation = drawn;
  // Values of a refused call stay unused; they cost nothing.
  MaybeNameLiterals(&operation);
  const auto call = MakeCall(function_, operation, definitions_);
  if (!call) return {};
  const auto types = mil::FindOp(operation.op)->infer(*call);
  if (!types) return {};
  for (const Type& type : *types) {
    if (type.elements() > kMostElements || type.shape.size() > 5) return {};
  }
  const OpSpec* spec = FindSpec(operation.op);
  const auto results = Analyze(operation, *types, known_, spec->bound);
  if (!results) return {};
  for (const KnownPtr& result : *results) {
    if (!IsUseful(*result)) return {};
  }
  std::vector<ValueId> outputs;
  for (size_t i = 0; i < results->size(); ++i) {
    outputs.push_back(NewValue("v", (*types)[i], (*results)[i]));
    definitions_.back() = static_cast<int>(function_.operations.size());
  }
  operation.outputs = outputs;
  function_.operations.push_back(std::move(operation));
  return outputs;
}

ValueId Grower::Append1(const Op& op) {
  const std::vector<ValueId> results = Append(op.operation());
  return results.empty() ? -1 : results.front();
}

void Grower::GrowOne() {
  if (Coin(0.1)) return GrowTemplate(*this);
  const auto ops = mil::AllOps();
  const mil::OpDef& def = *ops[static_cast<size_t>(Int(0, static_cast<int64_t>(ops.size()) - 1))];
  const OpSpec* spec = FindSpec(def.name);
  if (spec == nullptr || spec->draw == nullptr) return;
  if (const auto operation = spec->draw(*this, def.name)) Append(*operation);
}

void Grower::ChooseOutputs() {
  std::set<ValueId> used;
  std::vector<ValueId> computed;
  for (const Operation& operation : function_.operations) {
    for (const mil::Argument& argument : operation.arguments) {
      if (const auto* value = std::get_if<ValueId>(&argument.value)) used.insert(*value);
      if (const auto* values = std::get_if<std::vector<ValueId>>(&argument.value)) {
        used.insert(values->begin(), values->end());
      }
    }
    if (operation.op == "const") continue;
    for (ValueId output : operation.outputs) {
      if (IsPort(type(output).dtype)) computed.push_back(output);
    }
  }
  for (size_t i = computed.size(); i-- > 0 && function_.outputs.size() < kMostOutputs;) {
    // Results that nothing reads, and a few that must be kept besides.
    if (!used.contains(computed[i]) || Coin(0.15)) function_.outputs.push_back(computed[i]);
  }
  if (function_.outputs.empty()) function_.outputs.push_back(NewInput({DType::kFp16, {2}}));
}

Grown Grower::Grow(std::string_view op, int operations) && {
  for (int i = 0; i < operations / 2; ++i) GrowOne();
  const OpSpec* spec = FindSpec(op);
  for (int i = 0; spec != nullptr && spec->draw != nullptr && i < kTries; ++i) {
    const auto operation = spec->draw(*this, op);
    if (operation && !Append(*operation).empty()) break;
  }
  for (int i = operations / 2; i < operations; ++i) GrowOne();
  ChooseOutputs();
  Grown grown{.inputs = std::move(inputs_)};
  grown.program.functions.push_back(std::move(function_));
  return grown;
}

}  // namespace millwright::differential
