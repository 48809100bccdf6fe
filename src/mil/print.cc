#include <string>

#include "mil/lexer.h"
#include "mil/number.h"
#include "mil/text.h"

namespace millwright::mil {
namespace {

constexpr std::string_view kVerboseVersion = "1.0";
constexpr std::string_view kVerboseOpset = "ios16";

// Appends a program to a text, in one of the two dialects.
class Printer {
 public:
  explicit Printer(bool verbose) : verbose_(verbose) {}

  std::string Run(const Program& program) && {
    Append("program({})\n", verbose_ ? kVerboseVersion : std::string_view(program.version));
    PrintAttributes(program);
    text_ += "{\n";
    for (const Function& function : program.functions) PrintFunction(function);
    text_ += "}\n";
    return std::move(text_);
  }

 private:
  template <class... Args>
  void Append(fmt::format_string<Args...> format, Args&&... args) {
    text_ += fmt::format(format, std::forward<Args>(args)...);
  }

  // Calls `print` for each of `items`, with commas between.
  template <class Items, class Print>
  void List(const Items& items, Print print) {
    bool first = true;
    for (const auto& item : items) {
      if (!first) text_ += ", ";
      first = false;
      print(item);
    }
  }

  std::string TypeText(const Type& type) const {
    if (!verbose_ || !type.shape.empty()) return ToString(type);
    return fmt::format("tensor<{}, []>", DTypeName(type.dtype));
  }

  std::string StringText(std::string_view characters) const {
    return fmt::format("{}({})", TypeText({DType::kString, {}}), Quote(characters));
  }

  void PrintAttributes(const Program& program) {
    if (program.build_info.empty() && program.annotations.empty()) return;
    text_ += "[";
    if (!program.build_info.empty()) {
      const std::string type = TypeText({DType::kString, {}});
      Append("buildInfo = dict<{}, {}>({{", type, type);
      List(program.build_info, [&](const auto& entry) {
        Append("{{{}, {}}}", Quote(entry.first), Quote(entry.second));
      });
      text_ += "})";
      if (!program.annotations.empty()) text_ += ", ";
    }
    PrintAnnotations(program.annotations);
    text_ += "]\n";
  }

  void PrintAnnotations(const std::vector<Annotation>& annotations) {
    List(annotations, [&](const Annotation& a) { Append("{} = {}", a.key, a.text); });
  }

  void PrintFunction(const Function& function) {
    Append("    func {}<{}>(", function.name,
           verbose_ ? kVerboseOpset : std::string_view(function.opset));
    List(function.inputs, [&](ValueId input) { PrintDeclaration(function.value(input)); });
    text_ += ")";
    if (!function.annotations.empty()) {
      text_ += " [";
      PrintAnnotations(function.annotations);
      text_ += "]";
    }
    text_ += " {\n";
    for (const Operation& operation : function.operations) PrintOperation(function, operation);
    text_ += "    } -> (";
    List(function.outputs, [&](ValueId output) { text_ += function.value(output).id; });
    text_ += ");\n";
  }

  void PrintDeclaration(const Value& value) { Append("{} {}", TypeText(value.type), value.id); }

  void PrintOperation(const Function& function, const Operation& operation) {
    text_ += "        ";
    List(operation.outputs, [&](ValueId output) { PrintDeclaration(function.value(output)); });
    Append(" = {}(", operation.op);
    List(operation.arguments, [&](const Argument& argument) { PrintArgument(function, argument); });
    text_ += ")";
    if (!operation.attributes.empty()) {
      text_ += "[";
      List(operation.attributes, [&](const Attribute& attribute) {
        Append("{} = ", attribute.key);
        PrintConstant(attribute.value);
      });
      text_ += "]";
    }
    text_ += ";\n";
  }

  void PrintArgument(const Function& function, const Argument& argument) {
    Append("{} = ", argument.key);
    if (const auto* value = std::get_if<ValueId>(&argument.value)) {
      text_ += function.value(*value).id;
    } else if (const auto* literal = std::get_if<Constant>(&argument.value)) {
      PrintConstant(*literal);
    } else {
      text_ += "(";
      List(std::get<std::vector<ValueId>>(argument.value),
           [&](ValueId element) { text_ += function.value(element).id; });
      text_ += ")";
    }
  }

  void PrintConstant(const Constant& constant) {
    const Type& type = constant.type();
    if (constant.blob()) {
      Append("{}(BLOBFILE(path = {}, offset = {}({})))", TypeText(type),
             StringText(constant.blob()->path), TypeText({DType::kUint64, {}}),
             constant.blob()->offset);
    } else if (type.dtype == DType::kString) {
      text_ += StringText(constant.as_string());
    } else {
      Append("{}({}", TypeText(type), type.shape.empty() ? "" : "[");
      PrintElements(constant);
      text_ += type.shape.empty() ? ")" : "])";
    }
  }

  void PrintElements(const Constant& constant) {
    const DType dtype = constant.type().dtype;
    const auto count = static_cast<size_t>(constant.type().elements());
    for (size_t i = 0; i < count; ++i) {
      if (i > 0) text_ += ", ";
      if (IsSubByte(dtype)) {
        Append("{}", static_cast<int>(constant.at(i)));
      } else {
        text_ += WriteElement(dtype, constant.bytes().data() + i * DTypeSize(dtype));
      }
    }
  }

  bool verbose_;
  std::string text_;
};

}  // namespace

std::string Print(const Program& program) { return Printer(false).Run(program); }

std::string PrintVerbose(const Program& program) { return Printer(true).Run(program); }

}  // namespace millwright::mil
