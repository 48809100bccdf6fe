// Where the weights lie in a model file of llama2.c.
//
// Version 0 (legacy): seven i32 (dim, hidden_dim, layers, heads, kv_heads, vocab, seq), then fp32:
// embedding; all layers' rms_att, wq, wk, wv, wo, rms_ffn, w1, w2, w3; rms_final; cosines and sines
// of the rotary angles, [seq, head_dim/2] each, which readers compute anew. A negative vocab says
// that a classifier follows. Version 1: u32 magic 0x616b3432, i32 version, the seven sizes, u8 1
// where the classifier is the embedding, zeros to byte 256; then fp32: all rms_att, all rms_ffn,
// rms_final, embedding, all wq, wk, wv, wo, w1, w2, w3, the classifier where it is apart.
// Source: export.py and run.c of llama2.c. The rotary layout is the interleaved one, theta is 10000
// and the norms' epsilon 1e-5: run.c's constants.
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

// A tensor and the byte of the file at which its fp32 elements begin.
struct Llama2cPiece {
  model::TensorSpec spec;
  uint64_t offset = 0;
};

// The tensors of a valid config in the order of a file of version 0 or 1.
std::vector<Llama2cPiece> Llama2cPieces(const model::ModelConfig& config, int version);

// Elements of the rotary tables of version 0, cosines and sines together.
uint64_t Llama2cTableElements(const model::ModelConfig& config);

// Size of a file of version 0 or 1.
uint64_t Llama2cBytes(const model::ModelConfig& config, int version);

}  // namespace millwright::checkpoint
