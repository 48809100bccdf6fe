#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mil/cursor.h"
#include "mil/parse_annotation.h"
#include "mil/parse_value.h"
#include "mil/text.h"

namespace millwright::mil {
namespace {

// One function: keeps the values that are defined so far.
class FunctionParser {
 public:
  FunctionParser(Cursor& cursor, Function* function) : cursor_(cursor), function_(*function) {}

  // func main<ios18>(fp16 x, ...) { ... } -> (y, ...);
  bool Run() {
    Token name;
    Token opset;
    if (!cursor_.Expect("func") ||
        !cursor_.Expect(TokenKind::kIdentifier, "the function's name", &name) ||
        !cursor_.Expect("<") || !cursor_.Expect(TokenKind::kIdentifier, "an opset", &opset) ||
        !cursor_.Expect(">") || !ParseInputs() ||
        !ParseAnnotations(cursor_, &function_.annotations) || !cursor_.Expect("{")) {
      return false;
    }
    function_.name = name.text;
    function_.opset = opset.text;
    while (!cursor_.Is("}")) {
      if (!ParseStatement()) return false;
    }
    return cursor_.Expect("}") && cursor_.Expect("->") && ParseTuple(&function_.outputs) &&
           cursor_.Expect(";");
  }

 private:
  struct Declaration {
    Type type;
    Token name;
  };

  bool ParseDeclaration(Declaration* declaration) {
    if (!ParseType(cursor_, &declaration->type)) return false;
    return cursor_.Expect(TokenKind::kIdentifier, "a name", &declaration->name);
  }

  bool Define(const Declaration& declaration, std::vector<ValueId>* ids) {
    const std::string_view name = declaration.name.text;
    if (name == "true" || name == "false") {
      return cursor_.Fail(declaration.name, fmt::format("'{}' cannot name a value", name));
    }
    const auto id = static_cast<ValueId>(function_.values.size());
    if (!values_.emplace(name, id).second) {
      return cursor_.Fail(declaration.name, fmt::format("'{}' is already defined", name));
    }
    function_.values.push_back({std::string(name), declaration.type});
    ids->push_back(id);
    return true;
  }

  bool ParseInputs() {
    if (!cursor_.Expect("(")) return false;
    if (cursor_.Accept(")")) return true;
    do {
      Declaration input;
      if (!ParseDeclaration(&input) || !Define(input, &function_.inputs)) return false;
    } while (cursor_.Accept(","));
    return cursor_.Expect(")");
  }

  bool ParseUse(ValueId* value) {
    Token name;
    if (!cursor_.Expect(TokenKind::kIdentifier, "a value", &name)) return false;
    const auto it = values_.find(name.text);
    if (it == values_.end()) {
      return cursor_.Fail(name, fmt::format("'{}' is not defined", name.text));
    }
    *value = it->second;
    return true;
  }

  bool ParseTuple(std::vector<ValueId>* values) {
    if (!cursor_.Expect("(")) return false;
    if (cursor_.Accept(")")) return true;
    do {
      if (!ParseUse(&values->emplace_back())) return false;
    } while (cursor_.Accept(","));
    return cursor_.Expect(")");
  }

  // fp16 a, fp16 b = op(...)[...];
  bool ParseStatement() {
    if (cursor_.token().kind == TokenKind::kIdentifier && cursor_.After().text == "(") {
      return cursor_.Fail(cursor_.token(),
                          fmt::format("'{}' has no result; operations on states are not supported",
                                      cursor_.token().text));
    }
    std::vector<Declaration> results;
    do {
      if (!ParseDeclaration(&results.emplace_back())) return false;
    } while (cursor_.Accept(","));
    Operation operation;
    Token op;
    if (!cursor_.Expect("=") || !cursor_.Expect(TokenKind::kIdentifier, "an operation", &op) ||
        !ParseArguments(&operation.arguments) || !ParseAttributes(&operation.attributes) ||
        !RefuseBlock() || !cursor_.Expect(";")) {
      return false;
    }
    operation.op = op.text;
    for (const Declaration& result : results) {
      if (!Define(result, &operation.outputs)) return false;
    }
    function_.operations.push_back(std::move(operation));
    return true;
  }

  // cond and while_loop are followed by blocks of operations.
  bool RefuseBlock() {
    if (!cursor_.Is("(") && !cursor_.Is("{")) return true;
    return cursor_.Fail(cursor_.token(),
                        "blocks inside an operation (cond, while_loop) are not supported");
  }

  bool ParseArguments(std::vector<Argument>* arguments) {
    if (!cursor_.Expect("(")) return false;
    if (cursor_.Accept(")")) return true;
    do {
      if (!ParseArgument(&arguments->emplace_back())) return false;
    } while (cursor_.Accept(","));
    return cursor_.Expect(")");
  }

  bool ParseArgument(Argument* argument) {
    Token key;
    if (!cursor_.Expect(TokenKind::kIdentifier, "an argument", &key) || !cursor_.Expect("=")) {
      return false;
    }
    argument->key = key.text;
    if (cursor_.Is("(")) return ParseTuple(&argument->value.emplace<std::vector<ValueId>>());
    if (AtConstant(cursor_)) return ParseConstant(cursor_, &argument->value.emplace<Constant>());
    return ParseUse(&argument->value.emplace<ValueId>());
  }

  bool ParseAttributes(std::vector<Attribute>* attributes) {
    if (!cursor_.Accept("[")) return true;
    if (cursor_.Accept("]")) return true;
    do {
      Attribute& attribute = attributes->emplace_back();
      Token key;
      if (!cursor_.Expect(TokenKind::kIdentifier, "an attribute", &key) || !cursor_.Expect("=") ||
          !ParseConstant(cursor_, &attribute.value)) {
        return false;
      }
      attribute.key = key.text;
    } while (cursor_.Accept(","));
    return cursor_.Expect("]");
  }

  Cursor& cursor_;
  Function& function_;
  std::unordered_map<std::string_view, ValueId> values_;
};

bool ParseStringType(Cursor& cursor) {
  const Token start = cursor.token();
  Type type;
  if (!ParseType(cursor, &type)) return false;
  if (type == Type{DType::kString, {}}) return true;
  return cursor.Fail(start, fmt::format("expected string, found {}", ToString(type)));
}

// buildInfo = dict<string, string>({{"key", "value"}, ...})
bool ParseBuildInfo(Cursor& cursor, Program* program) {
  if (!cursor.Expect("buildInfo") || !cursor.Expect("=") || !cursor.Expect("dict") ||
      !cursor.Expect("<") || !ParseStringType(cursor) || !cursor.Expect(",") ||
      !ParseStringType(cursor) || !cursor.Expect(">") || !cursor.Expect("(") ||
      !cursor.Expect("{")) {
    return false;
  }
  while (!cursor.Is("}")) {
    auto& [key, value] = program->build_info.emplace_back();
    if (!cursor.Expect("{") || !ParseString(cursor, "a key", &key) || !cursor.Expect(",") ||
        !ParseString(cursor, "a value", &value) || !cursor.Expect("}")) {
      return false;
    }
    if (!cursor.Accept(",")) break;
  }
  return cursor.Expect("}") && cursor.Expect(")");
}

// [buildInfo = ..., and whatever else a tool writes there]
bool ParseAttributes(Cursor& cursor, Program* program) {
  if (!cursor.Accept("[")) return true;
  do {
    Token key = cursor.token();
    if (cursor.Is("buildInfo")) {
      if (!program->build_info.empty()) return cursor.Fail(key, "'buildInfo' is given twice");
      if (!ParseBuildInfo(cursor, program)) return false;
      continue;
    }
    Annotation& annotation = program->annotations.emplace_back();
    if (!cursor.Expect(TokenKind::kIdentifier, "an attribute", &key)) return false;
    annotation.key = key.text;
    if (!ParseAnnotation(cursor, &annotation)) return false;
  } while (cursor.Accept(","));
  return cursor.Expect("]");
}

bool ParseProgram(Cursor& cursor, Program* program) {
  Token version;
  if (!cursor.Expect("program") || !cursor.Expect("(") ||
      !cursor.Expect(TokenKind::kNumber, "the program's version", &version) ||
      !cursor.Expect(")") || !ParseAttributes(cursor, program) || !cursor.Expect("{")) {
    return false;
  }
  program->version = version.text;
  do {
    if (!FunctionParser(cursor, &program->functions.emplace_back()).Run()) return false;
  } while (!cursor.Is("}"));
  if (!cursor.Expect("}")) return false;
  return cursor.token().kind == TokenKind::kEnd || cursor.Expected("the end of the text");
}

}  // namespace

Result<Program> Parse(std::string_view text, std::string_view where) {
  Cursor cursor(text, where);
  Program program;
  if (!ParseProgram(cursor, &program)) return cursor.error();
  return program;
}

}  // namespace millwright::mil
