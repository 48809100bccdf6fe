// Every call that the device makes is made to fail in turn: there is an error or a right result,
// never a wrong one, and nothing is left behind.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "device/ane/test_emulator.h"
#include "device/ane/test_program.h"

namespace millwright::device::ane {
namespace {

Result<std::vector<std::vector<Values>>> Live(const Emulator& emulator, AnePath path) {
  auto device = OpenAneDevice(emulator.Options(path));
  if (!device) return device.error();
  const auto built = SmallProgram();
  auto bound = BindProgram(**device, built);
  if (!bound) return bound.error();
  std::vector<std::vector<Values>> results;
  for (uint64_t seed : {1, 2}) {
    auto outputs = RunBound(*bound, RandomInputs(built.program.main(), seed));
    if (!outputs) {
      // A failed run leaves nothing to read, unless what failed was the reading itself or before.
      return outputs.error();
    }
    results.push_back(*std::move(outputs));
  }
  return results;
}

class Faults : public ::testing::TestWithParam<AnePath> {};

TEST_P(Faults, EveryCallInTurn) {
  const Emulator emulator;
  const auto expected = Live(emulator, GetParam());
  ASSERT_TRUE(expected.ok()) << expected.error().message;
  std::map<std::string, int64_t> calls;
  for (const std::string& name : emulator.EntryNames()) calls[name] = emulator.calls(name.c_str());
  int64_t injected = 0, errors = 0;
  std::set<std::string> harmless;
  for (const auto& [name, count] : calls) {
    bool always_harmless = count > 0;
    for (const int fault : {MWEMU_FAIL, MWEMU_FAIL_MUTELY, MWEMU_ERROR_YES, MWEMU_LIE}) {
      // The other faults are those of methods with a BOOL and an NSError.
      if (fault != MWEMU_FAIL && name.find("rror:]") == std::string::npos) continue;
      for (int64_t nth = 1; nth <= count; ++nth) {
        // The first calls, the last ones, and some between.
        if (nth > 6 && nth < count - 2 && nth % 7 != 0) continue;
        emulator.reset();
        emulator.set_limits(1 << 30, uint64_t{2} << 30);
        emulator.inject(name.c_str(), static_cast<int>(nth), fault);
        const auto result = Live(emulator, GetParam());
        const std::string what =
            fmt::format("{}, call {} of {}, fault {}", name, nth, count, fault);
        ++injected;
        if (result.ok()) {
          EXPECT_EQ(*result, *expected) << what;
        } else {
          ++errors;
          always_harmless = false;
          EXPECT_FALSE(result.error().message.empty()) << what;
          EXPECT_EQ(result.error().message.find('\n'), std::string::npos) << what;
        }
        emulator.ExpectNothingLeft(what);
      }
    }
    if (always_harmless) harmless.insert(name);
  }
  EXPECT_GT(injected, 100);
  EXPECT_GT(errors, 30);
  // What may fail without anyone noticing: what only helps, cannot fail, or is tried again.
  for (const std::string& name : harmless) {
    const bool helps = name.find("compiledModelExists") != std::string::npos ||
                       name.find("SymbolIndices") != std::string::npos ||
                       name.find("NSIndexSet") != std::string::npos ||
                       name.find("_ANEDeviceInfo") != std::string::npos ||
                       name.find("model]") != std::string::npos;
    const bool cannot = name.starts_with("objc_") || name.find("elease") != std::string::npos ||
                        name.starts_with("object_") || name == "class_getMethodImplementation" ||
                        name == "CFErrorGetCode" || name.find("unload") != std::string::npos;
    const bool again = name.find("loadWithQoS") != std::string::npos;
    // Path E asks the Objective-C side for the machine only.
    const bool other_side = GetParam() == AnePath::kE5rt && !name.starts_with("e5rt_");
    EXPECT_TRUE(helps || cannot || again || other_side) << name << " may fail unnoticed";
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, Faults, ::testing::Values(AnePath::kInMemory, AnePath::kE5rt),
                         [](const auto& test) {
                           return test.param == AnePath::kInMemory ? "InMemory" : "E5rt";
                         });

// An OS that took a class or a method away: an error that names it, or it was optional.
TEST(Faults, EveryMethodMissing) {
  const Emulator emulator;
  const auto expected = Live(emulator, AnePath::kInMemory);
  ASSERT_TRUE(expected.ok());
  int missed = 0;
  for (const std::string& name : emulator.EntryNames()) {
    if (!name.ends_with("]")) continue;
    emulator.reset();
    emulator.set_limits(1 << 30, uint64_t{2} << 30);
    emulator.remove(name.c_str());
    const auto result = Live(emulator, AnePath::kInMemory);
    if (result.ok()) {
      EXPECT_EQ(*result, *expected) << name;
    } else {
      ++missed;
      EXPECT_THAT(result.error().message, ::testing::HasSubstr(name));
    }
    emulator.ExpectNothingLeft(name);
  }
  EXPECT_EQ(missed, 9);
}

// A thousand programs come and go.
TEST(Faults, NothingIsLeftOfAThousandPrograms) {
  const Emulator emulator;
  const auto device = emulator.Open();
  mil::Builder b;
  const auto x = b.Input("x", {DType::kFp16, {1, 1, 1, 32}});
  const auto w = b.WeightsRef("w.bin", {DType::kFp16, {1, 1, 1, 32}});
  const auto y = b.Mul("y", x, w);
  auto built = *std::move(b).Finish({y});
  for (int i = 0; i < 1000; ++i) {
    const std::vector<Fp16> weights(32, ToFp16(static_cast<float>(i)));
    mil::BlobWriter writer;
    writer.Add(DType::kFp16, std::as_bytes(std::span(weights)));
    built.weights.Put("@model_path/weights/w.bin", std::move(writer).Finish());
    const auto outputs = RunProgram(*device, built, {Values(32, 1.0)});
    ASSERT_TRUE(outputs.ok()) << outputs.error().message;
    ASSERT_EQ((*outputs)[0], Values(32, i));
    ASSERT_EQ(emulator.live_objects(), 0);
  }
  EXPECT_EQ(emulator.compilations(), 1000);
}

}  // namespace
}  // namespace millwright::device::ane
