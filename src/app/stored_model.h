// A model read from whatever it is stored in: a run, a training state, a Hugging Face folder, a
// BLZT file or a llama2.c file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/result.h"
#include "checkpoint/blzt.h"
#include "checkpoint/hf_folder.h"
#include "model/config.h"

namespace millwright::app {

struct StoredModel {
  std::string format;  // "training state", "Hugging Face folder", "llama2.c version 0", ...
  std::string path;    // what was opened: a run folder stands for its latest state
  model::ModelConfig config;
  double residual_alpha = 1.0;
  double act_clip = 0.0;  // of a training state; 0: off
  model::TokenIds tokens;
  std::vector<std::string> tokenizer_files;
  checkpoint::BlztProgress progress;  // zeros where the format does not say
  bool has_moments = false;

  // How the weights are held: the dtype of most of them, the tensors that have another, and whether
  // a classifier that is the embedding is written out beside it.
  DType dtype = DType::kFp32;
  std::map<std::string, DType> other_dtypes;
  bool repeats_tied_classifier = false;

  // Any tensor of TensorTable(config), with all rows of the vocabulary, or Adam's moments of it:
  // zeros where there are none.
  checkpoint::BlztSource read;
};

// Opens `path`. Bad input says what is missing or damaged, or what a model could be.
Result<StoredModel> OpenStoredModel(const std::string& path);

// What it does not say elsewhere: empty, or a line of warning that the model was trained with
// --act-clip, which nothing but its own run and `eval` of that run applies.
std::string ActClipWarning(const StoredModel& model);

// The weights of `model` as those of an ordinary network: residual_alpha is folded in.
checkpoint::TensorSource OrdinaryWeights(const StoredModel& model);

// The folder of the model's tokenizer_files; empty where it has none.
std::string TokenizerFolder(const StoredModel& model);

// The tokenizer's files in `dir`, under their usual names.
std::vector<std::string> TokenizerFiles(const std::string& dir);

}  // namespace millwright::app
