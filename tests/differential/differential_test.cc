// Random programs on every device, within computed bounds.
//
// MILLWRIGHT_DIFFERENTIAL_PROGRAMS (default 400) and MILLWRIGHT_DIFFERENTIAL_SEED (default 1) say
// how many and which. A program that fails is made smaller and written to a file, whose name is
// printed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "device/cpu/report.h"
#include "mil/ops/op.h"
#include "tests/differential/check.h"
#include "tests/differential/op_specs.h"

namespace millwright::differential {
namespace {

constexpr int kOperations = 14;
constexpr double kLoose = 0.01;  // of a bound: errors that never come near it

uint64_t FromEnvironment(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

// A program that is about the operation whose turn it is.
Grown Draw(uint64_t seed) {
  const auto ops = mil::AllOps();
  return Grower(seed).Grow(ops[seed % ops.size()]->name, kOperations);
}

// What all programs together have shown.
struct Seen {
  Shares shares;
  std::set<device::CompileRule> rules;
  std::set<std::string> ops;

  void Look(const Grown& grown) {
    for (const mil::Operation& operation : grown.program.main().operations)
      ops.insert(operation.op);
    for (Precision precision : {Precision::kFp32, Precision::kFp16}) {
      const auto report = device::ReportCompilation(grown.program, {}, {.precision = precision});
      if (!report) continue;
      for (const auto& operation : report->operations) {
        rules.insert(operation.rules.begin(), operation.rules.end());
      }
    }
  }

  // The largest share of the bound by operation, loose ones marked.
  void Print() const {
    fmt::print("operation                        elements  largest error / bound\n");
    for (const auto& [op, share] : shares.largest) {
      fmt::print("{:<30} {:>10}  {:.4f}{}\n", op, shares.elements.at(op), share,
                 share < kLoose ? "  loose" : "");
    }
  }
};

void Fail(const Grown& grown, uint64_t seed, const Error& error) {
  const Grown small = Shrink(grown, CheckedTargets());
  const std::string path = fmt::format("{}differential-{}.mil", ::testing::TempDir(), seed);
  std::ofstream(path) << ToText(small);
  const Status again = Check(small, CheckedTargets());
  ADD_FAILURE() << "seed " << seed << ": " << error.message << "\nsmaller, in " << path << ": "
                << (again ? "" : again.error().message) << "\n"
                << ToText(small);
}

TEST(Differential, ProgramsAgreeWithinTheirBounds) {
  const uint64_t first = FromEnvironment("MILLWRIGHT_DIFFERENTIAL_SEED", 1);
  const uint64_t count = FromEnvironment("MILLWRIGHT_DIFFERENTIAL_PROGRAMS", 400);
  fmt::print("{} programs from seed {}\n", count, first);
  Seen seen;
  int failures = 0;
  for (uint64_t seed = first; seed < first + count && failures < 5; ++seed) {
    const Grown grown = Draw(seed);
    const Status status = Check(grown, CheckedTargets(), &seen.shares);
    if (!status) {
      ++failures;
      Fail(grown, seed, status.error());
      continue;
    }
    seen.Look(grown);
  }
  seen.Print();
  if (failures > 0 || count < 400) return;
  for (const mil::OpDef* op : mil::AllOps()) {
    EXPECT_TRUE(seen.ops.contains(std::string(op->name))) << op->name << " was never drawn";
  }
  // Three need the precisions and weights of device/cpu/rounded_test.cc.
  const std::set elsewhere = {device::CompileRule::kNarrowProduct,
                              device::CompileRule::kInt8Product, device::CompileRule::kBf16Product};
  for (const device::CompileRule rule : device::AllRules()) {
    if (elsewhere.contains(rule)) continue;
    EXPECT_TRUE(seen.rules.contains(rule)) << device::RuleName(rule) << " never fired";
  }
}

TEST(Differential, EveryOperationCanBeDrawn) {
  for (const mil::OpDef* op : mil::AllOps()) {
    const OpSpec* spec = FindSpec(op->name);
    ASSERT_NE(spec, nullptr) << op->name << " has no line in tests/differential/specs_*.cc";
    EXPECT_NE(spec->draw, nullptr) << op->name;
  }
}

// A check that lets everything pass would go unnoticed: the reference in fp16 says that it is one
// in fp32.
TEST(Differential, WrongResultsAreFoundAndMadeSmall) {
  const auto targets = CheckedTargets();
  const auto fp32 = std::ranges::find(targets, Precision::kFp32, &Target::precision);
  ASSERT_NE(fp32, targets.end());
  Target wrong = *fp32;
  wrong.open = [open = fp32->open](const device::DeviceOptions&) {
    return open({.precision = Precision::kFp16});
  };
  int found = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Grown grown = Draw(seed);
    if (Check(grown, {wrong})) continue;  // moves only, or numbers that fp16 has
    ++found;
    const Grown small = Shrink(grown, {wrong});
    EXPECT_FALSE(Check(small, {wrong}));
    EXPECT_EQ(small.program.main().outputs.size(), 1u);
    EXPECT_LE(small.program.main().operations.size(), 6u) << ToText(small);
  }
  EXPECT_GE(found, 10);
}

}  // namespace
}  // namespace millwright::differential
