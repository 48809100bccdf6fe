#include "telemetry/json_tape.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/rng.h"

namespace millwright::telemetry {
namespace {

using nlohmann::json;

// What the tape says of a value, as the library's tree would hold it.
json TreeOf(const JsonValue& value) {
  switch (value.kind()) {
    case JsonKind::kNull:
      return nullptr;
    case JsonKind::kBool:
      return *value.Bool();
    case JsonKind::kNumber:
      return value.Integer() ? json(*value.Integer()) : json(value.Number().value_or(NAN));
    case JsonKind::kString:
      return *value.String();
    case JsonKind::kArray: {
      json array = json::array();
      value.EachElement([&](const JsonValue& one) { array.push_back(TreeOf(one)); });
      return array;
    }
    case JsonKind::kObject: {
      json object = json::object();
      value.EachField([&](const JsonValue& name, const JsonValue& one) {
        object[*name.String()] = TreeOf(one);
      });
      return object;
    }
  }
  return {};
}

// The library knows one more way in which a text is wrong: a number beyond the largest double.
bool IsTooLarge(const std::string& text) {
  try {
    return json::parse(text).is_discarded();
  } catch (const json::out_of_range&) {
    return true;
  } catch (const json::parse_error&) {
    return false;
  }
}

// The tape takes what the library takes, and reads the same in it.
void ExpectAsTheLibrary(const std::string& text) {
  if (IsTooLarge(text)) return;
  const json tree = json::parse(text, nullptr, false);
  const auto tape = JsonTape::Read(text);
  ASSERT_EQ(tape.ok(), !tree.is_discarded()) << text;
  if (!tape) return;
  ASSERT_EQ(TreeOf(tape->root()).dump(), tree.dump()) << text;
}

TEST(JsonTape, ReadsValuesOfEachKind) {
  const std::string text =
      R"( {"a":null,"b":true,"c":[1,-2.5e3,"x",[],{}],"d":{"e":"\u00e9\n"},"f":false,"a":7} )";
  const auto tape = JsonTape::Read(text);
  ASSERT_TRUE(tape.ok());
  const JsonValue root = tape->root();
  EXPECT_EQ(root.Find("a")->kind(), JsonKind::kNull);  // the first one
  EXPECT_EQ(root.Find("b")->Bool(), true);
  EXPECT_EQ(root.Find("c")->text(), R"([1,-2.5e3,"x",[],{}])");
  EXPECT_EQ(root.Find("d")->Find("e")->String(), "\xc3\xa9\n");
  EXPECT_FALSE(root.Find("e").has_value());
  ExpectAsTheLibrary(text);
}

TEST(JsonTape, NothingIsReadAsAnotherKind) {
  const auto tape = JsonTape::Read(R"(["1",1.5,9223372036854775808,1e999])");
  ASSERT_TRUE(tape.ok());
  std::vector<JsonValue> values;
  tape->root().EachElement([&](const JsonValue& value) { values.push_back(value); });
  ASSERT_EQ(values.size(), 4u);
  EXPECT_FALSE(values[0].Number() || values[0].Integer() || values[0].Bool());
  EXPECT_FALSE(values[1].Integer() || values[1].String());
  EXPECT_FALSE(values[2].Integer());
  EXPECT_EQ(values[2].Number(), 9223372036854775808.0);
  EXPECT_FALSE(values[3].Number());
  EXPECT_FALSE(values[0].Find("1"));
}

TEST(JsonTape, KnowsTheGrammar) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "[1,]",
                           "{,}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "[1 2]",
                           "01",
                           "-",
                           "-0",
                           "1.",
                           ".5",
                           "1e",
                           "1e+",
                           "+1",
                           "0x1",
                           "NaN",
                           "nul",
                           "truth",
                           "\"",
                           "\"\\\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "\"\\ud83d\\ude00\"",
                           "\"\x80\"",
                           "\"a\tb\"",
                           "\"\xc3\xa9\"",
                           "[[[]]]",
                           "1 1",
                           "-0.0e-0",
                           "1E5",
                           "[]]",
                           "4e-400"}) {
    ExpectAsTheLibrary(text);
  }
}

TEST(JsonTape, DepthHasABound) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + "1" + std::string(depth, ']');
  };
  EXPECT_TRUE(JsonTape::Read(nested(JsonTape::kDeepest)).ok());
  EXPECT_FALSE(JsonTape::Read(nested(JsonTape::kDeepest + 1)).ok());
  EXPECT_FALSE(JsonTape::Read(std::string(1000000, '[')).ok());
}

TEST(JsonTape, NumbersAreTheLibrarysToTheLastBit) {
  const Rng rng(3, 0);
  for (uint64_t i = 0; i < 5000; ++i) {
    const double value = std::bit_cast<double>(rng.Bits(i));
    if (!std::isfinite(value)) continue;
    const std::string text = fmt::format("{}", value);
    EXPECT_EQ(JsonTape::Read(text)->root().Number(), value) << text;
  }
}

// A text in which bytes were changed, taken away and doubled is JSON to both or to neither.
TEST(JsonTape, TakesWhatTheLibraryTakesOfSpoiledTexts) {
  const std::string whole =
      R"({"type":"step","step":12,"loss":-1.5e-05,"ok":[true,false,null,{"n":"\u0041\\\"","é":0}],"t":""})";
  const std::string_view bytes = "{}[]:,\"\\0123456789.eE+-truefalsn u\xc3\xa9\x01";
  const Rng rng(7, 0);
  uint64_t draw = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = whole;
    const uint64_t changes = 1 + rng.Below(draw++, 3);
    for (uint64_t change = 0; change < changes; ++change) {
      const size_t at = rng.Below(draw++, text.size());
      const char byte = bytes[rng.Below(draw++, bytes.size())];
      const uint64_t kind = rng.Below(draw++, 3);
      if (kind == 0) text[at] = byte;
      if (kind == 1) text.erase(at, 1);
      if (kind == 2) text.insert(at, 1, byte);
    }
    ASSERT_NO_FATAL_FAILURE(ExpectAsTheLibrary(text));
  }
}

}  // namespace
}  // namespace millwright::telemetry
