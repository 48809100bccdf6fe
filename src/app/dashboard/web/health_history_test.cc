#include "app/dashboard/web/health_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace millwright::app::web {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

telemetry::TensorHealth Tensor(const std::string& name, int64_t layer, double norm,
                               int64_t elements = 1, double zeros = 0, int64_t not_finite = 0) {
  telemetry::TensorHealth tensor{.name = name, .layer = layer, .elements = elements};
  tensor.weight.norm = 2 * norm;
  tensor.gradient.emplace();
  tensor.gradient->norm = norm;
  tensor.gradient->largest = norm / 2;
  tensor.gradient->zeros = zeros;
  tensor.gradient->not_finite = not_finite;
  return tensor;
}

telemetry::TensorsEvent TwoLayers(int64_t step, double scale = 1) {
  return {step,
          {Tensor("model.embed_tokens.weight", -1, 7 * scale),
           Tensor("model.layers.0.self_attn.q_proj.weight", 0, 3 * scale, 30, 0.5, 1),
           Tensor("model.layers.0.mlp.up_proj.weight", 0, 4 * scale, 10, 0.1, 2),
           Tensor("model.layers.1.self_attn.q_proj.weight", 1, 5 * scale)}};
}

TEST(HealthHistory, LayersAreSummedUpAsTheirMeasureAsks) {
  HealthHistory history;
  history.Add(TwoLayers(10));
  const auto layer0 = [&history](Measure measure) {
    const HealthMap map = history.Draw({.measure = measure}, 10);
    EXPECT_THAT(map.rows, ElementsAre("layer 0", "layer 1", "model.embed_tokens"));
    return map.values[0][0];
  };
  EXPECT_FLOAT_EQ(layer0(Measure::kNorm), 5);  // of 3 and 4
  EXPECT_FLOAT_EQ(layer0(Measure::kLargest), 2);
  EXPECT_FLOAT_EQ(layer0(Measure::kZeros), 0.4f);  // 16 of 40 elements
  EXPECT_FLOAT_EQ(layer0(Measure::kNotFinite), 3);
}

TEST(HealthHistory, AKindIsARowOfEachLayer) {
  HealthHistory history;
  history.Add(TwoLayers(10));
  history.Add(TwoLayers(20, 2));
  EXPECT_THAT(history.Kinds(), ElementsAre("self_attn.q_proj", "mlp.up_proj"));
  const HealthMap map = history.Draw({.gradients = false, .kind = "self_attn.q_proj"}, 10);
  EXPECT_THAT(map.rows, ElementsAre("layer 0", "layer 1"));
  EXPECT_THAT(map.steps, ElementsAre(10, 20));
  EXPECT_THAT(map.values[1], ElementsAre(FloatEq(10), FloatEq(20)));
}

TEST(HealthHistory, WhatWasNotToldIsNoNumber) {
  HealthHistory history;
  auto frozen = TwoLayers(10);
  frozen.tensors[0].gradient.reset();
  frozen.tensors.pop_back();
  history.Add(frozen);
  history.Add(TwoLayers(20));
  const HealthMap map = history.Draw({}, 10);
  EXPECT_TRUE(std::isnan(map.values[1][0]));
  EXPECT_FLOAT_EQ(map.values[1][1], 5);
  EXPECT_TRUE(std::isnan(map.values[2][0]));
}

TEST(HealthHistory, ColumnsThatStandForSeveralShowTheLargest) {
  HealthHistory history;
  for (int64_t i = 1; i <= 10; ++i) history.Add(TwoLayers(i, i == 3 ? 100 : 1));
  const HealthMap map = history.Draw({.kind = "self_attn.q_proj"}, 5);
  EXPECT_THAT(map.steps, ElementsAre(2, 4, 6, 8, 10));
  EXPECT_THAT(map.values[0], ElementsAre(3, 300, 3, 3, 3));
}

TEST(HealthHistory, ALongRunIsKeptMoreCoarsely) {
  HealthHistory history;
  const auto events = static_cast<int64_t>(5 * HealthHistory::kMostEvents);
  for (int64_t i = 1; i <= events; ++i) {
    history.Add({i, {Tensor("w", -1, static_cast<double>(i))}});
  }
  const HealthMap map = history.Draw({}, 1u << 20);
  EXPECT_LE(map.steps.size(), HealthHistory::kMostEvents);
  EXPECT_GE(map.steps.size(), HealthHistory::kMostEvents / 2);
  EXPECT_EQ(map.steps.back(), events);
  for (size_t i = 0; i < map.steps.size(); ++i) {
    EXPECT_EQ(map.values[0][i], static_cast<float>(map.steps[i]));
  }
}

TEST(HealthHistory, AnEmptyOneDrawsNothing) {
  const HealthMap map = HealthHistory().Draw({}, 10);
  EXPECT_TRUE(map.steps.empty() && map.rows.empty());
}

}  // namespace
}  // namespace millwright::app::web
