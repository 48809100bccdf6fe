// A stored model in a network, for comparing what models compute.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "app/open_device.h"
#include "app/stored_model.h"
#include "tests/app/run_command.h"
#include "tests/training/tiny_models.h"
#include "train/network.h"

namespace millwright::testing {

class LoadedModel {
  std::unique_ptr<device::Device> device_;  // first: it must outlive the network

 public:
  // Opens whatever `path` holds for windows of `seq` tokens, on the CPU in fp32.
  LoadedModel(const std::string& path, int64_t seq) { Open(path, seq); }

  // [seq, vocab], row by row, as Python's judges print them.
  std::vector<float> Logits(const std::vector<int32_t>& tokens) {
    const auto logits = network->Logits(tokens);
    EXPECT_TRUE(logits.ok()) << (logits.ok() ? "" : logits.error().message);
    if (!logits) return {};
    const size_t seq = tokens.size(), vocab = logits->size() / seq;
    std::vector<float> rows(logits->size());
    for (size_t t = 0; t < seq; ++t) {
      for (size_t word = 0; word < vocab; ++word) {
        rows[t * vocab + word] = (*logits)[word * seq + t];
      }
    }
    return rows;
  }

  app::StoredModel stored;
  std::unique_ptr<train::Network<float>> network;  // null where the model did not open

 private:
  void Open(const std::string& path, int64_t seq) {
    auto model = app::OpenStoredModel(path);
    ASSERT_TRUE(model.ok()) << model.error().message;
    stored = std::move(*model);
    auto opened = app::OpenDevice("cpu", {.precision = Precision::kFp32});
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    device_ = std::move(*opened);
    model::ModelConfig config = stored.config;
    config.seq = seq;
    auto created = train::Network<float>::Create(
        *device_, {.config = config, .moments = train::Moments::kNone}, FullVocab(config));
    ASSERT_TRUE(created.ok()) << created.error().message;
    network = std::move(*created);
    const auto weights = app::OrdinaryWeights(stored);
    for (auto& p : network->parameters().all()) {
      const Status read = weights(p.spec, p.value.span());
      ASSERT_TRUE(read.ok()) << read.error().message;
    }
    ASSERT_TRUE(network->StageWeights().ok());
  }
};

// "millwright convert", which must succeed.
inline void ConvertModel(const std::string& from, const std::string& to,
                         const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {"convert", "--from", from, "--to", to};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const CommandResult result = RunCommand(TinyMha(), arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
}

// A tensor as it is stored, residual_alpha folded in.
inline std::vector<float> ReadTensor(const app::StoredModel& model, const model::TensorSpec& spec) {
  std::vector<float> data(static_cast<size_t>(NumElements(spec.shape)));
  const Status status = app::OrdinaryWeights(model)(spec, data);
  EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
  return data;
}

inline std::string JoinIds(const std::vector<int32_t>& ids) {
  std::string text;
  for (const int32_t id : ids) text += (text.empty() ? "" : ",") + std::to_string(id);
  return text;
}

}  // namespace millwright::testing
