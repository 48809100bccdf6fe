// BLZT: the checkpoints of the reference trainer. Little-endian: a header of 96 bytes, then fp32.
//
// Header: i32 magic 0x424C5A54, version, step (next to run), total_steps, layers, vocab, dim,
// hidden_dim, heads, seq; f32 lr, loss; f64 compile, train and wall milliseconds; i32 steps,
// batches, adam_t; i32 kv_heads, head_dim, q_dim (version 4; 0 before: multi-head attention). Body:
// per layer Wq Wk Wv Wo W1 W2 W3 rms_att rms_ffn, then Adam's m and v of each of these nine in
// turn; after the layers rms_final, m, v and the embedding, m, v.
//
// The reference's graph differs from ours in one place: it adds alpha * Wo * attention and
// alpha * W2 * gate to the residual, alpha = 1/sqrt(2 * layers). With Wo = s * Wo_ref the functions
// are equal where s = alpha / residual_alpha (residual_alpha: our network's own factor, 1 by
// default), so that Wo_ref = Wo / s. By the chain rule the gradient of Wo_ref is s times that of
// Wo; Adam's m is linear in gradients and v quadratic: m_ref = s * m, v_ref = s^2 * v. Reading
// inverts this. Version 2 comes from the static pipeline, which has no alpha: s = 1. (It has no
// rotary embedding either: such weights read well but were trained for another function.) Other
// moments, norms, W1 and W3 are the same.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "base/result.h"
#include "model/config.h"
#include "model/tensors.h"

namespace millwright::checkpoint {

// The numbers of the header that are not sizes of the network.
struct BlztProgress {
  int32_t step = 0;  // next to run
  int32_t total_steps = 0;
  float lr = 0, loss = 0;
  double compile_ms = 0, train_ms = 0, wall_ms = 0;  // accumulated over the run
  int32_t steps = 0, batches = 0;                    // accumulated over the run
  int32_t adam_t = 0;
};

enum class BlztPart { kWeight, kM, kV };

// Yields a whole tensor or Adam moment, in the network's own rotary layout and scale.
using BlztSource =
    std::function<Status(const model::TensorSpec& spec, BlztPart part, std::span<float> out)>;

// Writes version 4 as `path`.tmp, synced and renamed over `path`. Rotary weights and their moments
// are permuted to the interleaved layout. Bad input, by field, for networks that the reference
// cannot compute: QK-norm, rope_theta other than 10000, rms_norm_eps other than 1e-5.
Status WriteBlzt(const std::string& path, const model::ModelConfig& config, double residual_alpha,
                 const BlztProgress& progress, const BlztSource& source);

// Size of the file: 96 + 12 * params.
uint64_t BlztBytes(const model::ModelConfig& config);

// True where the bytes begin with BLZT's magic.
bool LooksLikeBlzt(std::span<const std::byte> bytes);

// A checkpoint of version 2, 3 or 4 opened for reading.
class BlztFile {
 public:
  // Bad input, by file and reason: another magic or version, impossible sizes, a file that is not
  // exactly as long as its header says.
  static Result<BlztFile> Open(const std::string& path);

  int version() const { return version_; }
  const BlztProgress& progress() const { return progress_; }

  // Interleaved rotary, theta 10000, eps 1e-5, no QK-norm, residual_alpha 1. Query head h reads kv
  // head h / group, whatever map the reference's kernels had.
  const model::ModelConfig& config() const { return config_; }

  // Reads a tensor of TensorTable(config()) or one of its moments, in our scale.
  Status Read(const model::TensorSpec& spec, BlztPart part, std::span<float> out) const;

 private:
  BlztFile() = default;

  std::string path_;
  std::shared_ptr<const MappedFile> file_;
  int version_ = 0;
  BlztProgress progress_;
  model::ModelConfig config_;
};

}  // namespace millwright::checkpoint
