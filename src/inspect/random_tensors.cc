#include "inspect/random_tensors.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "base/rng.h"

namespace millwright::inspect {
namespace {

constexpr uint64_t kInt8Values = 255;  // -127 to 127

mil::Constant RandomConstant(const mil::Constant& blob, uint64_t seed) {
  const mil::Type& type = blob.type();
  const std::string name = fmt::format("{}@{}", blob.blob()->path, blob.blob()->offset);
  if (type.dtype == DType::kInt8) {
    const Rng rng(seed, StreamId(name.c_str()));
    std::vector<double> values(static_cast<size_t>(type.elements()));
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<double>(rng.Below(i, kInt8Values)) - 127;
    }
    return mil::Constant::Tensor(type, values);
  }
  const double rows = type.shape.empty() ? 1 : static_cast<double>(type.shape.front());
  const double behind = static_cast<double>(type.elements()) / rows;
  return mil::Constant::Tensor(type, RandomElements(type, 1 / std::sqrt(behind), seed, name));
}

}  // namespace

std::vector<double> RandomElements(const mil::Type& type, double scale, uint64_t seed,
                                   std::string_view name) {
  const Rng rng(seed, StreamId(std::string(name).c_str()));
  std::vector<double> values(static_cast<size_t>(type.elements()));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = IsFloat(type.dtype)
                    ? static_cast<double>(ToFloat(DoubleToFp16(scale * rng.Normal(i))))
                    : static_cast<double>(rng.Below(i, 2));
  }
  return values;
}

mil::Program WithRandomWeights(mil::Program program, uint64_t seed) {
  for (mil::Function& function : program.functions) {
    for (mil::Operation& operation : function.operations) {
      for (mil::Attribute& attribute : operation.attributes) {
        if (attribute.value.blob()) attribute.value = RandomConstant(attribute.value, seed);
      }
      for (mil::Argument& argument : operation.arguments) {
        auto* literal = std::get_if<mil::Constant>(&argument.value);
        if (literal != nullptr && literal->blob()) *literal = RandomConstant(*literal, seed);
      }
    }
  }
  return program;
}

}  // namespace millwright::inspect
