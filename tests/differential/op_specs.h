// For every operation of the language: how to draw a call of it, and how it passes errors on.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "mil/program.h"
#include "tests/differential/analysis.h"

namespace millwright::differential {

class Grower;

struct OpSpec {
  std::string_view op;
  OpBound bound;
  // A call with operands of `grower`'s program; its results are inferred. A draw need not be valid:
  // another one is made. Nothing where the program holds nothing to draw from.
  std::optional<mil::Operation> (*draw)(Grower& grower, std::string_view op);
};

// One list for each group of ops.def.
std::span<const OpSpec> ElementwiseSpecs();
std::span<const OpSpec> ActivationSpecs();
std::span<const OpSpec> ShapeSpecs();
std::span<const OpSpec> IndexSpecs();
std::span<const OpSpec> ProductSpecs();
std::span<const OpSpec> AxisSpecs();
std::span<const OpSpec> ConstantSpecs();

// Null for an operation that no list has.
const OpSpec* FindSpec(std::string_view op);

// Draws a call from the operation's own test program, tests/mil/<op>.mil, with the inputs that it
// has there as new inputs: for operations whose operands are hard to make up.
std::optional<mil::Operation> DrawFromTest(Grower& grower, std::string_view op);

}  // namespace millwright::differential
