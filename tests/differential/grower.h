// Grows a random program operation by operation, evaluating it on the way.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "mil/program.h"
#include "tests/differential/analysis.h"

namespace millwright::differential {

// A program, its inputs, and what is known of its values.
struct Grown {
  mil::Program program;
  std::vector<std::vector<double>> inputs;
};

// Writes an operation's arguments. Constants stand there as literals.
class Op {
 public:
  explicit Op(std::string_view op) { operation_.op = op; }
  Op& Value(std::string_view key, mil::ValueId value);
  Op& Values(std::string_view key, std::vector<mil::ValueId> values);
  Op& Int(std::string_view key, int64_t value);
  Op& Ints(std::string_view key, const std::vector<int64_t>& values);
  Op& Bool(std::string_view key, bool value);
  Op& Bools(std::string_view key, const std::vector<bool>& values);
  Op& Real(std::string_view key, DType dtype, double value);
  Op& Text(std::string_view key, std::string_view value);
  Op& Literal(std::string_view key, mil::Constant value);
  operator std::optional<mil::Operation>() const { return operation_; }  // NOLINT: implicit
  const mil::Operation& operation() const { return operation_; }

 private:
  mil::Operation operation_;
};

class Grower {
 public:
  explicit Grower(uint64_t seed);

  // A program that holds `op` (if a call of it could be drawn within a number of tries) and about
  // `operations` others.
  Grown Grow(std::string_view op, int operations) &&;

  // Random choices.
  int64_t Int(int64_t low, int64_t high);  // both inclusive
  bool Coin(double probability = 0.5);
  double Real(double low, double high);  // a number of fp16
  template <class T>
  const T& Pick(const std::vector<T>& list) {
    return list[static_cast<size_t>(Int(0, static_cast<int64_t>(list.size()) - 1))];
  }
  DType FloatType() { return Coin(0.6) ? DType::kFp16 : DType::kFp32; }
  Shape RandomShape(size_t least_rank, size_t most_rank);
  int64_t Axis(mil::ValueId x);                    // counted from either end
  std::vector<int64_t> Axes(mil::ValueId x);       // some, each once
  std::vector<int64_t> Permutation(size_t count);  // of 0, 1, ...

  const mil::Type& type(mil::ValueId value) const { return function_.value(value).type; }
  const Shape& shape(mil::ValueId value) const { return type(value).shape; }
  const Known& known(mil::ValueId value) const { return *known_[static_cast<size_t>(value)]; }

  // New values. Inputs are numbers of fp16 (integers for integer types) in [low, high].
  mil::ValueId NewInput(const mil::Type& type, double low = -2, double high = 2);
  mil::ValueId NewConstant(const mil::Type& type, double low = -2, double high = 2);
  mil::ValueId NewConstant(mil::Constant value);
  mil::ValueId NewInput(const mil::Type& type, std::vector<double> elements);

  // Operands: values of the program that fit, or new ones. `Float` has its elements in [low, high]
  // and, if `exact`, no error.
  struct Wish {
    size_t least_rank = 0, most_rank = 5;
    double low = -1e9, high = 1e9;
    bool exact = false;
  };
  mil::ValueId Float(const Wish& wish);
  mil::ValueId Float() { return Float({}); }
  mil::ValueId OfType(const mil::Type& type, const Wish& wish);
  mil::ValueId OfType(const mil::Type& type) { return OfType(type, {}); }
  mil::ValueId Integer(size_t least_rank = 0, size_t most_rank = 5);
  mil::ValueId Boolean(size_t least_rank = 0, size_t most_rank = 5);
  // Any numeric value of rank at least `least_rank`.
  mil::ValueId Any(size_t least_rank = 0, size_t most_rank = 5);
  // A type to which `x` broadcasts, or that broadcasts to it.
  mil::Type Broadcast(mil::ValueId x);

  // Appends a call; its results, or nothing if it is refused: ill-typed, or with results that are
  // not finite, large, or too uncertain.
  std::vector<mil::ValueId> Append(const mil::Operation& operation);
  // The one result of a call that must succeed for the caller to go on; -1 if it does not.
  mil::ValueId Append1(const Op& op);
  // Copies a constant operation of another function.
  mil::ValueId CopyConstant(const mil::Operation& operation);

 private:
  std::optional<mil::ValueId> Find(const std::function<bool(mil::ValueId)>& fits);
  mil::ValueId NewValue(std::string_view prefix, const mil::Type& type, KnownPtr known);
  std::vector<double> RandomElements(const mil::Type& type, double low, double high);
  void MaybeNameLiterals(mil::Operation* operation);
  void GrowOne();
  void ChooseOutputs();

  Rng rng_;
  uint64_t draws_ = 0;
  mil::Function function_;
  std::vector<KnownPtr> known_;
  std::vector<int> definitions_;
  std::vector<std::vector<double>> inputs_;
};

// Chains of operations that a compiler recognises (templates.cc); draws one of them.
void GrowTemplate(Grower& grower);

}  // namespace millwright::differential
