// A trainer on a tiny network, with everything that it needs, for tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/open_device.h"
#include "checkpoint/test_folder.h"
#include "data/token_list.h"
#include "tests/training/tiny_models.h"
#include "train/trainer.h"

namespace millwright::testing {

// Keeps the events, and stops the run at a micro-step.
class EventLog : public telemetry::Sink {
 public:
  Status Write(const telemetry::Event& event) override {
    events.push_back(event);
    const auto* step = std::get_if<telemetry::StepEvent>(&event);
    if (step != nullptr && step->step == stop_after) stop = true;
    if (step != nullptr && on_step) on_step();
    return {};
  }

  template <class T>
  std::vector<T> Of() const {
    std::vector<T> result;
    for (const telemetry::Event& event : events) {
      if (const T* typed = std::get_if<T>(&event)) result.push_back(*typed);
    }
    return result;
  }

  // The last loss of every micro-step.
  std::map<int64_t, float> Losses() const {
    std::map<int64_t, float> losses;
    for (const auto& step : Of<telemetry::StepEvent>()) losses[step.step] = step.loss;
    return losses;
  }

  int64_t stop_after = -1;
  std::function<void()> on_step;  // after every micro-step, before the update
  std::atomic<bool> stop{false};
  std::vector<telemetry::Event> events;
};

// `count` words drawn from `words`.
inline std::vector<int32_t> DrawWords(const std::vector<int32_t>& words, size_t count,
                                      uint64_t seed) {
  const Rng rng(seed, StreamId("test words"));
  std::vector<int32_t> ids(count);
  for (size_t i = 0; i < count; ++i) ids[i] = words[rng.Below(i, words.size())];
  return ids;
}

struct TrainerRun {
  explicit TrainerRun(std::string device_name = "reference") {
    options.config = TinyMha();
    options.device = std::move(device_name);
    options.steps = 12;
    options.accum = 3;
    options.warmup = 2;
    options.lr = 1e-2;
    options.vocab = data::VocabMode::kExact;
    options.val_every = options.save_every = 1000;
    options.val_windows = 4;
    train = data::MakeTokenList(DrawWords({1, 2, 3, 5, 8, 13, 21}, 200, 1), "train");
  }

  // A trainer of the options as they are, without values yet.
  std::unique_ptr<train::Trainer> Create() {
    auto opened = app::OpenDevice(options.device, device_options, gemm_table);
    EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : opened.error().message);
    devices.push_back(wrap ? wrap(std::move(*opened)) : std::move(*opened));
    std::vector<std::shared_ptr<const data::TokenSource>> sources = {train};
    if (val != nullptr) sources.push_back(val);
    auto vocab = data::VocabMap::Build(options.vocab, options.config.vocab, sources);
    EXPECT_TRUE(vocab.ok()) << (vocab.ok() ? "" : vocab.error().message);
    auto trainer = train::Trainer::Create({.options = options,
                                           .train = train,
                                           .val = val,
                                           .run_dir = folder.File(run_name),
                                           .gemm_table = gemm_table},
                                          *vocab, *devices.back());
    EXPECT_TRUE(trainer.ok()) << (trainer.ok() ? "" : trainer.error().message);
    return std::move(*trainer);
  }

  std::unique_ptr<train::Trainer> Fresh() {
    auto trainer = Create();
    EXPECT_TRUE(trainer->Init().ok());
    return trainer;
  }

  // A trainer that goes on from LATEST.
  std::unique_ptr<train::Trainer> Resumed() {
    auto trainer = Create();
    const Status loaded = trainer->Load(Latest());
    EXPECT_TRUE(loaded.ok()) << (loaded.ok() ? "" : loaded.error().message);
    return trainer;
  }

  checkpoint::StateReader Latest() const {
    auto state = checkpoint::StateReader::OpenLatest(folder.File(run_name));
    EXPECT_TRUE(state.ok()) << (state.ok() ? "" : state.error().message);
    return std::move(*state);
  }

  train::TrainOptions options;
  device::DeviceOptions device_options;
  std::shared_ptr<const data::TokenSource> train, val;
  std::shared_ptr<const math::GemmTable> gemm_table;
  // What the trainer gets in place of the device that it is handed; may be empty.
  std::function<std::unique_ptr<device::Device>(std::unique_ptr<device::Device>)> wrap;
  checkpoint::TestFolder folder;
  std::string run_name = "run";
  std::vector<std::unique_ptr<device::Device>> devices;  // outlive the trainers
};

inline void RunToEnd(train::Trainer& trainer, EventLog& log,
                     train::RunEnd expected = train::RunEnd::kDone) {
  const auto end = trainer.Run(log, log.stop);
  ASSERT_TRUE(end.ok()) << (end.ok() ? "" : end.error().message);
  EXPECT_EQ(*end, expected);
}

template <class T>
bool SameBits(const AlignedBuffer<T>& a, const AlignedBuffer<T>& b) {
  return std::ranges::equal(std::as_bytes(a.span()), std::as_bytes(b.span()));
}

// Every weight and moment, equal as bits.
inline void ExpectSameParameters(train::Trainer& a, train::Trainer& b) {
  const auto& left = a.network().parameters().all();
  const auto& right = b.network().parameters().all();
  ASSERT_EQ(left.size(), right.size());
  for (size_t i = 0; i < left.size(); ++i) {
    EXPECT_TRUE(SameBits(left[i].value, right[i].value)) << left[i].spec.name;
    EXPECT_TRUE(SameBits(left[i].m, right[i].m)) << left[i].spec.name << " m";
    EXPECT_TRUE(SameBits(left[i].v, right[i].v)) << left[i].spec.name << " v";
    EXPECT_TRUE(SameBits(left[i].m_bf16, right[i].m_bf16)) << left[i].spec.name << " m";
    EXPECT_TRUE(SameBits(left[i].v_bf16, right[i].v_bf16)) << left[i].spec.name << " v";
  }
}

}  // namespace millwright::testing
