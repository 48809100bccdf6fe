// The state of a compilation: where every value lies, and the plan as far as it has been written.
//
// Order of work (compile.cc): MatchAttention claims operations for one step; PlaceValues decides
// from the last operation to the first where results should be written, and claims additions of
// products that are written to one place; FuseElementwise claims chains; then every operation is
// lowered in program order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/numerics.h"
#include "base/result.h"
#include "device/cpu/attention_pattern.h"
#include "device/cpu/plan.h"
#include "device/cpu/steps.h"
#include "device/cpu/trace.h"
#include "device/cpu/view.h"
#include "math/gemm.h"
#include "mil/ops/op.h"
#include "mil/program.h"
#include "mil/weights.h"

namespace millwright::device::cpu {

struct ValueState {
  int definition = -1;       // the operation; -1 for an input of the function
  std::vector<int> users;    // operations in order; the number of operations stands for an output
  bool constant = false;     // known at compile time
  std::optional<View> view;  // where it lies, once defined
  std::optional<View> placement;                      // where it has to be written
  CompileRule placed_by = CompileRule::kPlaceOutput;  // why there
  std::optional<View> hint;  // the layout that a later user would like; buffer -1
};

// A sum of products that lies where the first of them is written; the others add to it.
struct ProductSum {
  std::vector<int> products;  // the operations, in the order of the program
  mil::ValueId value = -1;    // known when the last of them has been carried out
};

struct Lowering {
  const mil::Function& function;
  const mil::WeightStore& weights;
  Numerics numerics;
  math::GemmEngine& gemm;
  DType vector_weights = DType::kFp32;  // see DeviceOptions
  Plan plan;
  std::vector<ValueState> values;
  std::vector<int> definitions;
  // For an operation that is carried out by the step of another one: that one; else its own index.
  std::vector<int> group;
  std::vector<AttentionPattern> attention;
  std::vector<AttentionBackwardPattern> attention_backward;
  std::vector<ProductSum> sums;
  Trace trace;       // its groups are filled in at the end
  int current = -1;  // the operation that is being lowered
  // Precisions int8 and bf16: arena buffers with the narrow form of values, which all products
  // share.
  std::vector<std::pair<View, int>> rounded;

  Lowering(const mil::Function& f, const mil::WeightStore& w, const Numerics& rules,
           math::GemmEngine& engine);

  ValueState& state(mil::ValueId value) { return values[static_cast<size_t>(value)]; }
  const mil::Type& type(mil::ValueId value) const { return function.value(value).type; }
  const mil::Operation& op(int index) const {
    return function.operations[static_cast<size_t>(index)];
  }
  // The operation that defines `value`, or null for an input.
  const mil::Operation* Definition(mil::ValueId value) const;
  // Whether an attention step is at the place of operation `index`.
  bool IsAttention(int index) const;
  // The sum that product `index` is a part of, or null.
  const ProductSum* SumOf(int index) const;
  bool half() const { return numerics.precision() == Precision::kFp16; }
  bool ane() const { return numerics.precision() == Precision::kAne; }
  bool half_surfaces() const { return half() || ane(); }

  // The arguments of an operation as compile-time values. Verified programs do not fail here.
  Result<mil::Call> CallOf(int index) const { return MakeCall(function, op(index), definitions); }
  // The value of a tensor argument, or -1 where the argument is absent or written as a literal.
  mil::ValueId ArgumentValue(const mil::Operation& operation, std::string_view key) const;

  // Where a value lies; constants are converted to floats when they are first asked for.
  Result<View> ViewOf(mil::ValueId value);
  Result<View> ArgumentView(const mil::Operation& operation, std::string_view key);
  // The elements of a constant view, row-major.
  std::vector<double> ConstantElements(const View& view) const;
  Result<std::optional<double>> ConstantScalar(mil::ValueId value);
  View AddConstant(const Shape& shape, std::span<const double> elements);

  // Where `value` is to be written: its placement, or a new arena buffer laid out as the hint says.
  View Destination(mil::ValueId value);
  View NewDense(const Shape& shape);
  View NewLike(const View& layout);

  // Notes that a rule was applied to an operation, by default the one that is being lowered.
  void Fired(CompileRule rule) { Fired(rule, current); }
  void Fired(CompileRule rule, int index);

  // Appends steps.
  void Emit(std::unique_ptr<Step> step) {
    plan.steps.push_back(std::move(step));
    trace.owners.push_back(current);
  }
  void EmitCopy(const View& from, const View& to);
  // `operands`: the program's inputs, then its outputs, all of one shape.
  void EmitElementwise(std::string label, VectorProgram program, std::vector<View> operands);
  // In precision fp16: rounds a value declared fp16 where it lies.
  void EmitRounding(mil::ValueId value);
  // The view itself, or a dense copy of it (made at compile time for constants).
  View DenseCopy(const View& view);
  bool IsConstantBuffer(int buffer) const;

  // Declares `value` to be `view`, copying it to its placement if it has one elsewhere.
  void Define(mil::ValueId value, View view);
};

// place.cc
void PlaceValues(Lowering& lowering);
// The view of an operation's operand that corresponds to a view of its result, for operations that
// only rename elements one to one; nothing for others.
std::optional<View> PullBack(const Lowering& lowering, int index, const View& result);
// True for an operation whose result has its operand's elements, under other axes.
bool IsRenaming(const Lowering& lowering, const mil::Operation& operation);
// True for a cast that changes nothing about the float that is held.
bool IsIdentityCast(const Lowering& lowering, const mil::Operation& operation);

// product_sum.cc: where addition `index` is the sum of two or more products that nobody else reads,
// has them all written to one place and claims it.
bool PlaceProductSum(Lowering& lowering, int index);

// fuse.cc
void FuseElementwise(Lowering& lowering);

// The families; each lowers operation `index` and defines its outputs.
Status LowerViewOperation(Lowering& lowering, int index);  // lower_views.cc
Status LowerConcat(Lowering& lowering, int index);         // lower_concat.cc
Status LowerElementwise(Lowering& lowering, int index);    // lower_elementwise.cc
Status LowerReduction(Lowering& lowering, int index);      // lower_reduction.cc
Status LowerSoftmax(Lowering& lowering, int index);        // lower_reduction.cc
Status LowerMatmul(Lowering& lowering, int index);         // lower_matmul.cc
Status LowerLinear(Lowering& lowering, int index);         // lower_matmul.cc
Status LowerConv(Lowering& lowering, int index);           // lower_matmul.cc
Status LowerGeneric(Lowering& lowering, int index);        // lower_generic.cc
Status FoldOperation(Lowering& lowering, int index);       // lower_generic.cc

// lower_attention.cc: at the place of the pattern's root.
Status LowerAttention(Lowering& lowering, const AttentionPattern& pattern);
Status LowerAttentionBackward(Lowering& lowering, const AttentionBackwardPattern& pattern);

// to = a * b, or to += a * b, for views [batch..., m, k], [batch..., k, n] and [batch..., m, n] of
// equal batch shapes. In precision ane there is no to += a * b.
void EmitGemm(Lowering& lowering, View a, View b, const View& to, bool accumulate = false);
// Whether operation `index` becomes one EmitGemm, and nothing else, that can write to `to` in
// place.
bool IsProductInto(const Lowering& lowering, int index, const View& to);

// lower_ane.cc: precision ane. Whether a product can be EmitAneGemm's; whether an operation is
// lowered as in other precisions; to = a * b.
bool IsAneProduct(const Lowering& lowering, const mil::Operation& operation);
bool IsPlainOnAne(const Lowering& lowering, const mil::Operation& operation);
void EmitAneGemm(Lowering& lowering, const View& a, const View& b, const View& to);

// lower_narrow.cc: whether c = a * b is a weight times one vector that reads a narrower copy of it.
bool IsNarrowProduct(const Lowering& lowering, const math::GemmShape& shape, const View& a);
void EmitNarrowGemv(Lowering& lowering, const math::GemmShape& shape, const View& a, const View& b,
                    const View& to);

// lower_rounded.cc: whether precisions int8 and bf16 round the operands of c = a * b: one product
// whose left operand is a matrix of an input or constant, as every projection of a kernel is,
// neither side of which is small (adapters stay fp32), by columns that lie as stored.
bool IsRoundedProduct(const Lowering& lowering, const math::GemmShape& shape, const View& a);
// `b` and `to` are the views of the matrices that `shape` describes.
void EmitRoundedGemm(Lowering& lowering, const math::GemmShape& shape, const View& a, const View& b,
                     const View& to);

// lower_elementwise.cc: the program of `root`'s group that computes `value` over `shape`.
struct GroupProgram {
  VectorProgram program;
  std::vector<View> inputs;
  std::vector<mil::ValueId> results;  // values that the program's outputs are
};
bool IsElementwise(const Lowering& lowering, const mil::Operation& operation);
Result<GroupProgram> BuildGroup(Lowering& lowering, int root,
                                const std::vector<mil::ValueId>& results, const Shape& shape);

// compile.cc; `trace`, if not null, gets what the compilation noted.
Result<Plan> CompileFunction(const mil::Function& function, const mil::WeightStore& weights,
                             const Numerics& numerics, math::GemmEngine& gemm,
                             DType vector_weights = DType::kFp32, Trace* trace = nullptr);

}  // namespace millwright::device::cpu
