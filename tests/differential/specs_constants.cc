// Constants, compressed weights, quantization; and calls taken from an operation's own tests.
#include <algorithm>
#include <map>

#include "mil/text.h"
#include "tests/differential/grower.h"
#include "tests/differential/op_specs.h"
#include "tests/mil/vector_file.h"

namespace millwright::differential {
namespace {

using Draw = std::optional<mil::Operation>;
using mil::ValueId;

Draw Cast(Grower& g, std::string_view op) {
  const std::vector<std::string> floats = {"fp16", "fp32"};
  if (g.Coin(0.6)) return Op(op).Value("x", g.Float()).Text("dtype", g.Pick(floats));
  const std::vector<std::string> integers = {"int32", "int8", "bool"};
  if (g.Coin()) {
    return Op(op).Value("x", g.Float({.exact = true})).Text("dtype", g.Pick(integers));
  }
  return Op(op).Value("x", g.Coin() ? g.Integer() : g.Boolean()).Text("dtype", g.Pick(floats));
}

// Scales are powers of two, so that quotients are exact and no device is on the other side of a
// half.
double PowerOfTwo(Grower& g) { return g.Pick(std::vector<double>{0.015625, 0.03125, 0.125}); }

Draw Quantize(Grower& g, std::string_view op) {
  const ValueId x = g.Float({.least_rank = 1, .exact = true});
  Op call(op);
  call.Value("input", x).Real("scale", g.type(x).dtype, PowerOfTwo(g)).Text("output_dtype", "int8");
  if (g.Coin()) call.Literal("zero_point", mil::Constant::Scalar(DType::kInt8, 3));
  return call;
}

Draw Dequantize(Grower& g, std::string_view op) {
  const ValueId x = g.NewInput({DType::kInt8, g.RandomShape(1, 4)}, -128, 127);
  Op call(op);
  call.Value("input", x).Real("scale", g.FloatType(), PowerOfTwo(g));
  if (g.Coin()) call.Literal("zero_point", mil::Constant::Scalar(DType::kInt8, -5));
  return call;
}

// Copies a call of another function, its operands first.
class Copier {
 public:
  Copier(Grower& grower, const mil::Function& function, const VectorFile& file)
      : grower_(grower), function_(function), file_(file), definitions_(Definitions(function)) {}

  Draw Copy(const mil::Operation& from) {
    mil::Operation made = from;
    made.outputs.clear();
    made.attributes.clear();
    for (const mil::Attribute& attribute : from.attributes) {
      if (attribute.key != "name") made.attributes.push_back(attribute);
    }
    for (mil::Argument& argument : made.arguments) {
      if (auto* value = std::get_if<ValueId>(&argument.value)) {
        *value = CopyValue(*value);
        if (*value < 0) return std::nullopt;
      } else if (auto* values = std::get_if<std::vector<ValueId>>(&argument.value)) {
        for (ValueId& element : *values) {
          element = CopyValue(element);
          if (element < 0) return std::nullopt;
        }
      }
    }
    return made;
  }

 private:
  ValueId CopyValue(ValueId value) {
    if (const auto it = copied_.find(value); it != copied_.end()) return it->second;
    const int definition = definitions_[static_cast<size_t>(value)];
    if (definition < 0) {
      const mil::Value& input = function_.value(value);
      return copied_[value] = grower_.NewInput(input.type, file_.inputs.at(input.id));
    }
    const mil::Operation& operation = function_.operations[static_cast<size_t>(definition)];
    if (operation.op == "const") return copied_[value] = grower_.CopyConstant(operation);
    const Draw made = Copy(operation);
    const std::vector<ValueId> results = made ? grower_.Append(*made) : std::vector<ValueId>();
    if (results.size() != operation.outputs.size()) return -1;
    for (size_t i = 0; i < results.size(); ++i) copied_[operation.outputs[i]] = results[i];
    return copied_.at(value);
  }

  Grower& grower_;
  const mil::Function& function_;
  const VectorFile& file_;
  std::vector<int> definitions_;
  std::map<ValueId, ValueId> copied_;
};

Draw NoCall(Grower& g, std::string_view) {
  g.NewConstant({g.FloatType(), g.RandomShape(0, 3)});
  return std::nullopt;
}

constexpr OpBound kExact{Rule::kExact, 4};

constexpr OpSpec kSpecs[] = {
    {"const", {Rule::kMove, 0}, NoCall},
    {"constexpr_affine_dequantize", kExact, DrawFromTest},
    {"constexpr_blockwise_shift_scale", kExact, DrawFromTest},
    {"constexpr_cast", kExact, DrawFromTest},
    {"constexpr_lut_to_dense", kExact, DrawFromTest},
    {"constexpr_lut_to_sparse", kExact, DrawFromTest},
    {"constexpr_sparse_blockwise_shift_scale", kExact, DrawFromTest},
    {"constexpr_sparse_to_dense", kExact, DrawFromTest},
    {"quantize", kExact, Quantize},
    {"dequantize", {Rule::kCorners, 4}, Dequantize},
    {"cast", {Rule::kCorners, 0}, Cast},
};

}  // namespace

std::optional<mil::Operation> DrawFromTest(Grower& g, std::string_view op) {
  static std::map<std::string, std::pair<VectorFile, mil::Program>, std::less<>> programs;
  auto it = programs.find(op);
  if (it == programs.end()) {
    auto file = ReadVectorFile(fmt::format("tests/mil/{}.mil", op));
    if (!file) return std::nullopt;
    auto program = mil::Parse(file->text, op);
    if (!program) return std::nullopt;
    it = programs.emplace(op, std::pair(*std::move(file), *std::move(program))).first;
  }
  const auto& [file, program] = it->second;
  std::vector<const mil::Operation*> calls;
  for (const mil::Operation& operation : program.main().operations) {
    if (operation.op == op) calls.push_back(&operation);
  }
  if (calls.empty()) return std::nullopt;
  return Copier(g, program.main(), file).Copy(*g.Pick(calls));
}

std::span<const OpSpec> ConstantSpecs() { return kSpecs; }

const OpSpec* FindSpec(std::string_view op) {
  for (const auto& list : {ElementwiseSpecs(), ActivationSpecs(), ShapeSpecs(), IndexSpecs(),
                           ProductSpecs(), AxisSpecs(), ConstantSpecs()}) {
    const auto it = std::ranges::find(list, op, &OpSpec::op);
    if (it != list.end()) return &*it;
  }
  return nullptr;
}

}  // namespace millwright::differential
