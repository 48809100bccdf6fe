// One function as the constraints look at it, and what they find. Only the table's rows use this.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "device/ane/constraints.h"
#include "mil/program.h"

namespace millwright::device::ane {

class Facts {
 public:
  Facts(const mil::Program& program, const mil::Function& function, const Target& target);

  const mil::Program& program() const { return program_; }
  const mil::Function& function() const { return function_; }
  const Target& target() const { return target_; }
  const std::vector<mil::Operation>& operations() const { return function_.operations; }

  const mil::Type& type(mil::ValueId value) const { return function_.value(value).type; }
  const Shape& shape(mil::ValueId value) const { return type(value).shape; }
  // The operation that defines a value; null for an input.
  const mil::Operation* Definition(mil::ValueId value) const;
  // Known when the program is compiled: constants, and what constexpr operations make of them.
  bool IsConstant(mil::ValueId value) const { return constant_[static_cast<size_t>(value)]; }
  // In a weight file.
  bool IsBlob(mil::ValueId value) const;

  // An argument's value; -1 where it is absent, a literal or a tuple.
  mil::ValueId Argument(const mil::Operation& operation, std::string_view key) const;
  // All values that an operation reads.
  std::vector<mil::ValueId> Operands(const mil::Operation& operation) const;
  // An argument that is an immediate, written in place or as a const; null for others.
  const mil::Constant* Immediate(const mil::Operation& operation, std::string_view key) const;
  std::optional<int64_t> Int(const mil::Operation& operation, std::string_view key) const;
  std::vector<int64_t> Ints(const mil::Operation& operation, std::string_view key) const;
  // `axis` of an operation on a tensor of that rank, counted from the front.
  std::optional<size_t> Axis(const mil::Operation& operation, size_t rank) const;

 private:
  const mil::Program& program_;
  const mil::Function& function_;
  const Target& target_;
  std::vector<int> definitions_;
  std::vector<bool> constant_;
};

// The issues of one row.
class Findings {
 public:
  Findings(const Constraint& row, const Facts& facts, std::vector<Issue>* issues)
      : row_(row), facts_(facts), issues_(*issues) {}

  template <class... Args>
  void At(const mil::Operation& operation, fmt::format_string<Args...> format, Args&&... args) {
    const std::string_view id = facts_.function().value(operation.outputs.front()).id;
    Add(fmt::format("{} ({})", operation.op, id), fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void AtValue(mil::ValueId value, fmt::format_string<Args...> format, Args&&... args) {
    Add(facts_.function().value(value).id, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void AtFunction(fmt::format_string<Args...> format, Args&&... args) {
    Add(facts_.function().name, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  void Add(std::string where, const std::string& found) {
    issues_.push_back({.constraint = std::string(row_.id),
                       .where = std::move(where),
                       .message = fmt::format("{}; {}", found, row_.way_out),
                       .severity = row_.severity});
  }

  const Constraint& row_;
  const Facts& facts_;
  std::vector<Issue>& issues_;
};

// Calls visit(operation) for every operation of that name.
template <class Visit>
void ForEachOp(const Facts& facts, std::string_view name, const Visit& visit) {
  for (const mil::Operation& operation : facts.operations()) {
    if (operation.op == name && !operation.outputs.empty()) visit(operation);
  }
}

// The same for every operation that is no constant.
template <class Visit>
void ForEachOp(const Facts& facts, const Visit& visit) {
  for (const mil::Operation& operation : facts.operations()) {
    if (operation.op != "const" && !operation.outputs.empty()) visit(operation);
  }
}

}  // namespace millwright::device::ane
