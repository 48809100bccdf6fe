// The exported model computes what the trained network computes.
#include <gmock/gmock.h>

#include "base/tolerance.h"
#include "checkpoint/hf_folder.h"
#include "tests/training/trainer_run.h"

namespace millwright::testing {
namespace {

struct ExportCase {
  model::ModelConfig config;
  data::VocabMode vocab;
  double residual_alpha;
};

std::string NameOfExport(const ::testing::TestParamInfo<ExportCase>& info) {
  return ConfigName(info.param.config) + "_" + std::string(data::VocabModeName(info.param.vocab)) +
         (info.param.residual_alpha == 1.0 ? "" : "_alpha");
}

const std::vector<int32_t>& Words() {
  static const std::vector<int32_t> words = {1, 2, 3, 5, 8, 13};
  return words;
}

class Export : public ::testing::TestWithParam<ExportCase> {
 protected:
  void SetUp() override {
    const ExportCase& test = GetParam();
    run_.options.config = test.config;
    run_.options.vocab = test.vocab;
    run_.options.residual_alpha = test.residual_alpha;
    run_.options.act_clip = 1e6;  // on, and never reached: the folder cannot say it
    run_.options.steps = 6;
    run_.train = data::MakeTokenList(DrawWords(Words(), 200, 1), "train");
    trainer_ = run_.Create();
    // Far from linear, so that a wrong rotary layout or factor shows.
    FillForGradients(trainer_->network().parameters(), 2);
    ASSERT_TRUE(trainer_->network().StageWeights().ok());
    EventLog log;
    RunToEnd(*trainer_, log);
    auto folder = checkpoint::HfFolder::Open(run_.folder.File("run/model"));
    ASSERT_TRUE(folder.ok()) << folder.error().message;
    folder_ = std::make_unique<checkpoint::HfFolder>(std::move(*folder));
  }

  // The exported weights in a network of `config`.
  std::unique_ptr<train::Network<float>> Loaded(const model::ModelConfig& config) {
    auto network = train::Network<float>::Create(
        *run_.devices.front(), {.config = config, .moments = train::Moments::kNone},
        FullVocab(config));
    EXPECT_TRUE(network.ok()) << (network.ok() ? "" : network.error().message);
    for (auto& p : (*network)->parameters().all()) {
      const Status read = folder_->Read(p.spec, p.value.span());
      EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().message);
    }
    EXPECT_TRUE((*network)->StageWeights().ok());
    return std::move(*network);
  }

  // The logits of the words that both know.
  std::vector<float> Logits(train::Network<float>& network) {
    const data::VocabMap& vocab = network.vocab();
    std::vector<int32_t> rows(window_.size() - 1);
    EXPECT_TRUE(vocab.MapTokens(std::span(window_).first(rows.size()), rows).ok());
    const auto all = *network.Logits(rows);
    std::vector<float> logits;
    for (const int32_t word : Words()) {
      const auto* row = all.data() + static_cast<size_t>(vocab.Row(word)) * rows.size();
      logits.insert(logits.end(), row, row + rows.size());
    }
    return logits;
  }

  double Loss(train::Network<float>& network) {
    std::vector<int32_t> rows(window_.size());
    EXPECT_TRUE(network.vocab().MapTokens(window_, rows).ok());
    const std::span<const int32_t> all(rows);
    return *network.Loss(all.first(all.size() - 1), all.subspan(1));
  }

  double Tolerance() const {
    const auto& c = GetParam().config;
    return 16 * Gamma(DType::kFp32, 10 * c.layers * std::max(c.hidden_dim, c.vocab));
  }

  TrainerRun run_;
  std::unique_ptr<train::Trainer> trainer_;
  std::unique_ptr<checkpoint::HfFolder> folder_;
  std::vector<int32_t> window_ =
      DrawWords(Words(), static_cast<size_t>(GetParam().config.seq + 1), 3);
};

TEST_P(Export, ComputesTheSameLogitsAndLoss) {
  EXPECT_EQ(folder_->config().rotary, model::RotaryLayout::kHalfSplit);
  const auto exported = Loaded(folder_->config());
  const std::vector<float> expected = Logits(trainer_->network());
  const std::vector<float> logits = Logits(*exported);
  EXPECT_LE((NormError<float, float>(logits, expected)), Tolerance());

  // The same numbers in the other layout are another function: the comparison can fail.
  model::ModelConfig wrong = folder_->config();
  wrong.rotary = model::RotaryLayout::kInterleaved;
  EXPECT_GT((NormError<float, float>(Logits(*Loaded(wrong)), expected)), 2 * Tolerance());

  if (GetParam().vocab == data::VocabMode::kActive) {
    // A softmax over more words: the loss can only be higher.
    EXPECT_GT(Loss(*exported), Loss(trainer_->network()));
    return;
  }
  // The loss moves by twice the largest change of a logit at most.
  const double norm = Norm2(std::span<const float>(expected));
  EXPECT_NEAR(Loss(*exported), Loss(trainer_->network()), 2 * Tolerance() * norm);
}

// Words that the data does not hold: all alike in `exact`, as first drawn in `active`.
TEST_P(Export, GivesEveryWordItsRow) {
  const auto exported = Loaded(folder_->config());
  auto& embedding = exported->parameters().Get(model::TensorRole::kEmbedding);
  auto& trained = trainer_->network().parameters().Get(model::TensorRole::kEmbedding);
  const data::VocabMap& vocab = trainer_->network().vocab();
  const auto dim = static_cast<size_t>(GetParam().config.dim);
  std::vector<float> drawn(dim);
  for (int32_t word = 0; word < vocab.vocab(); ++word) {
    const float* row = embedding.value.data() + static_cast<size_t>(word) * dim;
    const auto trained_row = [&](int64_t index) {
      return trained.value.data() + static_cast<size_t>(index) * dim;
    };
    const float* expected = drawn.data();
    if (vocab.Row(word) >= 0) {
      expected = trained_row(vocab.Row(word));
    } else if (vocab.has_shared_row()) {
      expected = trained_row(vocab.rows() - 1);
    } else {
      model::InitRows(embedding.spec, run_.options.seed, word, word + 1, drawn.data());
    }
    EXPECT_TRUE(std::equal(row, row + dim, expected)) << "word " << word;
  }
}

std::vector<ExportCase> AllExportCases() {
  std::vector<ExportCase> cases;
  std::vector<model::ModelConfig> configs = TinyConfigs();
  configs.push_back(Untied(TinyMha()));
  for (const model::ModelConfig& config : configs) {
    for (const auto vocab :
         {data::VocabMode::kExact, data::VocabMode::kActive, data::VocabMode::kFull}) {
      for (const double alpha : {1.0, 0.5}) cases.push_back({config, vocab, alpha});
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, Export, ::testing::ValuesIn(AllExportCases()), NameOfExport);

}  // namespace
}  // namespace millwright::testing
