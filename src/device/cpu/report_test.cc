#include "device/cpu/report.h"

#include <algorithm>

#include "device/cpu/test_support.h"
#include "mil/text.h"

namespace millwright::device {
namespace {

mil::Program ParseMain(const std::string& body) {
  auto program = mil::Parse("program(1.3) { func main<ios18>" + body + " }");
  EXPECT_TRUE(program) << program.error().message;
  return *std::move(program);
}

CompileReport Report(const mil::Program& program) {
  auto report = ReportCompilation(program, {}, {});
  EXPECT_TRUE(report) << report.error().message;
  return *std::move(report);
}

const OperationReport& Of(const CompileReport& report, std::string_view id) {
  return *std::ranges::find(report.operations, id, &OperationReport::id);
}

bool Fired(const OperationReport& operation, CompileRule rule) {
  return std::ranges::find(operation.rules, rule) != operation.rules.end();
}

TEST(CompileReport, SaysWhichStepComputesWhat) {
  const auto report =
      Report(ParseMain("(tensor<fp32, [4, 6]> a, tensor<fp32, [6, 4]> b) { "
                       "tensor<fp32, [6, 4]> t = transpose(x=a, perm=[1, 0]); "
                       "tensor<fp32, [6, 4]> m = mul(x=t, y=b); "
                       "tensor<fp32, [6, 4]> s = sigmoid(x=m); "
                       "tensor<fp32, [6, 6]> p = matmul(x=b, y=a); "
                       "} -> (s, p);"));
  const OperationReport &t = Of(report, "t"), &m = Of(report, "m"), &s = Of(report, "s"),
                        &p = Of(report, "p");
  EXPECT_TRUE(t.steps.empty());
  EXPECT_TRUE(Fired(t, CompileRule::kViewTranspose));
  EXPECT_TRUE(m.steps.empty());
  EXPECT_TRUE(Fired(m, CompileRule::kFuseElementwise));
  EXPECT_EQ(report.operations[static_cast<size_t>(m.root)].id, "s");
  ASSERT_EQ(s.steps.size(), 1u);
  EXPECT_EQ(
      report
          .operations[static_cast<size_t>(report.steps[static_cast<size_t>(s.steps[0])].operation)]
          .id,
      "s");
  EXPECT_TRUE(Fired(s, CompileRule::kPlaceOutput));
  EXPECT_TRUE(Fired(p, CompileRule::kProduct));
}

TEST(CompileReport, CountsMemory) {
  const auto report =
      Report(ParseMain("(tensor<fp32, [32, 32]> a) { "
                       "tensor<fp32, [32, 32]> x = matmul(x=a, y=a); "
                       "tensor<fp32, [32, 32]> y = matmul(x=x, y=a); "
                       "tensor<fp32, [32, 32]> z = matmul(x=y, y=a); "
                       "tensor<fp32, [32, 32]> w = matmul(x=z, y=a); } -> (w);"));
  constexpr int64_t kMatrix = 32 * 32 * 4;
  // x, y and z: two at a time.
  EXPECT_EQ(report.buffers.size(), 3u);
  EXPECT_EQ(report.live_bytes, 2 * kMatrix);
  EXPECT_EQ(report.arena_bytes, 2 * kMatrix);
  for (const BufferReport& buffer : report.buffers) {
    EXPECT_EQ(buffer.bytes, kMatrix);
    EXPECT_LE(buffer.offset + buffer.bytes, report.arena_bytes);
    EXPECT_EQ(buffer.last_step, buffer.first_step + 1);
  }
}

TEST(CompileReport, EveryRuleHasANameAndASentence) {
  for (const CompileRule rule : AllRules()) {
    EXPECT_FALSE(RuleName(rule).empty());
    EXPECT_FALSE(RuleText(rule).empty());
  }
}

// A view that strides cannot express is computed at compile time where its operand is known then,
// for others that are computed then read it.
TEST(CompileReport, ConstantsAreFoldedThroughViewsThatAreNone) {
  const auto program = ParseMain(
      "(tensor<fp32, [3]> a) { tensor<fp32, [3]> c = const()[val=tensor<fp32, [3]>([1, 2, 4])]; "
      "tensor<fp32, [3]> r = slice_by_index(x=c, begin=[2], end=[0], stride=[-1], "
      "end_mask=tensor<bool, [1]>([true])); "
      "tensor<fp32, [3]> d = add(x=r, y=c); tensor<fp32, [3]> y = add(x=a, y=d); } -> (y);");
  const auto report = Report(program);
  EXPECT_TRUE(Fired(Of(report, "r"), CompileRule::kFold));
  EXPECT_TRUE(Fired(Of(report, "d"), CompileRule::kFold));
  const auto outputs = cpu::RunProgram(*cpu::OpenCpu(), program, {}, {{10, 20, 30}});
  ASSERT_TRUE(outputs) << outputs.error().message;
  EXPECT_EQ(outputs->front(), (cpu::Tensor{15, 24, 35}));
}

}  // namespace
}  // namespace millwright::device
