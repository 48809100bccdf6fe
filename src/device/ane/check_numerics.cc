// Rows about results that are wrong without a word.
#include <algorithm>
#include <bit>

#include "base/ane_arithmetic.h"
#include "device/ane/checks.h"

namespace millwright::device::ane {
namespace {

constexpr int64_t kLongReduction = 2048;
constexpr int64_t kManyQueries = 512, kManyPositions = 2048;

// The first element of the last axis that a slice takes; nothing where it is not known.
std::optional<int64_t> FirstOfWidth(const Facts& facts, const mil::Operation& slice) {
  const std::vector<int64_t> begin = facts.Ints(slice, "begin");
  if (begin.empty()) return std::nullopt;
  const std::vector<int64_t> ignored = facts.Ints(slice, "begin_mask");
  return ignored.size() == begin.size() && ignored.back() != 0 ? 0 : begin.back();
}

// Whether `factor` is broadcast along the last axis of a product of that shape, or is a single
// element that is not a scalar.
bool IsNarrow(const Shape& factor, const Shape& result) {
  if (factor.empty() || result.empty()) return false;
  return factor.back() == 1 && result.back() > 1;
}

}  // namespace

void WidthSlices(const Facts& facts, Findings& findings) {
  for (std::string_view op : {"slice_by_size", "slice_by_index"}) {
    ForEachOp(facts, op, [&](const mil::Operation& operation) {
      if (facts.IsConstant(operation.outputs.front())) return;
      const auto first = FirstOfWidth(facts, operation);
      if (first && *first != 0) findings.At(operation, "it begins at {}", *first);
    });
  }
  ForEachOp(facts, "split", [&](const mil::Operation& operation) {
    const size_t rank = facts.shape(operation.outputs.front()).size();
    const auto axis = facts.Axis(operation, rank);
    if (axis && *axis + 1 == rank) findings.At(operation, "it splits the last axis");
  });
}

void LongReductions(const Facts& facts, Findings& findings) {
  for (std::string_view op : {"reduce_sum", "reduce_mean"}) {
    ForEachOp(facts, op, [&](const mil::Operation& operation) {
      const mil::ValueId x = facts.Argument(operation, "x");
      if (x < 0) return;
      const int64_t count =
          NumElements(facts.shape(x)) / NumElements(facts.shape(operation.outputs.front()));
      if (count > kLongReduction) findings.At(operation, "it adds {} numbers", count);
    });
  }
}

void AttentionOperation(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "scaled_dot_product_attention", [&](const mil::Operation& operation) {
    if (operation.FindArgument("attn_mask") != nullptr) findings.At(operation, "it has a mask");
    const mil::ValueId query = facts.Argument(operation, "query");
    const mil::ValueId key = facts.Argument(operation, "key");
    if (query < 0 || key < 0 || facts.shape(query).size() < 2 || facts.shape(key).size() < 2)
      return;
    const int64_t queries = facts.shape(query)[facts.shape(query).size() - 2];
    const int64_t positions = facts.shape(key)[facts.shape(key).size() - 2];
    if (positions > kManyPositions || std::min(queries, positions) >= kManyQueries) {
      findings.At(operation, "it has {} queries and {} positions", queries, positions);
    }
  });
}

void SoftmaxAxis(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "softmax", [&](const mil::Operation& operation) {
    const Shape& shape = facts.shape(operation.outputs.front());
    const auto axis = facts.Axis(operation, shape.size());
    if (!axis || std::has_single_bit(static_cast<uint64_t>(shape[*axis]))) return;
    findings.At(operation, "its axis has {}", shape[*axis]);
  });
}

void NarrowFactors(const Facts& facts, Findings& findings) {
  for (std::string_view op : {"mul", "real_div"}) {
    ForEachOp(facts, op, [&](const mil::Operation& operation) {
      const Shape& result = facts.shape(operation.outputs.front());
      for (std::string_view key : {"x", "y"}) {
        const mil::ValueId factor = facts.Argument(operation, key);
        if (factor < 0 || !IsNarrow(facts.shape(factor), result)) continue;
        findings.At(operation, "'{}' has shape {}, the result {}", key,
                    ShapeToString(facts.shape(factor)), ShapeToString(result));
      }
    });
  }
}

void SmallArguments(const Facts& facts, Findings& findings) {
  for (std::string_view op : {"log", "rsqrt"}) {
    ForEachOp(facts, op, [&](const mil::Operation& operation) {
      const mil::Constant* epsilon = facts.Immediate(operation, "epsilon");
      if (epsilon == nullptr || !IsFloat(epsilon->type().dtype)) return;
      if (epsilon->at(0) >= kAneSmallestArgument) return;
      findings.At(operation, "its epsilon is {}", epsilon->at(0));
    });
  }
}

}  // namespace millwright::device::ane
