// Attention is recognised, lowered to one step, and right, also where it is not recognised.
#include <algorithm>

#include "device/cpu/test_support.h"
#include "kernels/kernel.h"
#include "mil/builder.h"

namespace millwright::device::cpu {
namespace {

using kernels::KernelId;
using mil::ValueId;

model::ModelConfig Config(int64_t heads, int64_t kv_heads, int64_t seq) {
  return {.name = "attention",
          .title = "attention",
          .dim = 20,
          .hidden_dim = 24,
          .layers = 1,
          .heads = heads,
          .kv_heads = kv_heads,
          .head_dim = 8,
          .seq = seq,
          .vocab = 16};
}

kernels::KernelProgram Generate(KernelId id, const model::ModelConfig& config, bool fused,
                                kernels::Binding binding = kernels::Binding::kSeparate,
                                int64_t batch = 1) {
  const kernels::KernelSpec spec = {.config = config,
                                    .binding = binding,
                                    .target = {.fused_attention_backward = fused},
                                    .batch = batch};
  auto program = kernels::Generate(kernels::Get(id), spec);
  EXPECT_TRUE(program.ok()) << (program.ok() ? "" : program.error().message);
  return *std::move(program);
}

void ExpectMatch(const kernels::KernelProgram& program) {
  ExpectLikeReference(program.program, program.constants, RandomInputs(program.program, 5, 0.5),
                      1024);
}

TEST(LowerAttention, ForwardIsOneStep) {
  for (const auto& [heads, kv_heads, seq] :
       {std::tuple{4, 4, 16}, {4, 2, 33}, {6, 1, 7}, {2, 2, 130}}) {
    const auto program = Generate(KernelId::kSdpaFwd, Config(heads, kv_heads, seq), false);
    const std::string steps = Explain(program.program, program.constants);
    SCOPED_TRACE(steps);
    EXPECT_EQ(Lines(steps, "attention heads="), 1);
    EXPECT_EQ(Lines(steps, fmt::format("kv_heads={} ", kv_heads)), 1)
        << "tiled heads are not copied";
    EXPECT_EQ(Lines(steps, "causal"), 1);
    EXPECT_EQ(Lines(steps, "softmax"), 0);
    EXPECT_EQ(Lines(steps, " m="), 3) << "the projections alone";
    EXPECT_EQ(Lines(steps, "elementwise ["), 2) << "both rotations; attention scales queries";
    EXPECT_EQ(Lines(steps, "evaluate"), 0);
    ExpectMatch(program);
  }
}

TEST(LowerAttention, BackwardIsOneStep) {
  for (const auto& [heads, kv_heads, seq] :
       {std::tuple{4, 4, 16}, {4, 2, 33}, {6, 1, 7}, {2, 2, 130}}) {
    const auto program = Generate(KernelId::kSdpaBwd1, Config(heads, kv_heads, seq), true);
    const std::string steps = Explain(program.program, program.constants);
    SCOPED_TRACE(steps);
    EXPECT_EQ(Lines(steps, "attention_backward heads="), 1);
    EXPECT_EQ(Lines(steps, "copy"), 0) << "gradients of repeated heads are summed where they lie";
    EXPECT_EQ(Lines(steps, " m="), 0);
    EXPECT_EQ(Lines(steps, "softmax"), 0);
    ExpectMatch(program);
  }
}

// Sequences side by side are a stride of the one step: no head is copied, and weights are read
// once.
TEST(LowerAttention, ABatchIsOneStepToo) {
  using kernels::Binding;
  for (const auto& [heads, kv_heads, seq] : {std::tuple{4, 4, 16}, {4, 2, 33}, {6, 1, 7}}) {
    for (const Binding binding : {Binding::kSeparate, Binding::kConstant, Binding::kPacked}) {
      const auto config = Config(heads, kv_heads, seq);
      if (binding != Binding::kConstant) {  // whose weights are not there yet
        const auto forward = Generate(KernelId::kSdpaFwd, config, false, binding, 3);
        const std::string steps = Explain(forward.program, forward.constants);
        SCOPED_TRACE(steps);
        EXPECT_EQ(Lines(steps, "attention batch=3 heads="), 1);
        EXPECT_EQ(Lines(steps, fmt::format("kv_heads={} ", kv_heads)), 1);
        EXPECT_EQ(Lines(steps, " m="), 3) << "the projections alone";
        EXPECT_EQ(Lines(steps, "[mul]"), 0) << "the step scales queries";
        EXPECT_EQ(Lines(steps, "evaluate"), 0);
        ExpectMatch(forward);
      }
      if (binding == Binding::kPacked) continue;
      const auto backward = Generate(KernelId::kSdpaBwd1, config, true, binding, 3);
      const std::string steps = Explain(backward.program, backward.constants);
      SCOPED_TRACE(steps);
      EXPECT_EQ(Lines(steps, "attention_backward batch=3 heads="), 1);
      EXPECT_EQ(Lines(steps, " m="), 0);
      if (heads == kv_heads) {  // else the sums over query heads read copies
        EXPECT_EQ(Lines(steps, "copy"), 0);
      }
      ExpectMatch(backward);
    }
  }
}

TEST(LowerAttention, PackedSurfacesAreReadInPlace) {
  const auto program =
      Generate(KernelId::kSdpaFwd, Config(4, 2, 16), false, kernels::Binding::kPacked);
  const std::string steps = Explain(program.program, program.constants);
  SCOPED_TRACE(steps);
  EXPECT_EQ(Lines(steps, "attention heads="), 1);
  ExpectMatch(program);
}

TEST(LowerAttention, SlicesAndTransposesOfAPackedProductAreFree) {
  const auto program =
      Generate(KernelId::kWoFwd, Config(4, 4, 16), false, kernels::Binding::kPacked);
  const std::string steps = Explain(program.program, program.constants);
  EXPECT_EQ(Lines(steps, " m="), 1) << steps;
  EXPECT_EQ(Lines(steps, "copy"), 0) << steps;
  ExpectMatch(program);
}

// Attention by hand: any mask, a scale behind the product, and an inner value that may be an
// output.
mil::Builder::Built ByHand(const std::vector<double>& mask, bool show_scores) {
  mil::Builder b;
  const int64_t seq = 9;
  const mil::Type type{DType::kFp32, {1, 2, seq, 4}};
  const ValueId q = b.Input("q", type), k = b.Input("k", type), v = b.Input("v", type);
  ValueId scores =
      b.Mul("scaled", b.Matmul("scores", q, k, false, true), b.Float(DType::kFp32, 0.5));
  if (!mask.empty()) {
    scores = b.Add("masked", scores, b.Weights("mask.bin", {DType::kFp32, {1, 1, seq, seq}}, mask));
  }
  const ValueId probs = b.Softmax("probs", scores, -1);
  const ValueId out = b.Matmul("out", probs, v, false, false);
  std::vector<ValueId> outputs = {out};
  if (show_scores) outputs.push_back(probs);
  auto built = std::move(b).Finish(outputs);
  EXPECT_TRUE(built.ok()) << (built.ok() ? "" : built.error().message);
  return *std::move(built);
}

TEST(LowerAttention, AnyMaskIsHonoured) {
  std::vector<double> mask(81);
  for (size_t i = 0; i < mask.size(); ++i)
    mask[i] = i % 7 == 3 ? -1e9 : 0.125 * static_cast<double>(i % 5);
  for (const auto& m : {mask, std::vector<double>{}}) {
    const auto built = ByHand(m, false);
    const std::string steps = Explain(built.program, built.weights);
    EXPECT_EQ(Lines(steps, "attention heads="), 1) << steps;
    EXPECT_EQ(Lines(steps, "causal"), 0) << steps;
    ExpectLikeReference(built.program, built.weights, RandomInputs(built.program, 3), 256);
  }
}

TEST(LowerAttention, ValuesThatOthersSeeAreComputed) {
  const auto built = ByHand(std::vector<double>(81, 0.25), true);
  const std::string steps = Explain(built.program, built.weights);
  EXPECT_EQ(Lines(steps, "attention heads="), 0) << steps;
  ExpectLikeReference(built.program, built.weights, RandomInputs(built.program, 3), 256);
}

// How the queries of an attention come about.
enum class Queries { kScaled, kScaledAndSeen, kScaledInHeads, kScaledByHead, kRepeated };

mil::Builder::Built WithQueries(Queries queries) {
  mil::Builder b;
  const int64_t heads = 4, seq = 9, dim = 8;
  const bool repeated = queries == Queries::kRepeated;
  const int64_t q_heads = repeated ? heads / 2 : heads;
  const ValueId q = b.Input("q", {DType::kFp32, {1, q_heads * dim, 1, seq}});
  const ValueId k = b.Input("k", {DType::kFp32, {1, heads, seq, dim}});
  const ValueId v = b.Input("v", {DType::kFp32, {1, heads, seq, dim}});
  const auto scaled = [&](ValueId x) {
    if (queries != Queries::kScaledByHead) {
      return b.Mul("scaled", x, b.Float(DType::kFp32, 0.25));
    }
    const std::vector<double> factors = {0.5, 0.25, -1, 2};
    return b.Mul("scaled", x, b.Weights("f.bin", {DType::kFp32, {1, heads, 1, 1}}, factors));
  };
  const bool before = queries == Queries::kScaled || queries == Queries::kScaledAndSeen || repeated;
  const ValueId whole = before ? scaled(q) : q;
  ValueId x = b.Transpose("t", b.Reshape("split", whole, {1, q_heads, dim, seq}), {0, 1, 3, 2});
  if (!before) x = scaled(x);
  if (repeated) {  // each head by the next
    const ValueId one = b.Reshape("one", x, {1, q_heads, 1, seq, dim});
    const ValueId two = b.Op("tile", "two", {{"x", one}, {"reps", b.Ints({1, 1, 2, 1, 1})}});
    x = b.Reshape("repeated", two, {1, heads, seq, dim});
  }
  const ValueId probs = b.Softmax("probs", b.Matmul("scores", x, k, false, true), -1);
  std::vector<ValueId> outputs = {b.Matmul("out", probs, v, false, false)};
  if (queries == Queries::kScaledAndSeen) outputs.push_back(whole);
  auto built = std::move(b).Finish(outputs);
  EXPECT_TRUE(built.ok()) << (built.ok() ? "" : built.error().message);
  return *std::move(built);
}

TEST(LowerAttention, AFactorOfTheQueriesAloneJoinsTheScale) {
  for (const auto& [queries, multiplications] : {std::pair{Queries::kScaled, 0},
                                                 {Queries::kScaledAndSeen, 1},
                                                 {Queries::kScaledInHeads, 0},
                                                 {Queries::kScaledByHead, 1},
                                                 {Queries::kRepeated, 1}}) {
    const auto built = WithQueries(queries);
    const std::string steps = Explain(built.program, built.weights);
    SCOPED_TRACE(steps);
    EXPECT_EQ(Lines(steps, "attention heads=4"), 1);
    EXPECT_EQ(Lines(steps, "[mul]"), multiplications);
    ExpectLikeReference(built.program, built.weights, RandomInputs(built.program, 3), 256);
  }
}

// In fp16 the product of queries and factor is not rounded where it is no value in memory.
TEST(LowerAttention, FactorsJoinTheScaleInFp16) {
  const auto program = Generate(KernelId::kSdpaFwd, Config(4, 2, 33), false);
  ExpectLikeReference(program.program, program.constants, RandomInputs(program.program, 5, 0.5),
                      1024, Precision::kFp16);
}

}  // namespace
}  // namespace millwright::device::cpu
