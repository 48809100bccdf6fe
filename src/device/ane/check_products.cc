// Rows about matmul and conv.
#include <algorithm>

#include "device/ane/checks.h"

namespace millwright::device::ane {
namespace {

constexpr size_t kMatmulRank = 4;
constexpr int64_t kInnerMultiple = 32;
constexpr int64_t kOldKernelWidth = 13, kKernelWidth = 15;

struct Pair {
  mil::ValueId x = -1, y = -1;
  bool complete() const { return x >= 0 && y >= 0; }
};

Pair MatmulOperands(const Facts& facts, const mil::Operation& operation) {
  return {facts.Argument(operation, "x"), facts.Argument(operation, "y")};
}

bool Flag(const Facts& facts, const mil::Operation& operation, std::string_view key) {
  const mil::Constant* constant = facts.Immediate(operation, key);
  return constant != nullptr && constant->type().dtype == DType::kBool && constant->as_bool();
}

// The batch axes of one operand, counted from the last one, against those of the other.
bool BatchesFit(const Shape& a, const Shape& b) {
  for (size_t i = 3; i <= std::min(a.size(), b.size()); ++i) {
    const int64_t left = a[a.size() - i], right = b[b.size() - i];
    if (left != right && left != 1 && right != 1) return false;
  }
  return true;
}

int64_t Groups(const Facts& facts, const mil::Operation& conv) {
  return facts.Int(conv, "groups").value_or(1);
}

}  // namespace

void TransposeFlags(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "matmul", [&](const mil::Operation& operation) {
    for (std::string_view key : {"transpose_x", "transpose_y"}) {
      const mil::Constant* flag = facts.Immediate(operation, key);
      if (flag == nullptr || flag->type().dtype == DType::kBool) continue;
      findings.At(operation, "'{}' is {}", key, DTypeName(flag->type().dtype));
    }
  });
}

void MatmulOfBlob(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "matmul", [&](const mil::Operation& operation) {
    for (std::string_view key : {"x", "y"}) {
      const mil::ValueId value = facts.Argument(operation, key);
      if (value >= 0 && facts.IsBlob(value)) {
        findings.At(operation, "'{}' is {}", key, facts.function().value(value).id);
      }
    }
  });
}

void MatmulShapes(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "matmul", [&](const mil::Operation& operation) {
    const auto [x, y] = MatmulOperands(facts, operation);
    if (x < 0 || y < 0) return;
    const size_t rank = std::max(facts.shape(x).size(), facts.shape(y).size());
    if (rank > kMatmulRank) findings.At(operation, "an operand has rank {}", rank);
    if (BatchesFit(facts.shape(x), facts.shape(y))) return;
    findings.At(operation, "it multiplies {} by {}", ShapeToString(facts.shape(x)),
                ShapeToString(facts.shape(y)));
  });
}

void InnerAxis(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "matmul", [&](const mil::Operation& operation) {
    const Pair operands = MatmulOperands(facts, operation);
    if (!operands.complete()) return;
    if (facts.IsConstant(operands.x) || facts.IsConstant(operands.y)) return;
    const Shape& shape = facts.shape(operands.x);
    const size_t rank = shape.size();
    if (rank == 0) return;
    const bool transposed = rank > 1 && Flag(facts, operation, "transpose_x");
    const int64_t inner = shape[transposed ? rank - 2 : rank - 1];
    if (inner % kInnerMultiple != 0) findings.At(operation, "the inner axis has {}", inner);
  });
}

void TransposedOperands(const Facts& facts, Findings& findings) {
  const auto transposed = [&](mil::ValueId value) {
    const mil::Operation* definition = value < 0 ? nullptr : facts.Definition(value);
    return definition != nullptr && definition->op == "transpose";
  };
  ForEachOp(facts, "matmul", [&](const mil::Operation& operation) {
    const Pair operands = MatmulOperands(facts, operation);
    if (transposed(operands.x) && transposed(operands.y)) {
      findings.At(operation, "both operands are transposes");
    }
  });
}

void ConvBias(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "conv", [&](const mil::Operation& operation) {
    if (operation.FindArgument("bias") != nullptr) findings.At(operation, "it has a bias");
  });
}

void GroupedConv(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "conv", [&](const mil::Operation& operation) {
    const mil::ValueId weight = facts.Argument(operation, "weight");
    const int64_t groups = Groups(facts, operation);
    if (weight < 0 || facts.IsConstant(weight) || groups == 1) return;
    findings.At(operation, "it has {} groups", groups);
  });
}

void DepthwiseConv(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "conv", [&](const mil::Operation& operation) {
    const mil::ValueId x = facts.Argument(operation, "x");
    const int64_t groups = Groups(facts, operation);
    if (x < 0 || groups == 1 || facts.shape(x).size() < 3 || facts.shape(x)[1] != groups) return;
    findings.At(operation, "every one of its {} channels is a group", groups);
  });
}

void KernelWidth(const Facts& facts, Findings& findings) {
  const int64_t widest = facts.target().generation() <= 3 ? kOldKernelWidth : kKernelWidth;
  ForEachOp(facts, "conv", [&](const mil::Operation& operation) {
    const mil::ValueId weight = facts.Argument(operation, "weight");
    if (weight < 0 || facts.shape(weight).size() < 3) return;
    const int64_t width = facts.shape(weight).back();
    if (width > widest) {
      findings.At(operation, "its kernel is {} wide, more than {}", width, widest);
    }
  });
}

void Dilation(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "conv", [&](const mil::Operation& operation) {
    for (int64_t dilation : facts.Ints(operation, "dilations")) {
      if (dilation == 1) continue;
      findings.At(operation, "its dilation is {}", dilation);
      return;
    }
  });
}

void RuntimeConv(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "conv", [&](const mil::Operation& operation) {
    const mil::ValueId weight = facts.Argument(operation, "weight");
    if (weight < 0 || facts.IsConstant(weight)) return;
    findings.At(operation, "{} is computed at run time", facts.function().value(weight).id);
  });
}

// Fact B16: ceil(out / 16) * in * k * 2 bytes near a multiple of 1 MiB.
void DmaNotch(const Facts& facts, Findings& findings) {
  constexpr int64_t kPeriod = int64_t{1} << 20, kReach = int64_t{1} << 14;
  ForEachOp(facts, "conv", [&](const mil::Operation& operation) {
    const mil::ValueId weight = facts.Argument(operation, "weight");
    if (weight < 0 || !facts.IsConstant(weight) || facts.shape(weight).size() < 3) return;
    const Shape& shape = facts.shape(weight);
    const int64_t taps = NumElements(shape) / (shape[0] * shape[1]);
    const int64_t bytes = (shape[0] + 15) / 16 * shape[1] * taps * 2;
    const int64_t past = bytes % kPeriod;
    const bool near = past <= kReach ? bytes >= kPeriod : past >= kPeriod - kReach;
    if (near)
      findings.At(operation, "its weights {} take {} bytes an engine", ShapeToString(shape), bytes);
  });
}

}  // namespace millwright::device::ane
