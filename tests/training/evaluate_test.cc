// Evaluation against its definition: the loss of every token by itself, from plain loops.
#include "train/evaluate.h"

#include <gmock/gmock.h>

#include "app/open_device.h"
#include "base/tolerance.h"
#include "data/token_list.h"
#include "tests/training/scalar_model.h"
#include "tests/training/tiny_models.h"
#include "train/footprint.h"

namespace millwright::testing {
namespace {

constexpr int32_t kBos = 1;

struct Mode {
  const char* name;
  // The windows, and where the context of token i begins; nothing if it is not predicted.
  std::vector<data::EvalWindow> (*windows)(const data::TokenSource& tokens, int64_t seq);
  std::optional<int64_t> (*context)(const std::vector<int32_t>& ids, int64_t seq, int64_t i);
};

constexpr int64_t kStride = 3;

std::optional<int64_t> ConsecutiveContext(const std::vector<int32_t>& ids, int64_t seq, int64_t i) {
  const int64_t window = (i - 1) / seq;
  if ((window + 1) * seq >= static_cast<int64_t>(ids.size())) return std::nullopt;
  return window * seq;
}

std::optional<int64_t> SlidingContext(const std::vector<int32_t>& ids, int64_t seq, int64_t i) {
  if (i <= seq) return 0;
  const int64_t last = seq + ((i - seq - 1) / kStride + 1) * kStride;
  return std::min(last, static_cast<int64_t>(ids.size()) - 1) - seq;
}

std::optional<int64_t> DocumentContext(const std::vector<int32_t>& ids, int64_t seq, int64_t i) {
  if (ids[static_cast<size_t>(i)] == kBos) return std::nullopt;
  int64_t bos = i;
  while (bos >= 0 && ids[static_cast<size_t>(bos)] != kBos) --bos;
  if (bos < 0) return std::nullopt;
  return bos + (i - bos - 1) / seq * seq;
}

const Mode kModes[] = {
    {"consecutive",
     [](const data::TokenSource& t, int64_t seq) {
       return data::ConsecutiveWindows(t.size(), seq);
     },
     ConsecutiveContext},
    {"sliding",
     [](const data::TokenSource& t, int64_t seq) {
       return data::SlidingWindows(0, t.size(), seq, kStride);
     },
     SlidingContext},
    {"documents",
     [](const data::TokenSource& t, int64_t seq) { return data::DocumentWindows(t, kBos, seq, 0); },
     DocumentContext},
};

std::vector<int32_t> Ids(const model::ModelConfig& config) {
  const Rng rng(5, 1);
  std::vector<int32_t> ids(40);
  for (size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<int32_t>(2 + rng.Below(i, static_cast<uint64_t>(config.vocab - 2)));
  }
  for (const size_t i : {3, 7, 8, 28}) ids[i] = kBos;  // one of more than two windows
  return ids;
}

// -log p(ids[i] | ids[begin..i)): a sequence's summed loss less that of the sequence before.
double TokenLoss(train::Network<float>& network, const std::vector<int32_t>& ids, int64_t begin,
                 int64_t i) {
  const auto total = [&](int64_t inputs) {
    if (inputs == 0) return 0.0;
    kernels::KernelSpec spec = network.session().spec();
    spec.config.seq = inputs;
    ScalarModel<double> model(spec, 0);
    for (const auto& p : network.parameters().all()) {
      model.parameters[p.spec.name].assign(p.value.span().begin(), p.value.span().end());
    }
    const auto from = ids.begin() + begin;
    return model.Loss({from, from + inputs}, {from + 1, from + 1 + inputs}) *
           static_cast<double>(inputs);
  };
  return total(i - begin) - total(i - begin - 1);
}

class EvaluateOn : public ::testing::TestWithParam<const char*> {
 protected:
  void Open(const model::ModelConfig& config) {
    device_ = *app::OpenDevice(GetParam(), {.precision = Precision::kFp32});
    auto network = train::Network<float>::Create(
        *device_, {.config = config, .moments = train::Moments::kNone, .gradients = false},
        FullVocab(config));
    ASSERT_TRUE(network.ok()) << network.error().message;
    network_ = std::move(*network);
    FillForGradients(network_->parameters(), 3);
    ASSERT_TRUE(network_->StageWeights().ok());
  }

  std::unique_ptr<device::Device> device_;
  std::unique_ptr<train::Network<float>> network_;
};

TEST_P(EvaluateOn, EqualsTheLossOfEveryTokenByItself) {
  for (const model::ModelConfig& config : TinyConfigs()) {
    Open(config);
    const std::vector<int32_t> ids = Ids(config);
    const auto tokens = data::MakeTokenList(ids, "test");
    for (const Mode& mode : kModes) {
      double total = 0;
      int64_t count = 0;
      for (int64_t i = 1; i < tokens->size(); ++i) {
        const auto begin = mode.context(ids, config.seq, i);
        if (!begin) continue;
        total += TokenLoss(*network_, ids, *begin, i);
        ++count;
      }
      ASSERT_GT(count, config.seq);
      const auto result = train::Evaluate(*network_, *tokens, mode.windows(*tokens, config.seq));
      ASSERT_TRUE(result.ok()) << result.error().message;
      EXPECT_EQ(result->tokens, count) << mode.name;
      EXPECT_LE(RelativeError(result->loss, total / static_cast<double>(count)),
                Gamma(DType::kFp32, 64 * config.layers))
          << mode.name << " " << ConfigName(config);
    }
  }
}

// Nothing is trained here, and no layer's activations are kept.
TEST_P(EvaluateOn, NeedsNeitherGradientsNorActivationsOfEveryLayer) {
  Open(TinyMha());
  for (const auto& p : network_->parameters().all()) {
    EXPECT_EQ(p.grad.size() + p.m.size() + p.v.size(), 0u) << p.spec.name;
  }
  EXPECT_TRUE(network_->plan().buffers.contains("h1.0"));
  EXPECT_FALSE(network_->plan().buffers.contains("h1.1"));
  EXPECT_TRUE(network_->plan().backward.empty());
}

// Three kernels run, and their surfaces are all that is counted: packed, of every layer.
TEST_P(EvaluateOn, NeedsNoSurfacesOfTheBackwardKernels) {
  train::TrainOptions options;
  options.config = TinyGqa(model::RotaryLayout::kHalfSplit);
  Open(options.config);
  options.binding = kernels::Binding::kPacked;
  kernels::KernelSpec spec = network_->session().spec();
  spec.binding = options.binding;
  int64_t elements = 0;
  for (const auto kernel :
       {kernels::KernelId::kSdpaFwd, kernels::KernelId::kWoFwd, kernels::KernelId::kFfnFused}) {
    const kernels::Operands operands = kernels::Get(kernel).operands(spec);
    for (const auto* list : {&operands.inputs, &operands.outputs}) {
      for (const auto& operand : *list) elements += operand.rows * operand.columns;
    }
  }
  const uint64_t expected = static_cast<uint64_t>(elements * spec.config.layers) * sizeof(float);
  const int64_t rows = options.config.vocab;
  EXPECT_EQ(train::EstimateForwardFootprint(options, *device_, rows).surface_bytes, expected);
  EXPECT_GT(train::EstimateFootprint(options, *device_, rows).surface_bytes, 2 * expected);
}

TEST_P(EvaluateOn, RefusesWhatItCannotPredict) {
  Open(TinyMha());
  const auto tokens = data::MakeTokenList({1, 2, 99, 3, 4, 5, 6, 7}, "test");
  auto result = train::Evaluate(*network_, *tokens, data::ConsecutiveWindows(tokens->size(), 6));
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("99"));
  result = train::Evaluate(*network_, *tokens, {});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, ErrorKind::kBadInput);
}

INSTANTIATE_TEST_SUITE_P(Devices, EvaluateOn, ::testing::Values("reference", "cpu"));

}  // namespace
}  // namespace millwright::testing
