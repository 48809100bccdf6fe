// The training state of a run: everything that is needed to go on as if the run had never stopped.
//
// RUN/state-<step>/weights.safetensors    fp32 tensors
// RUN/state-<step>/optimizer.safetensors  their moments, fp32 or bf16
// RUN/state-<step>/state.json             the step, and what the caller gives
// RUN/state-<step>/checksums              a line "name size xxh3" for each of these files
// RUN/LATEST                              the name of the state to resume from
//
// A state is written as state-<step>.tmp/, synced, renamed, and only then named by LATEST: a crash
// or a full disk at any moment leaves the state before it in place.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/shape.h"
#include "checkpoint/safetensors.h"

namespace millwright::checkpoint {

// A tensor to save: NumElements(shape) elements of either type, in which it is written.
struct NamedTensor {
  std::string name;
  Shape shape;
  std::variant<std::span<const float>, std::span<const Bf16>> data;
};

// Disk space that WriteState needs. Only names, shapes and `meta` are read: `data` may be empty.
uint64_t StateBytes(const nlohmann::json& meta, std::span<const NamedTensor> weights,
                    std::span<const NamedTensor> optimizer);

// Writes run_dir/state-<step> and points LATEST at it; creates run_dir if it is missing. Names must
// be unique over weights and optimizer together. Stale temporary folders are removed first.
// Afterwards these states remain: the two highest up to `step`, the one of `best_step`, and any
// later than `step` (left over where the user went back to an earlier state). On failure nothing of
// the earlier states has changed. Non-finite numbers in `meta` read back as null.
Status WriteState(const std::string& run_dir, int64_t step, const nlohmann::json& meta,
                  std::span<const NamedTensor> weights, std::span<const NamedTensor> optimizer,
                  std::optional<int64_t> best_step);

// A state opened for reading; all checksums have been verified.
class StateReader {
 public:
  // The state that run_dir/LATEST names. Bad input if LATEST is missing, or if it names a state
  // that is missing or damaged: the message then names a good older state, if there is one. Never
  // falls back to another state by itself.
  static Result<StateReader> OpenLatest(const std::string& run_dir);

  // Bad input, by file and reason, for a folder that is not a state or whose files are truncated,
  // changed or missing.
  static Result<StateReader> Open(const std::string& state_dir);

  const std::string& path() const { return path_; }
  int64_t step() const { return step_; }
  const nlohmann::json& meta() const { return meta_; }

  // What the state holds, in the order in which it was written.
  const Safetensors& weights() const { return weights_; }
  const Safetensors& optimizer() const { return optimizer_; }

  // Reads a tensor of either file. Bad input if it is missing or has another shape; for bf16 also
  // if it is of another dtype: what was saved is read bit by bit.
  Status Read(const std::string& name, const Shape& shape, std::span<float> out) const;
  Status Read(const std::string& name, const Shape& shape, std::span<Bf16> out) const;

 private:
  StateReader(std::string path, Safetensors weights, Safetensors optimizer)
      : path_(std::move(path)), weights_(std::move(weights)), optimizer_(std::move(optimizer)) {}

  std::string path_;
  int64_t step_ = 0;
  nlohmann::json meta_;
  Safetensors weights_, optimizer_;
};

// The steps of the states in run_dir, ascending, good or damaged; empty if there is no such folder.
std::vector<int64_t> ListStates(const std::string& run_dir);

// "RUN/state-100".
std::string StatePath(const std::string& run_dir, int64_t step);

// Removes LATEST, then every state and temporary folder: a run that is to be overwritten.
Status RemoveStates(const std::string& run_dir);

}  // namespace millwright::checkpoint
