// What a state says of where its run started from.
#include "train/origin.h"

#include <gmock/gmock.h>

namespace millwright::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using train::Origin;

model::TokenIds Tokens(std::optional<int64_t> bos, std::optional<int64_t> eos,
                       const std::vector<int64_t>& more = {}) {
  model::TokenIds tokens;
  tokens.bos = bos;
  tokens.eos = eos;
  tokens.more_eos = more;
  return tokens;
}

TEST(Origin, ComesBackFromMeta) {
  Origin origin;
  origin.base = "models/base";
  origin.context = 40960;
  origin.tokens = Tokens(1, 2, {5, 7});
  origin.other_dtypes["model.norm.weight"] = DType::kFp32;
  origin.repeat_tied_classifier = true;
  json meta = {{"updates", 3}};
  AddToMeta(origin, meta);
  const auto read = train::OriginFromMeta(json::parse(meta.dump()));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->base, origin.base);
  EXPECT_EQ(read->context, origin.context);
  EXPECT_EQ(read->tokens, origin.tokens);
  EXPECT_EQ(read->other_dtypes, origin.other_dtypes);
  EXPECT_TRUE(read->repeat_tied_classifier);
  EXPECT_EQ(meta["updates"], 3);
}

// A state of an earlier version: the model is for the run's own seq.
TEST(Origin, AbsentFieldsAreDefaults) {
  const auto read = train::OriginFromMeta({{"bos", 1}, {"eos", nullptr}});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->tokens, Tokens(1, std::nullopt));
  EXPECT_EQ(train::ExportConfig({.seq = 256}, *read).seq, 256);
  EXPECT_EQ(train::ExportConfig({.seq = 256}, {.context = 128}).seq, 256);
  EXPECT_EQ(train::ExportConfig({.seq = 256}, {.context = 512}).seq, 512);
}

TEST(Origin, FieldsOfAnotherTypeAreRefusedByName) {
  const std::pair<const char*, json> wrong[] = {{"base", 3},
                                                {"context", "long"},
                                                {"context", -1},
                                                {"context", int64_t{1} << 31},
                                                {"more_eos", 5},
                                                {"more_eos", {"five"}},
                                                {"repeat_tied_classifier", 1},
                                                {"other_dtypes", json::array()},
                                                {"other_dtypes", {{"model.norm.weight", "int8"}}}};
  for (const auto& [key, value] : wrong) {
    const auto read = train::OriginFromMeta({{key, value}});
    ASSERT_FALSE(read.ok()) << key;
    EXPECT_THAT(read.error().message, HasSubstr(std::string(key) + ": expected"));
  }
}

TEST(Origin, OnlyAbsentTokensAreFilled) {
  const model::TokenIds other = Tokens(1, 2, {3});
  model::TokenIds none, some = Tokens(std::nullopt, 7, {8});
  train::FillAbsent(other, none);
  EXPECT_EQ(none, other);
  train::FillAbsent(other, some);
  EXPECT_EQ(some, Tokens(1, 7, {8}));
}

}  // namespace
}  // namespace millwright::testing
