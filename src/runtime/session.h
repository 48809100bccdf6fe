// The training kernels on a device: compiled once, bound to the host's memory, staged and run.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "kernels/kernel.h"

namespace millwright::runtime {

struct SessionOptions {
  model::ModelConfig config;
  kernels::Binding binding = kernels::Binding::kSeparate;
  double residual_alpha = 1.0;
  model::LoraConfig lora = {};
  bool fuse_attention_backward = true;  // where the device can
  int64_t batch = 1;                    // see KernelSpec::batch
  std::set<kernels::KernelId> only;     // the kernels of this session; empty: all
  int64_t cache = 0;                    // see KernelSpec::cache
};

// The spec that `device` gets its kernels for.
kernels::KernelSpec MakeSpec(const device::Device& device, const SessionOptions& options);

// Host memory of a launch's operands, by operand name. T is the host's element type.
template <class T>
using OperandMemory = std::map<std::string, T*, std::less<>>;

// What a kernel cost so far.
struct KernelTimes {
  int64_t runs = 0;
  double device_ms = 0;
  double staging_ms = 0;
  ProductCounts products;  // where the device counts them
};

struct CompileCounts {
  int64_t programs = 0;  // compiled since the session was opened, recompilations included
  double ms = 0;
};

// T is float for training and double for gradient checks in `exact` evaluation.
template <class T>
class Session {
 public:
  using LaunchId = size_t;

  // Generates and compiles the kernels (those with baked-in weights wait for StageWeights). The
  // device must outlive the session.
  static Result<std::unique_ptr<Session>> Open(device::Device& device,
                                               const SessionOptions& options);
  ~Session();

  const kernels::KernelSpec& spec() const;
  // Whether this session has the kernel as a program of its own (see KernelDef::operands).
  bool Has(kernels::KernelId kernel) const;

  // Binds a kernel on a layer to host memory, which must hold every operand, be 64-byte aligned and
  // outlive the session. Where the device can wrap it, nothing is ever copied.
  Result<LaunchId> Prepare(kernels::KernelId kernel, int64_t layer, const OperandMemory<T>& memory);

  // Brings changed weights to the device: copies them into packed or converted surfaces, or
  // compiles anew where they are baked in. Call after every update, before the next Run.
  Status StageWeights();

  // Copies activations in where needed, runs, copies results out. An error leaves the outputs
  // unread.
  Status Run(LaunchId launch);

  const CompileCounts& compiles() const;
  const KernelTimes& times(kernels::KernelId kernel) const;
  double weight_staging_ms() const;

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millwright::runtime
