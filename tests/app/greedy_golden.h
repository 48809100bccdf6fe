// A greedy continuation that an independent program computed (tools/llama_greedy.py), to hold a
// model file to.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/open_device.h"
#include "app/stored_model.h"
#include "checkpoint/test_folder.h"
#include "sample/decoder.h"

namespace millwright::testing {

struct GreedyGolden {
  std::vector<int32_t> context, drawn;
  double smallest_lead = 0;  // of a drawn token's logit over the next
};

inline GreedyGolden Stories260KGolden() {
  const auto json =
      nlohmann::json::parse(checkpoint::ReadBytes("tests/app/goldens/stories260k_greedy.json"));
  return {json["context"], json["drawn"], json["smallest_lead"]};
}

// The model that `path` holds draws the golden's tokens on the CPU in fp32, each as clearly as it
// must.
inline void ExpectGreedyTokens(const std::string& path, const GreedyGolden& golden) {
  const auto model = app::OpenStoredModel(path);
  ASSERT_TRUE(model.ok()) << model.error().message;
  auto device = app::OpenDevice("cpu", {.precision = Precision::kFp32});
  ASSERT_TRUE(device.ok()) << device.error().message;
  auto decoder = sample::Decoder::Create(**device, model->config, app::OrdinaryWeights(*model));
  ASSERT_TRUE(decoder.ok()) << path << ": " << decoder.error().message;
  ASSERT_GT(golden.drawn.size(), 100u);
  std::vector<int32_t> tokens = golden.context;
  for (const int32_t expected : golden.drawn) {
    const auto logits = (*decoder)->Logits(tokens);
    ASSERT_TRUE(logits.ok()) << logits.error().message;
    const auto first = std::max_element(logits->begin(), logits->end());
    ASSERT_EQ(first - logits->begin(), expected) << path << " after " << tokens.size();
    // The lead over the second is the exact one's but for rounding.
    std::vector<float> sorted(logits->begin(), logits->end());
    std::nth_element(sorted.begin(), sorted.begin() + 1, sorted.end(), std::greater<>());
    ASSERT_GT(*first - sorted[1], golden.smallest_lead / 2) << path << " after " << tokens.size();
    tokens.push_back(expected);
  }
}

}  // namespace millwright::testing
