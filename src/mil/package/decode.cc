#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "mil/ops/op.h"
#include "mil/package/coreml_format.h"
#include "mil/package/decode_constant.h"
#include "mil/package/package.h"
#include "mil/verify.h"

namespace millwright::mil {
namespace {

constexpr const char* kProgramVersion = "1.3";  // of the text: the format has another counter

// The values of a map field by key; the last of a key counts.
using Map = std::map<std::string, std::string_view, std::less<>>;

Result<Map> ReadMap(const WireView& from, int field) {
  Map map;
  for (const std::string_view bytes : from.Texts(field)) {
    const auto entry = ParseMessage(bytes);
    if (!entry) return entry.error();
    map[TextOf(*entry, coreml::in_entry::kKey)] =
        entry->Text(coreml::in_entry::kValue).value_or("");
  }
  return map;
}

// The keys of a map in the order in which `def` documents them, others behind, by name.
std::vector<std::string> OrderedKeys(const Map& map, const OpDef* def) {
  std::vector<std::pair<size_t, std::string>> keys;
  for (const auto& [key, value] : map) {
    size_t place = key == "name" ? 0 : std::numeric_limits<size_t>::max();
    for (size_t i = 0; def != nullptr && i < def->params.size(); ++i) {
      if (def->params[i].name == key) place = i + 1;
    }
    keys.emplace_back(place, key);
  }
  std::ranges::sort(keys);
  std::vector<std::string> names;
  for (auto& [place, key] : keys) names.push_back(std::move(key));
  return names;
}

Status CheckIdentifier(std::string_view id) {
  if (IsIdentifier(id)) return {};
  return BadInput("'{}' is not an identifier of MIL text", id);
}

class FunctionDecoder {
 public:
  explicit FunctionDecoder(Function* function) : function_(*function) {}

  Status Run(std::string_view bytes) {
    using namespace coreml;
    const auto from = ParseMessage(bytes);
    if (!from) return from.error();
    const std::string opset = TextOf(*from, in_function::kOpset);
    if (Status status = SetOpset(opset); !status) return status;
    for (const std::string_view input : from->Texts(in_function::kInputs)) {
      if (Status status = Define(input, &function_.inputs); !status) return status;
    }
    const auto blocks = ReadMap(*from, in_function::kBlocks);
    if (!blocks) return blocks.error();
    const auto block = blocks->find(opset);
    if (block == blocks->end()) return BadInput("it has no body for its opset {}", opset);
    return DecodeBlock(block->second);
  }

 private:
  // "CoreML7" is ios17.
  Status SetOpset(std::string_view opset) {
    constexpr std::string_view kPrefix = "CoreML";
    int number = 0;
    if (opset.starts_with(kPrefix)) {
      std::from_chars(opset.data() + kPrefix.size(), opset.data() + opset.size(), number);
    }
    if (number + kOpsetToCoreMl < kFirstOpset || number > 99 ||
        fmt::format("CoreML{}", number) != opset) {
      return BadInput("opset '{}'; expected CoreML5 (ios15) or later", opset);
    }
    function_.opset = fmt::format("ios{}", number + kOpsetToCoreMl);
    return {};
  }

  Status DecodeBlock(std::string_view bytes) {
    using namespace coreml;
    const auto block = ParseMessage(bytes);
    if (!block) return block.error();
    if (block->Text(in_block::kInputs)) return BadInput("its body has inputs of its own");
    for (const std::string_view operation : block->Texts(in_block::kOperations)) {
      const auto from = ParseMessage(operation);
      if (!from) return from.error();
      if (Status status = Decode(*from); !status) return status.error().In(NameOf(*from));
    }
    for (const std::string_view output : block->Texts(in_block::kOutputs)) {
      const auto value = Use(output);
      if (!value) return value.error().In("outputs");
      function_.outputs.push_back(*value);
    }
    return {};
  }

  // "matmul (scores)": an operation, for messages.
  static std::string NameOf(const WireView& operation) {
    const auto outputs = operation.Texts(coreml::in_operation::kOutputs);
    const auto first = outputs.empty() ? std::nullopt : WireView::Parse(outputs.front());
    return fmt::format("{} ({})", TextOf(operation, coreml::in_operation::kType),
                       first ? TextOf(*first, coreml::in_named_type::kName) : "?");
  }

  // A NamedValueType, which defines a value.
  Status Define(std::string_view bytes, std::vector<ValueId>* ids) {
    const auto from = ParseMessage(bytes);
    if (!from) return from.error();
    const std::string name = TextOf(*from, coreml::in_named_type::kName);
    if (Status status = CheckIdentifier(name); !status) return status;
    auto type = DecodeType(*from, coreml::in_named_type::kType);
    if (!type) return type.error().In(name);
    const auto id = static_cast<ValueId>(function_.values.size());
    if (!values_.emplace(name, id).second) return BadInput("'{}' is defined twice", name);
    function_.values.push_back({name, *std::move(type)});
    ids->push_back(id);
    return {};
  }

  Result<ValueId> Use(std::string_view name) const {
    const auto it = values_.find(name);
    if (it == values_.end()) return BadInput("'{}' is used before it is defined", name);
    return it->second;
  }

  // An Argument; a lone value is a tuple where `tuple`.
  Status DecodeArgument(std::string_view bytes, bool tuple, Argument* to) const {
    using namespace coreml::in_argument;
    const auto from = ParseMessage(bytes);
    if (!from) return from.error();
    const auto bindings = from->Texts(kBindings);
    std::vector<ValueId> values;
    for (const std::string_view each : bindings) {
      const auto binding = ParseMessage(each);
      if (!binding) return binding.error();
      if (const auto literal = binding->Text(kValue)) {
        if (bindings.size() > 1) return BadInput("a constant in a tuple has no form here");
        auto constant = DecodeConstant(*literal);
        if (!constant) return constant.error();
        to->value = *std::move(constant);
        return {};
      }
      const auto value = Use(binding->Text(kName).value_or(""));
      if (!value) return value.error();
      values.push_back(*value);
    }
    if (values.empty()) return BadInput("it has no value");
    if (tuple || values.size() > 1) {
      to->value = std::move(values);
    } else {
      to->value = values.front();
    }
    return {};
  }

  Status DecodeArguments(const WireView& from, const OpDef* def, Operation* operation) const {
    const auto inputs = ReadMap(from, coreml::in_operation::kInputs);
    if (!inputs) return inputs.error();
    for (const std::string& key : OrderedKeys(*inputs, def)) {
      if (Status status = CheckIdentifier(key); !status) return status;
      const auto is_tuple = [&](const Param& param) {
        return param.name == key && param.kind == ParamKind::kValues;
      };
      const bool tuple = def != nullptr && std::ranges::any_of(def->params, is_tuple);
      Argument& argument = operation->arguments.emplace_back(Argument{.key = key});
      if (Status status = DecodeArgument(inputs->at(key), tuple, &argument); !status) {
        return status.error().In(key);
      }
    }
    return {};
  }

  Status Decode(const WireView& from) {
    using namespace coreml::in_operation;
    Operation operation{.op = TextOf(from, kType)};
    if (Status status = CheckIdentifier(operation.op); !status) return status;
    if (from.Text(kBlocks)) return BadInput("it holds blocks, which have no form here");
    const auto outputs = from.Texts(kOutputs);
    if (outputs.empty()) return BadInput("it has no result");
    const OpDef* def = FindOp(operation.op);
    if (Status status = DecodeArguments(from, def, &operation); !status) return status;
    const auto attributes = ReadMap(from, kAttributes);
    if (!attributes) return attributes.error();
    for (const std::string& key : OrderedKeys(*attributes, def)) {
      if (Status status = CheckIdentifier(key); !status) return status;
      auto constant = DecodeConstant(attributes->at(key));
      if (!constant) return constant.error().In(key);
      operation.attributes.push_back({key, *std::move(constant)});
    }
    for (const std::string_view output : outputs) {
      if (Status status = Define(output, &operation.outputs); !status) return status;
    }
    function_.operations.push_back(std::move(operation));
    return {};
  }

  Function& function_;
  std::map<std::string, ValueId, std::less<>> values_;
};

// The functions' names: the described ones in that order, the default one first, then the others.
Result<std::vector<std::string>> FunctionOrder(const WireView& model, const Map& functions) {
  using namespace coreml;
  const auto description = Submessage(model, in_model::kDescription);
  if (!description) return description.error();
  std::vector<std::string> order = {TextOf(*description, in_model_description::kDefaultFunction),
                                    "main"};
  for (const std::string_view described : description->Texts(in_model_description::kFunctions)) {
    const auto function = ParseMessage(described);
    if (!function) return function.error();
    order.push_back(TextOf(*function, in_function_description::kName));
  }
  for (const auto& [name, function] : functions) order.push_back(name);
  std::set<std::string> seen;
  std::erase_if(order, [&](const std::string& name) {
    return !functions.contains(name) || !seen.insert(name).second;
  });
  return order;
}

}  // namespace

Result<Program> DecodePackage(std::span<const std::byte> bytes) {
  using namespace coreml;
  const auto model = ParseMessage({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!model) return model.error();
  if (!model->Text(in_model::kMlProgram)) {
    return BadInput("specification version {}: not an ML Program",
                    model->Integer(in_model::kVersion).value_or(0));
  }
  const auto ml_program = Submessage(*model, in_model::kMlProgram);
  if (!ml_program) return ml_program.error();
  const auto functions = ReadMap(*ml_program, in_program::kFunctions);
  if (!functions) return functions.error();
  if (functions->empty()) return BadInput("the program has no function");
  const auto order = FunctionOrder(*model, *functions);
  if (!order) return order.error();
  Program program{.version = kProgramVersion, .build_info = DefaultBuildInfo()};
  for (const std::string& name : *order) {
    if (Status status = CheckIdentifier(name); !status) return status.error();
    Function& function = program.functions.emplace_back();
    function.name = name;
    if (Status status = FunctionDecoder(&function).Run(functions->at(name)); !status) {
      return status.error().In(name);
    }
  }
  return program;
}

}  // namespace millwright::mil
