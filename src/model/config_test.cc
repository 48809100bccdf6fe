#include "model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "model/test_models.h"

namespace millwright::model {
namespace {

TEST(Config, TheShippedModelsAreValid) {
  for (const auto& config : {models::kQwen3_06B, models::kStories110M, models::kStoriesNano}) {
    EXPECT_TRUE(Validate(config).ok()) << config.name.view();
  }
}

TEST(Config, EveryImpossibleFieldIsNamed) {
  struct Case {
    const char* field;
    void (*spoil)(ModelConfig*);
  };
  const Case cases[] = {
      {"dim:", [](ModelConfig* c) { c->dim = 0; }},
      {"dim:", [](ModelConfig* c) { c->dim = int64_t{1} << 40; }},
      {"hidden_dim:", [](ModelConfig* c) { c->hidden_dim = -1; }},
      {"layers:", [](ModelConfig* c) { c->layers = 1 << 20; }},
      {"heads:", [](ModelConfig* c) { c->heads = 0; }},
      {"heads:", [](ModelConfig* c) { c->heads = c->kv_heads = 1 << 18; }},
      {"kv_heads:", [](ModelConfig* c) { c->kv_heads = 0; }},
      {"kv_heads:", [](ModelConfig* c) { c->kv_heads = 5; }},
      {"head_dim:", [](ModelConfig* c) { c->head_dim = 7; }},
      {"seq:", [](ModelConfig* c) { c->seq = 0; }},
      {"vocab:", [](ModelConfig* c) { c->vocab = int64_t{1} << 31; }},
      {"rope_theta:", [](ModelConfig* c) { c->rope_theta = 0; }},
      {"rms_norm_eps:",
       [](ModelConfig* c) { c->rms_norm_eps = std::numeric_limits<double>::quiet_NaN(); }},
  };
  for (const auto& [field, spoil] : cases) {
    ModelConfig config = models::kStories110M;
    spoil(&config);
    const Status status = Validate(config);
    ASSERT_FALSE(status.ok()) << field;
    EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
    EXPECT_EQ(status.error().message.rfind(field, 0), 0u) << status.error().message;
  }
}

TEST(Config, NamesAreValues) {
  ModelConfig config;
  {
    const std::string temporary = "a name that lives only for a while, and is long";
    config.name = temporary;
  }
  const ModelConfig copy = config;
  EXPECT_EQ(copy.name, "a name that lives only for a while, and is long");
  EXPECT_EQ(fmt::format("{:>3}|{}", Name("x"), config.name),
            "  x|a name that lives only for a while, and is long");
  EXPECT_EQ(Name(std::string(100, 'y')).view(), std::string(63, 'y'));
  EXPECT_TRUE(Name().empty());
}

}  // namespace
}  // namespace millwright::model
