#include "mil/verify.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "mil/ops/op.h"
#include "mil/unsupported.h"

namespace millwright::mil {
namespace {

constexpr size_t kMaxRank = 5;
constexpr std::array<std::string_view, 4> kOpsets = {"ios15", "ios16", "ios17", "ios18"};

bool IsVersion(std::string_view version) {
  const size_t dot = version.find('.');
  const auto digits = [](std::string_view part) {
    return !part.empty() &&
           std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  return dot != std::string_view::npos && digits(version.substr(0, dot)) &&
         digits(version.substr(dot + 1));
}

Status CheckType(const Type& type) {
  if (type.shape.size() > kMaxRank) {
    return BadInput("{} has rank {}, at most {} are allowed", ToString(type), type.shape.size(),
                    kMaxRank);
  }
  if (type.dtype == DType::kFp64) return BadInput("{} is not a type of MIL", ToString(type));
  if (type.dtype == DType::kString && !type.shape.empty()) {
    return BadInput("{} is not a type: strings are scalars", ToString(type));
  }
  int64_t room = kMaxElements - 1;
  for (int64_t dim : type.shape) {
    if (dim < 1) return BadInput("{} has a dimension of {}", ToString(type), dim);
    room /= dim;
    if (room == 0) return BadInput("{} has too many elements", ToString(type));
  }
  return {};
}

// Checks one function, remembering which values have been defined so far.
class FunctionVerifier {
 public:
  explicit FunctionVerifier(const Function& function) : function_(function) {}

  std::vector<Problem> Run() && {
    CheckHeader();
    CheckValues();
    CheckOrder();
    // Operations that refer to no value have no types to look at.
    if (in_range_) CheckOperations();
    CheckOutputs();
    return std::move(problems_);
  }

 private:
  // Keeps `status` if it is an error, as a problem of the value `id`.
  void Note(const Status& status, std::string_view id) {
    if (status) return;
    problems_.push_back({function_.name, std::string(id), status.error().In(function_.name)});
  }

  void CheckHeader() {
    if (!IsIdentifier(function_.name)) {
      Note(BadInput("'{}' is not a function name", function_.name), "");
    }
    known_opset_ = std::find(kOpsets.begin(), kOpsets.end(), function_.opset) != kOpsets.end();
    if (known_opset_) return;
    Note(BadInput("opset '{}' is not known; known are ios15, ios16, ios17 and ios18",
                  function_.opset),
         "");
  }

  void CheckValues() {
    std::set<std::string_view> ids;
    for (const Value& value : function_.values) {
      const Status status = CheckType(value.type);
      if (!IsIdentifier(value.id)) {
        Note(BadInput("'{}' is not an identifier", value.id), value.id);
      } else if (!ids.insert(value.id).second) {
        Note(BadInput("'{}' is defined twice", value.id), value.id);
      } else if (!status) {
        Note(status.error().In(value.id), value.id);
      }
    }
  }

  bool InRange(ValueId value) const {
    return value >= 0 && static_cast<size_t>(value) < function_.values.size();
  }

  std::string_view Id(ValueId value) const { return function_.value(value).id; }

  // Of the first result; empty if there is none.
  std::string_view IdOf(const Operation& operation) const {
    const bool named = !operation.outputs.empty() && InRange(operation.outputs.front());
    return named ? Id(operation.outputs.front()) : std::string_view();
  }

  std::string Where(const Operation& operation) const {
    const std::string_view id = IdOf(operation);
    return fmt::format("{} ({})", operation.op, id.empty() ? "?" : id);
  }

  Status Missing(ValueId value) {
    in_range_ = false;
    return BadInput("value {} does not exist", value);
  }

  Status Define(ValueId value) {
    if (!InRange(value)) return Missing(value);
    if (defined_[static_cast<size_t>(value)]) return BadInput("'{}' is defined twice", Id(value));
    defined_[static_cast<size_t>(value)] = true;
    return {};
  }

  Status Use(ValueId value) {
    if (!InRange(value)) return Missing(value);
    if (!defined_[static_cast<size_t>(value)]) {
      return BadInput("'{}' is used before it is defined", Id(value));
    }
    return {};
  }

  Status UseAll(const Operation& operation) {
    for (const Argument& argument : operation.arguments) {
      Status status;
      if (const auto* value = std::get_if<ValueId>(&argument.value)) {
        status = Use(*value);
      } else if (const auto* tuple = std::get_if<std::vector<ValueId>>(&argument.value)) {
        for (ValueId element : *tuple) {
          if (status) status = Use(element);
        }
      } else {
        status = CheckType(std::get<Constant>(argument.value).type());
      }
      if (!status) return status.error().In(fmt::format("argument '{}'", argument.key));
    }
    return {};
  }

  // Every value is defined once, and before its uses.
  void CheckOrder() {
    defined_.assign(function_.values.size(), false);
    for (ValueId input : function_.inputs) {
      const Status status = Define(input);
      if (!status) Note(status.error().In("inputs"), InRange(input) ? Id(input) : "");
    }
    for (const Operation& operation : function_.operations) {
      Status status = UseAll(operation);
      if (operation.outputs.empty()) {
        status = BadInput("has no result");
        in_range_ = false;
      }
      for (ValueId output : operation.outputs) {
        const Status defined = Define(output);
        if (status) status = defined;
      }
      if (!status) Note(status.error().In(Where(operation)), IdOf(operation));
    }
    for (size_t i = 0; i < defined_.size(); ++i) {
      const std::string& id = function_.values[i].id;
      if (!defined_[i]) Note(BadInput("'{}' is never defined", id), id);
    }
  }

  Status CheckAttributes(const Operation& operation, bool only_name) {
    std::set<std::string_view> keys;
    for (const Attribute& attribute : operation.attributes) {
      if (!keys.insert(attribute.key).second) {
        return BadInput("attribute '{}' is given twice", attribute.key);
      }
      const Type& type = attribute.value.type();
      if (Status status = CheckType(type); !status) return status.error().In(attribute.key);
      if (attribute.key == "name") {
        if (type.dtype != DType::kString || attribute.value.blob()) {
          return BadInput("attribute 'name' must be a string, found {}", ToString(type));
        }
        if (!names_.insert(attribute.value.as_string()).second) {
          return BadInput("the name '{}' is used twice", attribute.value.as_string());
        }
      } else if (only_name) {
        return BadInput("unknown attribute '{}'", attribute.key);
      }
    }
    return {};
  }

  Status CheckConst(const Operation& operation) {
    if (!operation.arguments.empty()) {
      return BadInput("unknown argument '{}'", operation.arguments.front().key);
    }
    const Constant* value = operation.FindAttribute("val");
    if (value == nullptr) return BadInput("attribute 'val' is missing");
    for (const Attribute& attribute : operation.attributes) {
      if (attribute.key != "val" && attribute.key != "name") {
        return BadInput("unknown attribute '{}'", attribute.key);
      }
    }
    return CompareTypes(operation, std::span(&value->type(), 1), "its value has");
  }

  Status CompareTypes(const Operation& operation, std::span<const Type> types,
                      std::string_view source) {
    if (operation.outputs.size() != types.size()) {
      return BadInput("{} results are declared, it has {}", operation.outputs.size(), types.size());
    }
    for (size_t i = 0; i < types.size(); ++i) {
      const Value& value = function_.value(operation.outputs[i]);
      if (value.type == types[i]) continue;
      return BadInput("'{}' is declared as {}, but {} {}", value.id, ToString(value.type), source,
                      ToString(types[i]));
    }
    return {};
  }

  Status CheckOpset(const OpDef& def) const {
    if (!known_opset_) return {};
    int opset = 0;
    const std::string_view digits = std::string_view(function_.opset).substr(3);
    std::from_chars(digits.data(), digits.data() + digits.size(), opset);
    if (opset >= def.since) return {};
    return BadInput("needs opset ios{}, the function has {}", def.since, function_.opset);
  }

  Status CheckOperation(const Operation& operation) {
    if (operation.op == "const") {
      if (Status status = CheckAttributes(operation, false); !status) return status;
      return CheckConst(operation);
    }
    const OpDef* def = FindOp(operation.op);
    if (def == nullptr) {
      const std::string_view why = WhyUnsupported(operation.op);
      return why.empty() ? BadInput("unknown operation") : BadInput("not supported: {}", why);
    }
    if (Status status = CheckOpset(*def); !status) return status;
    if (Status status = CheckAttributes(operation, !def->attributes_are_params); !status) {
      return status;
    }
    return {};
  }

  // The type rule of an operation that is well formed by itself.
  Status CheckTypes(const Operation& operation, std::span<const int> definitions) {
    const auto call = MakeCall(function_, operation, definitions);
    if (!call) return call.error();
    const auto types = FindOp(operation.op)->infer(*call);
    if (!types) return types.error();
    const Status status = CompareTypes(operation, *types, "its type is");
    return status ? status : status.error().In(Where(operation));
  }

  void CheckOperations() {
    const std::vector<int> definitions = Definitions(function_);
    for (const Operation& operation : function_.operations) {
      const Status status = CheckOperation(operation);
      if (!status) {
        Note(status.error().In(Where(operation)), IdOf(operation));
      } else if (operation.op != "const") {
        Note(CheckTypes(operation, definitions), IdOf(operation));
      }
    }
  }

  void CheckOutputs() {
    if (function_.outputs.empty()) Note(BadInput("it returns nothing"), "");
    std::set<ValueId> seen;
    for (ValueId output : function_.outputs) {
      if (!InRange(output)) {
        Note(BadInput("output {} does not exist", output), "");
      } else if (!seen.insert(output).second) {
        Note(BadInput("'{}' is returned twice", Id(output)), Id(output));
      }
    }
  }

  const Function& function_;
  std::vector<Problem> problems_;
  bool known_opset_ = true;
  bool in_range_ = true;  // every value that is named exists
  std::vector<bool> defined_;
  std::set<std::string> names_;
};

}  // namespace

bool IsIdentifier(std::string_view id) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto inner = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return !id.empty() && letter(id.front()) && std::all_of(id.begin(), id.end(), inner) &&
         id != "true" && id != "false";
}

Status Verify(const Function& function) {
  const std::vector<Problem> problems = FindProblems(function);
  return problems.empty() ? Status() : problems.front().error;
}

Status Verify(const Program& program) {
  const std::vector<Problem> problems = FindProblems(program);
  return problems.empty() ? Status() : problems.front().error;
}

std::vector<Problem> FindProblems(const Function& function) {
  return FunctionVerifier(function).Run();
}

std::vector<Problem> FindProblems(const Program& program) {
  std::vector<Problem> problems;
  if (!IsVersion(program.version)) {
    problems.push_back(
        {"", "", BadInput("program version '{}' is not a number like 1.3", program.version)});
  }
  if (program.functions.empty())
    problems.push_back({"", "", BadInput("the program has no function")});
  std::set<std::string_view> names;
  for (const Function& function : program.functions) {
    if (!names.insert(function.name).second) {
      problems.push_back(
          {function.name, "", BadInput("function '{}' is defined twice", function.name)});
    }
    const std::vector<Problem> found = FindProblems(function);
    problems.insert(problems.end(), found.begin(), found.end());
  }
  return problems;
}

}  // namespace millwright::mil
