// A MIL program in memory: plain data, in the order of the text.
//
// Inside a function every value has an SSA identifier ("q4") and a small integer id. The `name=`
// attribute of an operation is a separate namespace and is only carried along.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "mil/type.h"

namespace millwright::mil {

using ValueId = int;  // index into Function::values

struct Value {
  std::string id;  // SSA identifier, unique in its function
  Type type;
  bool operator==(const Value&) const = default;
};

// What follows `key=` inside an operation's parentheses: one value, a tuple of values, or a
// literal.
struct Argument {
  std::string key;
  std::variant<ValueId, std::vector<ValueId>, Constant> value;
  bool operator==(const Argument&) const = default;
};

// What follows `key=` inside an operation's brackets (name, val, constexpr parameters).
struct Attribute {
  std::string key;
  Constant value;
  bool operator==(const Attribute&) const = default;
};

struct Operation {
  std::string op;  // "matmul", "const", ...
  std::vector<Argument> arguments;
  std::vector<Attribute> attributes;
  std::vector<ValueId> outputs;

  const Argument* FindArgument(std::string_view key) const;
  const Constant* FindAttribute(std::string_view key) const;
  bool operator==(const Operation&) const = default;
};

// An attribute of a function or program that nothing here interprets, such as
// FlexibleShapeInformation: carried along as text.
struct Annotation {
  std::string key;
  std::string text;  // type and value, in canonical spacing
  bool operator==(const Annotation&) const = default;
};

struct Function {
  std::string name = "main";
  std::string opset = "ios18";
  std::vector<Annotation> annotations;
  std::vector<Value> values;
  std::vector<ValueId> inputs;
  std::vector<Operation> operations;
  std::vector<ValueId> outputs;

  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
  bool operator==(const Function&) const = default;
};

struct Program {
  std::string version = "1.3";
  std::vector<std::pair<std::string, std::string>> build_info;
  std::vector<Annotation> annotations;  // besides buildInfo
  std::vector<Function> functions;

  const Function& main() const { return functions.front(); }
  bool operator==(const Program&) const = default;
};

// The build info that coremltools 9.0 writes; the compiler wants the block, not its values (fact
// A4).
std::vector<std::pair<std::string, std::string>> DefaultBuildInfo();

}  // namespace millwright::mil
