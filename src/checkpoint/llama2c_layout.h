// Where the weights lie in a model file of llama2.c.
//
// Version 0 (legacy): seven i32 (dim, hidden_dim, layers, heads, kv_heads, vocab, seq), then fp32:
// embedding; all layers' rms_att, wq, wk, wv, wo, rms_ffn, w1, w2, w3; rms_final; cosines and sines
// of the rotary angles, [seq, head_dim/2] each, which readers compute anew. A negative vocab says
// that a classifier follows. Version 1: u32 magic 0x616b3432, i32 version, the seven sizes, u8 1
// where the classifier is the embedding, zeros to byte 256; then fp32: all rms_att, all rms_ffn,
// rms_final, embedding, all wq, wk, wv, wo, w1, w2, w3, the classifier where it is apart. Version 2
// (Q8_0): the same order, and an i32 group size at byte 37; norms are fp32, a matrix is its
// elements as i8, then an fp32 scale for every group of them.
// Source: export.py, run.c and runq.c of llama2.c. The rotary layout is the interleaved one, theta
// is 10000 and the norms' epsilon 1e-5: run.c's constants.
#pragma once

#include <cstdint>
#include <vector>

#include "model/config.h"
#include "model/tensors.h"

namespace millwright::checkpoint {

inline constexpr uint32_t kLlama2cMagic = 0x616b3432;
inline constexpr uint64_t kLlama2cLegacyHeaderBytes = 28;
inline constexpr uint64_t kLlama2cHeaderBytes = 256;
inline constexpr double kLlama2cTheta = 10000.0;
inline constexpr double kLlama2cEps = 1e-5;

struct Llama2cFormat {
  int version = 0;         // 0, 1 or 2
  int64_t group_size = 0;  // of version 2: divides dim

  // True for a tensor that is held as integers with scales.
  bool Quantizes(const model::TensorSpec& spec) const { return version == 2 && !spec.is_norm(); }
};

// A tensor and the byte of the file at which it begins.
struct Llama2cPiece {
  model::TensorSpec spec;
  uint64_t offset = 0;
};

struct Llama2cLayout {
  std::vector<Llama2cPiece> pieces;  // in the order of the file
  uint64_t bytes = 0;                // of the whole file
};

// The layout of a valid config.
Llama2cLayout LayOutLlama2c(const model::ModelConfig& config, const Llama2cFormat& format);

// Elements of the rotary tables of version 0, cosines and sines together.
uint64_t Llama2cTableElements(const model::ModelConfig& config);

}  // namespace millwright::checkpoint
