// The ten programs of the public dynamic pipeline, against the reference device.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "device/cpu/test_support.h"
#include "mil/text.h"
#include "tests/shared_folder.h"

namespace millwright::device::cpu {
namespace {

class SharedProgram : public testing::TestWithParam<const char*> {};

TEST_P(SharedProgram, MatchesTheReference) {
  if (!SharedFolder()) GTEST_SKIP() << "no ../shared folder with MIL programs";
  const std::filesystem::path folder = *SharedFolder() / "mil/dynamic_stories110m";
  const std::filesystem::path path = folder / GetParam();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const auto program = mil::Parse(text.str(), path.string());
  ASSERT_TRUE(program.ok()) << program.error().message;
  const auto weights = mil::LoadWeights(*program, folder.string());
  ASSERT_TRUE(weights.ok()) << weights.error().message;
  const auto explained = ExplainProgram(*program, *weights, {});
  ASSERT_TRUE(explained.ok()) << explained.error().message;
  SCOPED_TRACE(*explained);
  std::vector<Tensor> inputs = RandomInputs(*program, 7, 0.25);
  ExpectLikeReference(*program, *weights, inputs, 2048 + 768 + 64);
}

INSTANTIATE_TEST_SUITE_P(All, SharedProgram,
                         testing::Values("01_sdpaFwd.mil", "02_woFwd.mil", "03_ffnFused.mil",
                                         "04_ffnBwdW2t.mil", "05_ffnBwdW13t.mil", "06_wotBwd.mil",
                                         "07_sdpaBwd1.mil", "08_sdpaBwd2.mil", "09_qBwd.mil",
                                         "10_kvBwd.mil"));

}  // namespace
}  // namespace millwright::device::cpu
