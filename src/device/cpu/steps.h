// The steps that plans are made of. Each constructor checks nothing: lowering has done so.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/numerics.h"
#include "device/cpu/loop_nest.h"
#include "device/cpu/plan.h"
#include "device/cpu/vector_program.h"
#include "device/cpu/view.h"
#include "math/attention.h"
#include "math/gemm.h"
#include "mil/ops/op.h"

namespace millwright::device::cpu {

// The most registers of a fused group: their strips share one thread's first-level cache.
inline constexpr int kMostRegisters = 48;

/// Elements of a strip of a reduction or a softmax: kMostRegisters of them fit a first-level cache.
inline constexpr int64_t kStripWidth = 256;

/// Below this many elements another thread costs more than it saves.
inline constexpr int64_t kThreadElements = 8192;

// outputs = program(inputs), strip by strip. The nest's operands are the inputs, then the outputs.
std::unique_ptr<Step> MakeElementwiseStep(std::string label, VectorProgram program, LoopNest nest);

// to = from for views without a common loop nest: element by element.
std::unique_ptr<Step> MakeScatterStep(View from, View to);

enum class Reduction : uint8_t { kSum, kMean, kMax };

// Reduces program(inputs), which has one output, over the nest's reduced loops. The nest's last
// operand is the result, with strides of 0 along those.
std::unique_ptr<Step> MakeReduceStep(Reduction kind, VectorProgram program, LoopNest nest);

// softmax(program(inputs)) over the nest's reduced loops; `scratch` is an arena buffer of
// SoftmaxScratch(nest, slots) floats for at most `slots` threads.
std::unique_ptr<Step> MakeSoftmaxStep(VectorProgram program, LoopNest nest, int scratch, int slots);
int64_t SoftmaxScratch(const LoopNest& nest, int slots);

// c[batch] = op(a[batch]) op(b[batch]), or c[batch] += that, for every index of `batch`; `engine`
// names the implementation.
std::unique_ptr<Step> MakeGemmStep(math::GemmShape shape, std::vector<int64_t> batch, GemmOperand a,
                                   GemmOperand b, GemmOperand c, math::GemmEngine& engine);

// A matrix with a row stride in a buffer, or the transpose of one.
struct MatrixOperand {
  int buffer = -1;
  int64_t offset = 0, stride = 0;
  bool transposed = false;
};

// to[batch..., m, n] = a[batch..., m, k] b[batch..., k, n] in the ANE's arithmetic
// (math/ane_gemm.h), for fp16 numbers that lie in any way. `scratch` are arena buffers for dense
// copies of the three.
struct AneProduct {
  View a, b, to;
  int dense_a = -1, dense_b = -1, dense_to = -1;
};
std::unique_ptr<Step> MakeAneGemmStep(AneProduct product, Numerics numerics);

// Quantises the columns of a matrix [depth, columns] that lies as stored, to math/int8.h's
// activations in the arena buffer `to`.
std::unique_ptr<Step> MakeQuantizeStep(MatrixOperand from, int64_t depth, int64_t columns, int to);

// Rounds such a matrix to bf16 in the arena buffer `to`, without gaps between its rows.
std::unique_ptr<Step> MakeToBf16Step(MatrixOperand from, int64_t depth, int64_t columns, int to);

// c [rows, columns] = a [rows, depth] times the arena buffer `activations`, both in 8 bits or both
// in bf16; or, to `accumulate`, c += that. The narrow form of `a`, an input or constant,
// is the plan's copy number `copy`.
struct RoundedProduct {
  int64_t rows = 0, columns = 0, depth = 0;
  MatrixOperand a, c;
  bool accumulate = false;
  int activations = -1, copy = -1;
};
std::unique_ptr<Step> MakeInt8GemmStep(const RoundedProduct& product);
std::unique_ptr<Step> MakeBf16GemmStep(const RoundedProduct& product, math::GemmEngine& engine);

// y = a x for an input or constant `a` [rows, columns] that is read as `dtype`: its narrow form
// (math/narrow.h) is the plan's copy number `copy`. x and y are dense.
struct NarrowProduct {
  DType dtype = DType::kBf16;
  int64_t rows = 0, columns = 0;
  MatrixOperand a, x, y;
  int copy = -1;
};
std::unique_ptr<Step> MakeNarrowGemvStep(const NarrowProduct& product);

// A tensor of heads in a buffer, as math/attention.h takes it: positions have stride 1.
struct HeadsOperand {
  int buffer = -1;
  int64_t offset = 0, head_stride = 0, channel_stride = 0, batch_stride = 0;
};

// out = softmax(scale q^T k + mask) v by blocks; `mask` is a constant buffer of [seq, seq] or -1,
// `scratch` an arena buffer of math::AttentionForwardScratch floats.
struct AttentionOperands {
  HeadsOperand q, k, v, out;
  int mask = -1, scratch = -1;
};
std::unique_ptr<Step> MakeAttentionStep(math::AttentionShape shape, AttentionOperands operands);

// Its backward step; `scratch` of math::AttentionBackwardScratch floats.
struct AttentionBackwardOperands {
  HeadsOperand q, k, v, dout, dq, dk, dv;
  int mask = -1, scratch = -1;
};
std::unique_ptr<Step> MakeAttentionBackwardStep(math::AttentionShape shape,
                                                AttentionBackwardOperands operands);

// Between a surface whose elements are not fp32 and a dense buffer.
std::unique_ptr<Step> MakeLoadSurfaceStep(size_t port, DType storage, int buffer, int64_t elements);
std::unique_ptr<Step> MakeStoreSurfaceStep(size_t port, DType storage, int buffer,
                                           int64_t elements);

// An argument of an operation that has no lowering of its own.
struct GenericArgument {
  std::string key;
  std::vector<mil::Type> types;
  std::vector<View> views;  // empty for a string
  std::optional<std::string> text;
  bool tuple = false;
};

// Evaluates an operation as mil/ops defines it, through double arrays. Allocates in every run.
std::unique_ptr<Step> MakeGenericStep(const mil::OpDef* def, std::string id,
                                      std::vector<GenericArgument> arguments,
                                      std::vector<mil::Type> types, std::vector<View> outputs,
                                      Numerics numerics);

// All elements of `view` in row-major order.
void GatherView(const View& view, const float* base, double* to);
void ScatterView(const View& view, const double* from, float* base);

}  // namespace millwright::device::cpu
