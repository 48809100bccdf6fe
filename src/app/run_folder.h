// The run folder: what may be done with it, and its run.json.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"

namespace millwright::app {

// Whether `dir` holds a run (a state, metrics or run.json).
bool HoldsRun(const std::string& dir);

// Bad input if a run from scratch must not start in `dir`: it holds a run and `overwrite` is not
// set, it is not a folder, or it could not be created where it would lie. Writes nothing.
Status CheckFresh(const std::string& dir, bool overwrite);

// Creates `dir`, without the remains of an earlier run (its states, metrics, model; nothing else).
Status PrepareFresh(const std::string& dir);

// Fails if the disk that `dir` lies on (or will lie on) has less than `bytes` free.
Status CheckFreeSpace(const std::string& dir, uint64_t bytes);

Status WriteRunJson(const std::string& dir, const nlohmann::json& run);

}  // namespace millwright::app
