// Sums of products without an addition: all are written to one place, the first as it is and the
// others on top of it, which saves a pass over two activations.
//
// In precision fp16 such a sum is rounded once, where it is complete, as a chain of elementwise
// operations is: its parts never are values in memory.
#include <algorithm>

#include "device/cpu/lowering.h"

namespace millwright::device::cpu {
namespace {

// From an addition down to the products that it adds, through further additions and renamings.
class Descent {
 public:
  struct Place {
    mil::ValueId value = -1;
    View view;
  };

  explicit Descent(const Lowering& lowering) : lowering_(lowering) {}

  // Whether addition `index`, whose result is to lie at `to`, is a sum of products alone.
  bool Add(int index, const View& to) {
    const mil::Operation& op = lowering_.op(index);
    const mil::ValueId x = lowering_.ArgumentValue(op, "x"), y = lowering_.ArgumentValue(op, "y");
    additions.push_back({op.outputs[0], to});
    return x != y && Term(x, index, to) && Term(y, index, to);
  }

  std::vector<Place> additions, products;

 private:
  // Whether `value`, an operand of operation `user`, can be written to `to` product by product.
  bool Term(mil::ValueId value, int user, const View& to) {
    if (value < 0) return false;
    const ValueState& state = lowering_.values[static_cast<size_t>(value)];
    const int index = state.definition;
    if (index < 0 || state.constant || state.users != std::vector{user}) return false;
    const bool claimed = lowering_.group[static_cast<size_t>(index)] != index;
    if (claimed || lowering_.IsAttention(index)) return false;
    if (lowering_.type(value).shape != to.shape()) return false;
    if (lowering_.type(value).dtype != lowering_.type(additions[0].value).dtype) return false;
    const mil::Operation& op = lowering_.op(index);
    if (op.op == "add") return Add(index, to);
    if (IsRenaming(lowering_, op)) {
      const auto view = PullBack(lowering_, index, to);
      return view && Term(lowering_.ArgumentValue(op, "x"), index, *view);
    }
    products.push_back({value, to});
    return IsProductInto(lowering_, index, to);
  }

  const Lowering& lowering_;
};

// The layout of a value that is to be written; its buffer is -1 where it may lie anywhere.
View LayoutOf(const Lowering& lowering, mil::ValueId value) {
  const ValueState& state = lowering.values[static_cast<size_t>(value)];
  if (state.placement) return *state.placement;
  return state.hint ? *state.hint : DenseView(-1, lowering.type(value).shape);
}

}  // namespace

bool PlaceProductSum(Lowering& lowering, int index) {
  const mil::Operation& op = lowering.op(index);
  const bool claimed = lowering.group[static_cast<size_t>(index)] != index;
  if (lowering.ane() || claimed || !IsElementwise(lowering, op)) return false;
  ProductSum sum{{}, op.outputs[0]};
  const ValueState& state = lowering.state(sum.value);
  const View to = LayoutOf(lowering, sum.value);
  Descent descent(lowering);
  if (!descent.Add(index, to)) return false;
  const int buffer = to.buffer < 0 ? lowering.plan.AddArena(to.elements()) : to.buffer;
  const CompileRule by = state.placement ? state.placed_by : CompileRule::kPlaceSum;
  for (auto& [value, view] : descent.products) {
    sum.products.push_back(lowering.state(value).definition);
    view.buffer = buffer;
    lowering.state(value).placement = view;
    lowering.state(value).placed_by = by;
  }
  std::sort(sum.products.begin(), sum.products.end());
  for (auto& [value, view] : descent.additions) {
    const int addition = lowering.state(value).definition;
    lowering.group[static_cast<size_t>(addition)] = sum.products.back();
    lowering.Fired(CompileRule::kFuseSum, addition);
    view.buffer = buffer;
    lowering.Define(value, view);
  }
  lowering.sums.push_back(std::move(sum));
  return true;
}

}  // namespace millwright::device::cpu
