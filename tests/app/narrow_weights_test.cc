// What reading the weights in fewer bits costs a model that somebody trained.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "app/open_device.h"
#include "app/stored_model.h"
#include "sample/decoder.h"
#include "tests/shared_folder.h"

namespace millwright::testing {
namespace {

// The first `count` tokens of a file of 16-bit numbers.
std::vector<int32_t> ReadTokens(const std::filesystem::path& path, size_t count) {
  std::vector<uint16_t> words(count);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(words.data()),
            static_cast<std::streamsize>(count * sizeof(uint16_t)));
  EXPECT_TRUE(file.good());
  return {words.begin(), words.end()};
}

// The mean loss of every token but the first, each predicted from those before it, one by one.
double MeanLoss(const app::StoredModel& model, DType weights, std::span<const int32_t> tokens) {
  auto device = app::OpenDevice("cpu", {.vector_weights = weights});
  EXPECT_TRUE(device.ok());
  auto decoder = sample::Decoder::Create(**device, model.config, app::OrdinaryWeights(model));
  EXPECT_TRUE(decoder.ok());
  double total = 0;
  for (size_t n = 1; n < tokens.size(); ++n) {
    const auto logits = (*decoder)->Logits(tokens.first(n));
    EXPECT_TRUE(logits.ok());
    double sum = 0;
    for (const float logit : *logits) sum += std::exp(static_cast<double>(logit));
    total += std::log(sum) - static_cast<double>((*logits)[static_cast<size_t>(tokens[n])]);
  }
  return total / static_cast<double>(tokens.size() - 1);
}

TEST(NarrowWeights, CostATrainedModelLessThanAHundredthOfPerplexity) {
  const auto shared = SharedFolder();
  if (!shared) GTEST_SKIP() << "no folder of sample data beside the checkout";
  const auto data = *shared / "data";
  const auto path = data / "stories260K" / "stories260K.bin";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "the sample data have no stories260K";
  const auto model = app::OpenStoredModel(path.string());
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto tokens = ReadTokens(data / "tinystories" / "valid.tok512.bin", 400);
  const double fp32 = MeanLoss(*model, DType::kFp32, tokens);
  EXPECT_LT(fp32, 2.5);  // it was trained on such stories
  for (const DType dtype : {DType::kBf16, DType::kInt8}) {
    const double loss = MeanLoss(*model, dtype, tokens);
    RecordProperty(std::string(DTypeName(dtype)), std::to_string(loss));
    EXPECT_NE(loss, fp32) << DTypeName(dtype);
    EXPECT_NEAR(loss, fp32, 0.01) << DTypeName(dtype);
  }
}

}  // namespace
}  // namespace millwright::testing
