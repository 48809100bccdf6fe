// A small trained run for the tests of commands that read one.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "checkpoint/test_folder.h"
#include "data/token_file.h"
#include "tests/app/run_command.h"

namespace millwright::testing {

// A network that BLZT can hold.
inline model::ModelConfig TinyPlain() {
  return {.name = "tiny_plain",
          .title = "Tiny plain",
          .dim = 16,
          .hidden_dim = 20,
          .layers = 2,
          .heads = 4,
          .kv_heads = 2,
          .head_dim = 4,
          .seq = 6,
          .vocab = 23};
}

inline void WriteTinyShard(const std::string& path) {
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 200; ++i) ids.push_back(i * i % 7 + 3 * (i % 5));
  const Status status = data::WriteShard(path, ids, {.vocab = 23});
  ASSERT_TRUE(status.ok()) << status.error().message;
}

// Trains `config` for four micro-steps into `folder`/run, on `folder`/data.bin.
inline void TrainTinyRun(const model::ModelConfig& config, const std::string& folder,
                         const std::vector<std::string>& more = {}) {
  WriteTinyShard(folder + "/data.bin");
  std::vector<std::string> arguments = {
      "train", "--scratch", "--data", folder + "/data.bin", "--steps",
      "4",     "--accum",   "2",      "--device",           "reference",
      "--lr",  "1e-2",      "--out",  folder + "/run"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const CommandResult result = RunCommand(config, arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
}

}  // namespace millwright::testing
