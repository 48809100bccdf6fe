#include "app/dashboard/web/histogram_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millwright::app::web {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Of a trained tensor "w" and a frozen one "frozen".
telemetry::TensorsEvent Look(int64_t step) {
  telemetry::TensorHealth trained{.name = "w", .layer = 0, .elements = 6};
  trained.weight.histogram = {-1, 1, {1, static_cast<int64_t>(step)}};
  trained.gradient.emplace();
  trained.gradient->histogram = {-0.5, 0.25, {7, 0, 2}};
  telemetry::TensorHealth frozen{.name = "frozen", .layer = 1, .elements = 6};
  frozen.weight.histogram = {0, 2, {3, 3}};
  return {step, {trained, frozen}};
}

TEST(HistogramHistory, KeepsWhatWasTold) {
  HistogramHistory history;
  EXPECT_THAT(history.Of("w", true, 10).steps, IsEmpty());
  for (const int64_t step : {10, 20}) history.Add(Look(step));
  EXPECT_THAT(history.names(), ElementsAre("w", "frozen"));
  const HistogramSeries weights = history.Of("w", false, 10);
  EXPECT_THAT(weights.steps, ElementsAre(10, 20));
  EXPECT_EQ(weights.histograms[1].low, -1);
  EXPECT_EQ(weights.histograms[1].high, 1);
  EXPECT_THAT(weights.histograms[1].counts, ElementsAre(1, 20));
  EXPECT_THAT(history.Of("w", true, 10).histograms[0].counts, ElementsAre(7, 0, 2));
  EXPECT_THAT(history.Of("frozen", true, 10).steps, IsEmpty());
  EXPECT_THAT(history.Of("frozen", false, 10).steps, ElementsAre(10, 20));
  EXPECT_THAT(history.Of("other", false, 10).steps, IsEmpty());
}

TEST(HistogramHistory, OfManyTheNewestIsAmongTheChosen) {
  HistogramHistory history;
  for (int64_t step = 1; step <= 10; ++step) history.Add(Look(step));
  EXPECT_THAT(history.Of("w", true, 10).steps.size(), 10u);
  EXPECT_THAT(history.Of("w", true, 3).steps, ElementsAre(2, 6, 10));
  EXPECT_THAT(history.Of("w", true, 1).steps, ElementsAre(10));
}

TEST(HistogramHistory, ALongRunIsThinnedOut) {
  HistogramHistory history;
  const auto most = static_cast<int64_t>(HistogramHistory::kMostEvents);
  for (int64_t step = 1; step <= 3 * most; ++step) history.Add(Look(step));
  const std::vector<int64_t> steps = history.Of("w", true, 10000).steps;
  EXPECT_GT(static_cast<int64_t>(steps.size()), most / 2 - 1);
  EXPECT_LE(static_cast<int64_t>(steps.size()), most);
  EXPECT_EQ(steps.back(), 3 * most);
  EXPECT_LE(steps.front(), 8);
}

TEST(HistogramHistory, WhatIsDoneAgainIsTakenBack) {
  HistogramHistory history;
  for (const int64_t step : {10, 20, 30}) history.Add(Look(step));
  history.Add(Look(20));
  EXPECT_THAT(history.Of("w", true, 10).steps, ElementsAre(10, 20));
  history.CutFrom(5);
  EXPECT_THAT(history.Of("w", true, 10).steps, IsEmpty());
}

}  // namespace
}  // namespace millwright::app::web
