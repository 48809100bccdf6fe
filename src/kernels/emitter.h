// Writes a kernel's program for one binding. Generators ask for operands by name; the emitter knows
// where each one lies.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/kernel.h"
#include "mil/builder.h"

namespace millwright::kernels {

class Emitter {
 public:
  using Value = mil::ValueId;

  Emitter(const KernelSpec& spec, Operands operands);

  mil::Builder& b() { return builder_; }
  DType dtype() const { return spec_.target.dtype; }
  int64_t batch() const { return spec_.batch; }
  const Target& target() const { return spec_.target; }

  // An activation operand as [1, rows, 1, columns].
  Value Activation(std::string_view name);

  // W * x or, with `transpose`, W^T * x, for a weight operand W [out, in] and x [1, channels, 1,
  // seq]: a 1x1 conv where the weight is constant (fact A17), a matmul where it is data. A weight
  // with a LoRA adapter counts as W + scale * B A, as two narrow products.
  Value Project(std::string_view id, std::string_view weight, Value x, bool transpose);

  // A norm weight operand [1, n] as [1, 1, n, 1], a factor of rows of `columns` elements; as [1, 1,
  // n, columns] where the target wants factors of full width.
  Value Vector(std::string_view name, int64_t columns);

  // The 1x1 convolution of x with a constant weight [out, in, 1, 1].
  Value Conv(std::string_view id, Value x, Value weight);

  // A table stored in the program's constants.
  Value Table(std::string_view file, const Shape& shape, const std::vector<double>& values);

  // A float scalar of the program's dtype.
  Value Float(double value) { return builder_.Float(dtype(), value); }

  // Declares the value of an output operand, [1, rows, 1, columns].
  void Output(std::string_view name, Value value);

  Result<KernelProgram> Finish(std::string_view name) &&;

 private:
  bool PacksSideBySide() const;
  void DeclarePackedInput();
  void DeclareSeparateInputs(bool with_weights);
  void AddInput(Port port);
  Value Product(std::string_view id, std::string_view weight, Value x, bool transpose);
  Value Matrix(const Segment& segment, std::string_view id);
  Value ConvWeight(const Operand& weight, bool transpose);
  const Segment* FindSegment(std::string_view operand) const;

  const KernelSpec& spec_;
  Operands operands_;
  mil::Builder builder_;
  std::vector<Port> inputs_;
  std::vector<Value> input_values_;
  std::vector<WeightBlob> blobs_;
  std::map<std::string, Value, std::less<>> outputs_;
};

}  // namespace millwright::kernels
