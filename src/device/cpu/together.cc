#include "device/cpu/together.h"

#include <algorithm>

namespace millwright::device::cpu {
namespace {

// The floats of a buffer between the first and the last element of a matrix.
struct Extent {
  int buffer = -1;
  int64_t begin = 0, end = 0;

  bool Overlaps(const Extent& other) const {
    return buffer == other.buffer && begin < other.end && other.begin < end;
  }
  bool operator==(const Extent&) const = default;
};

Extent ExtentOf(const GemmOperand& operand, int64_t rows, int64_t columns, int64_t stride) {
  return {operand.buffer, operand.offset, operand.offset + (rows - 1) * stride + columns};
}

Extent ExtentOfA(const Product& p) {
  const math::GemmShape& s = p.shape;
  return s.transpose_a ? ExtentOf(p.a, s.k, s.m, s.lda) : ExtentOf(p.a, s.m, s.k, s.lda);
}

Extent ExtentOfB(const Product& p) {
  const math::GemmShape& s = p.shape;
  return s.transpose_b ? ExtentOf(p.b, s.n, s.k, s.ldb) : ExtentOf(p.b, s.k, s.n, s.ldb);
}

Extent ExtentOfC(const Product& p) { return ExtentOf(p.c, p.shape.m, p.shape.n, p.shape.ldc); }

bool Reads(const Product& p, const Extent& extent) {
  return ExtentOfA(p).Overlaps(extent) || ExtentOfB(p).Overlaps(extent);
}

// Whether `p` may be carried out at once with the products of steps [first, last), as
// GemmEngine::RunAll wants it: it may add to what the one before it writes.
bool MayJoin(const Plan& plan, size_t first, size_t last, const Product& p) {
  const Extent c = ExtentOfC(p);
  const bool adds = p.shape.accumulate && ExtentOfC(*plan.steps[last - 1]->AsProduct()) == c;
  for (size_t i = first; i < last; ++i) {
    const Product& other = *plan.steps[i]->AsProduct();
    const Extent of_other = ExtentOfC(other);
    if (Reads(p, of_other) || Reads(other, c)) return false;
    if (of_other.Overlaps(c) && !(adds && of_other == c)) return false;
  }
  return true;
}

Status RunProducts(const Plan& plan, size_t first, size_t count, const RunContext& context) {
  const auto at = [&](const GemmOperand& operand) {
    return context.buffers[static_cast<size_t>(operand.buffer)] + operand.offset;
  };
  std::vector<math::GemmCall> calls;
  for (size_t i = first; i < first + count; ++i) {
    const Product& p = *plan.steps[i]->AsProduct();
    calls.push_back({p.shape, at(p.a), at(p.b), at(p.c)});
  }
  context.gemm.RunAll(calls);
  return {};
}

}  // namespace

void FindStepsTogether(Plan& plan) {
  plan.together.assign(plan.steps.size(), 0);
  for (size_t first = 0, last = 0; first < plan.steps.size(); first = last) {
    last = first + 1;
    while (plan.steps[first]->AsProduct() != nullptr && last < plan.steps.size()) {
      const Product* next = plan.steps[last]->AsProduct();
      if (next == nullptr || !MayJoin(plan, first, last, *next)) break;
      ++last;
    }
    plan.together[first] = static_cast<int>(last - first);
  }
}

Status RunSteps(const Plan& plan, const RunContext& context) {
  for (size_t i = 0, count = 0; i < plan.steps.size(); i += count) {
    count = static_cast<size_t>(plan.together[i]);
    Status status = count == 1 ? plan.steps[i]->Run(context) : RunProducts(plan, i, count, context);
    if (!status) return status;
  }
  return {};
}

}  // namespace millwright::device::cpu
