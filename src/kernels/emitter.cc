#include "kernels/emitter.h"

#include <algorithm>

#include "base/round_up.h"
#include "kernels/adapters.h"

namespace millwright::kernels {
namespace {

// The shape of an operand's own port: activations are channel-first, matrices [1, 1, out, in], norm
// weights [1, 1, 1, n], so that no port is narrower than the ANE wants (fact B6).
Shape PortShape(const Operand& operand) {
  if (!operand.weight) return {1, operand.rows, 1, operand.columns};
  return {1, 1, operand.rows, operand.columns};
}

// An operand as it lies in a packed surface.
Segment PackedSegment(const Operand& operand) {
  Segment segment = {.operand = operand.name, .rows = operand.rows, .columns = operand.columns};
  if (operand.weight && operand.packed_transposed) {
    segment.transposed = true;
    std::swap(segment.rows, segment.columns);
  }
  return segment;
}

Segment WholeSegment(const Operand& operand) {
  return {.operand = operand.name, .rows = operand.rows, .columns = operand.columns};
}

}  // namespace

Emitter::Emitter(const KernelSpec& spec, Operands operands)
    : spec_(spec), operands_(std::move(operands)) {
  if (spec_.binding == Binding::kPacked) {
    DeclarePackedInput();
  } else {
    DeclareSeparateInputs(spec_.binding == Binding::kSeparate);
  }
}

void Emitter::AddInput(Port port) {
  input_values_.push_back(builder_.Input(port.name, port.type));
  inputs_.push_back(std::move(port));
}

void Emitter::DeclareSeparateInputs(bool with_weights) {
  for (const Operand& operand : operands_.inputs) {
    if (operand.weight && !with_weights) continue;
    AddInput({.name = operand.name,
              .type = {dtype(), PortShape(operand)},
              .rows = operand.rows,
              .columns = operand.columns,
              .segments = {WholeSegment(operand)}});
  }
}

// Whether operands stand side by side on the spatial axis, one row per channel: where there are
// weights, and the target takes slices of such a surface, and its width.
bool Emitter::PacksSideBySide() const {
  const Target& target = spec_.target;
  int64_t width = 0;
  bool has_weights = false;
  for (const Operand& operand : operands_.inputs) {
    width += PackedSegment(operand).columns;
    has_weights |= operand.weight;
  }
  const bool fits =
      target.max_width == 0 || RoundUp(width, target.width_multiple) <= target.max_width;
  return has_weights && target.width_slices && fits;
}

// Side by side, or else stacked on channels.
void Emitter::DeclarePackedInput() {
  Port port{.name = "packed", .type = {}, .rows = 0, .columns = 0, .segments = {}};
  const bool side_by_side = PacksSideBySide();
  for (const Operand& operand : operands_.inputs) {
    Segment segment = PackedSegment(operand);
    if (side_by_side) {
      segment.column = port.columns;
      port.columns += segment.columns;
      port.rows = std::max(port.rows, segment.rows);
    } else {
      segment.row = port.rows;
      port.rows += segment.rows;
      port.columns = std::max(port.columns, segment.columns);
    }
    port.segments.push_back(std::move(segment));
  }
  port.columns = RoundUp(port.columns, spec_.target.width_multiple);
  port.type = {dtype(), {1, port.rows, 1, port.columns}};
  AddInput(std::move(port));
}

const Segment* Emitter::FindSegment(std::string_view operand) const {
  for (const Port& port : inputs_) {
    for (const Segment& segment : port.segments) {
      if (segment.operand == operand) return &segment;
    }
  }
  return nullptr;
}

Emitter::Value Emitter::Activation(std::string_view name) {
  if (spec_.binding != Binding::kPacked) {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i].name == name) return input_values_[i];
    }
  }
  return Matrix(*FindSegment(name), name);
}

// A segment of the packed surface as [1, rows, 1, columns].
Emitter::Value Emitter::Matrix(const Segment& s, std::string_view id) {
  return builder_.Slice(id, input_values_[0], {0, s.row, 0, s.column}, {1, s.rows, 1, s.columns});
}

Emitter::Value Emitter::Vector(std::string_view name, int64_t columns) {
  const Operand& operand = *operands_.Find(name);
  const Shape shape = {1, 1, operand.columns, 1};
  Value vector = -1;
  if (spec_.binding == Binding::kConstant) {
    const std::string file = operand.name + ".bin";
    blobs_.push_back({file, operand.name, false});
    vector = builder_.WeightsRef(file, {dtype(), shape});
  } else {
    vector = builder_.Reshape(name, Activation(name), shape);
  }
  if (spec_.target.narrow_factors) return vector;
  // A sum may be broadcast along the last axis where a product may not (fact E8).
  const Shape full = {1, 1, operand.columns, columns};
  const std::vector<double> zeros(static_cast<size_t>(NumElements(full)), 0.0);
  return builder_.Add(std::string(name) + "_wide",
                      Table(std::string(name) + "_zeros.bin", full, zeros), vector);
}

Emitter::Value Emitter::ConvWeight(const Operand& weight, bool transpose) {
  const std::string file = weight.name + (transpose ? "_t.bin" : ".bin");
  blobs_.push_back({file, weight.name, transpose});
  const Shape shape = transpose ? Shape{weight.columns, weight.rows, 1, 1}
                                : Shape{weight.rows, weight.columns, 1, 1};
  return builder_.WeightsRef(file, {dtype(), shape});
}

// W x + B (scale * (A x)), or W^T x + A^T (scale * (B^T x)).
Emitter::Value Emitter::Project(std::string_view id, std::string_view weight, Value x,
                                bool transpose) {
  using model::LoraPart;
  const Value whole = Product(id, weight, x, transpose);
  if (operands_.Find(AdapterName(weight, LoraPart::kA)) == nullptr) return whole;
  const std::string base(id);
  const std::string first = AdapterName(weight, transpose ? LoraPart::kB : LoraPart::kA);
  const std::string second = AdapterName(weight, transpose ? LoraPart::kA : LoraPart::kB);
  const Value narrow = Product(base + "_lora_in", first, x, transpose);
  const Value scaled = builder_.Mul(base + "_lora_scaled", narrow, Float(spec_.lora.scale()));
  const Value adapter = Product(base + "_lora_out", second, scaled, transpose);
  return builder_.Add(base + "_adapted", whole, adapter);
}

Emitter::Value Emitter::Conv(std::string_view id, Value x, Value weight) {
  return builder_.Op("conv", id,
                     {{"x", x},
                      {"weight", weight},
                      {"strides", builder_.Ints({1, 1})},
                      {"pad_type", builder_.Text("valid")},
                      {"pad", builder_.Ints({0, 0, 0, 0})},
                      {"dilations", builder_.Ints({1, 1})},
                      {"groups", builder_.Int(1)}});
}

Emitter::Value Emitter::Product(std::string_view id, std::string_view weight, Value x,
                                bool transpose) {
  const Operand& w = *operands_.Find(weight);
  const int64_t channels = transpose ? w.rows : w.columns;
  const int64_t out = transpose ? w.columns : w.rows;
  const int64_t seq = builder_.type(x).shape.back();
  const std::string base(id);

  if (spec_.binding == Binding::kConstant) {
    return Conv(id, x, ConvWeight(w, transpose));
  }
  const Value x2 = builder_.Reshape(base + "_x", x, {1, 1, channels, seq});
  if (spec_.binding == Binding::kSeparate) {
    const Value y = builder_.Matmul(base + "_mm", Activation(weight), x2, transpose, false);
    return builder_.Reshape(id, y, {1, out, 1, seq});
  }
  // The form that is known to compile on the ANE: [seq, channels] times [channels, out].
  const Segment& segment = *FindSegment(weight);
  Value w2 =
      builder_.Reshape(base + "_w", Matrix(segment, weight), {1, 1, segment.rows, segment.columns});
  if (segment.transposed == transpose) {
    w2 = builder_.Transpose(base + "_wt", w2, {0, 1, 3, 2});
  }
  const Value xt = builder_.Transpose(base + "_xt", x2, {0, 1, 3, 2});
  const Value y = builder_.Matmul(base + "_mm", xt, w2, false, false);
  const Value yt = builder_.Transpose(base + "_yt", y, {0, 1, 3, 2});
  return builder_.Reshape(id, yt, {1, out, 1, seq});
}

Emitter::Value Emitter::Table(std::string_view file, const Shape& shape,
                              const std::vector<double>& values) {
  return builder_.Weights(file, {dtype(), shape}, values);
}

void Emitter::Output(std::string_view name, Value value) {
  outputs_.emplace(std::string(name), value);
}

Result<KernelProgram> Emitter::Finish(std::string_view name) && {
  KernelProgram result;
  std::vector<Value> values;
  for (const Operand& operand : operands_.outputs) {
    values.push_back(outputs_.at(operand.name));
    result.outputs.push_back({.name = operand.name,
                              .type = {dtype(), PortShape(operand)},
                              .rows = operand.rows,
                              .columns = operand.columns,
                              .segments = {WholeSegment(operand)}});
  }
  if (spec_.binding == Binding::kPacked) {
    Port packed{.name = "result", .type = {}, .rows = 0, .columns = 0, .segments = {}};
    for (const Port& port : result.outputs) {
      Segment segment = port.segments.front();
      segment.row = packed.rows;
      packed.rows += port.rows;
      packed.columns = port.columns;
      packed.segments.push_back(segment);
    }
    packed.type = {dtype(), {1, packed.rows, 1, packed.columns}};
    values = {builder_.Concat(packed.name, values, 1)};
    result.outputs = {packed};
  }
  for (size_t i = 0; i < values.size(); ++i) builder_.Rename(values[i], result.outputs[i].name);

  auto built = std::move(builder_).Finish(values);
  if (!built) return built.error().In(fmt::format("kernel {}", name));
  result.name = std::string(name);
  result.program = std::move(built->program);
  result.constants = std::move(built->weights);
  result.inputs = std::move(inputs_);
  result.blobs = std::move(blobs_);
  return result;
}

}  // namespace millwright::kernels
