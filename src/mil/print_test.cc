#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "mil/text.h"
#include "mil/verify.h"
#include "tests/shared_folder.h"

namespace millwright::mil {
namespace {

constexpr const char* kText = R"(program(1.3)
[buildInfo = dict<string, string>({{"coremlc-version", "3505.4.1"}, {"empty", ""}})]
{
    func main<ios18>(tensor<fp16, [1, 4]> x, fp16 s) {
        bool no = const()[name = string("no"), val = bool(false)];
        fp16 half = const()[name = string("half"), val = fp16(0.125)];
        tensor<int32, [2]> sh = const()[name = string("sh"), val = tensor<int32, [2]>([4, -1])];
        tensor<fp16, [4]> w = const()[val = tensor<fp16, [4]>(BLOBFILE(path = string("@model_path/weights/w.bin"), offset = uint64(64)))];
        fp16 a, fp16 b = anything(x = x, t = bool(true), values = (s, half), one = (w));
        fp16 c = constexpr_affine_dequantize()[axis = int32(0), zero_point = int8(-3)];
    } -> (a, c);
}
)";

constexpr const char* kVerbose = R"(program(1.0)
[buildInfo = dict<tensor<string, []>, tensor<string, []>>({{"coremlc-version", "3505.4.1"}, {"empty", ""}})]
{
    func main<ios16>(tensor<fp16, [1, 4]> x, tensor<fp16, []> s) {
        tensor<bool, []> no = const()[name = tensor<string, []>("no"), val = tensor<bool, []>(false)];
        tensor<fp16, []> half = const()[name = tensor<string, []>("half"), val = tensor<fp16, []>(0.125)];
        tensor<int32, [2]> sh = const()[name = tensor<string, []>("sh"), val = tensor<int32, [2]>([4, -1])];
        tensor<fp16, [4]> w = const()[val = tensor<fp16, [4]>(BLOBFILE(path = tensor<string, []>("@model_path/weights/w.bin"), offset = tensor<uint64, []>(64)))];
        tensor<fp16, []> a, tensor<fp16, []> b = anything(x = x, t = tensor<bool, []>(true), values = (s, half), one = (w));
        tensor<fp16, []> c = constexpr_affine_dequantize()[axis = tensor<int32, []>(0), zero_point = tensor<int8, []>(-3)];
    } -> (a, c);
}
)";

TEST(PrintTest, CanonicalTextPrintsAsItself) {
  const auto program = Parse(kText);
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(Print(*program), kText);
}

TEST(PrintTest, VerboseTextSpellsOutEveryType) {
  auto program = Parse(kText);
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(PrintVerbose(*program), kVerbose);
  const auto again = Parse(kVerbose);
  ASSERT_TRUE(again) << again.error().message;
  program->version = "1.0";
  program->functions[0].opset = "ios16";
  EXPECT_EQ(*again, *program);
}

TEST(PrintTest, ABuildInfoMayBeAbsent) {
  const char* text = "program(1.3)\n{\n    func main<ios18>() {\n    } -> ();\n}\n";
  const auto program = Parse(text);
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(Print(*program), text);
}

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(PrintTest, EverySharedProgramSurvives) {
  const auto shared = SharedFolder();
  if (!shared) GTEST_SKIP() << "no folder of shared sample programs";
  size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*shared / "mil")) {
    if (entry.path().extension() != ".mil") continue;
    ++count;
    SCOPED_TRACE(entry.path().string());
    const auto program = Parse(ReadText(entry.path()), entry.path().string());
    ASSERT_TRUE(program) << program.error().message;
    const Status verified = Verify(*program);
    EXPECT_TRUE(verified) << verified.error().message;
    const std::string printed = Print(*program);
    const auto again = Parse(printed);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, *program);
    EXPECT_EQ(Print(*again), printed);
    const auto verbose = Parse(PrintVerbose(*program));
    ASSERT_TRUE(verbose) << verbose.error().message;
    EXPECT_TRUE(Verify(*verbose));
  }
  EXPECT_EQ(count, 21u);
}

}  // namespace
}  // namespace millwright::mil
