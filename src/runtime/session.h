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
#include "runtime/kernel_programs.h"
#include "runtime/kernel_times.h"
#include "runtime/operand_flow.h"

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
  kernels::Offload offload = {};        // what has kernels besides
};

// The spec that `device` gets its kernels for.
kernels::KernelSpec MakeSpec(const device::Device& device, const SessionOptions& options);

// Host memory of a launch's operands, by operand name. T is the host's element type.
template <class T>
using OperandMemory = std::map<std::string, T*, std::less<>>;

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

  // Binds a kernel on a layer to host memory, which must hold every operand and outlive the
  // session. Where the device can wrap it, and it is 64-byte aligned, nothing is ever copied. What
  // `flow` says need not pass through that memory does not, where the device's element type allows
  // it; kernels that it names must have been prepared before.
  Result<LaunchId> Prepare(kernels::KernelId kernel, int64_t layer, const OperandMemory<T>& memory,
                           const OperandFlow& flow = {});

  // Brings changed weights to the device: copies them into packed or converted surfaces, or
  // compiles anew where they are baked in. Call after every update, before the next Run. Where the
  // device leaves the host free (Caps::asynchronous) the copying goes on beside what comes next: a
  // Run waits for the weights of its own launch. WaitForStaging() before weights are changed again.
  Status StageWeights();
  Status WaitForStaging();

  // Programs that each StageWeights() compiles: those with baked-in weights, one a launch.
  int64_t programs_per_staging() const;
  // Launches of kernels with weights: what programs_per_staging() would be, were they baked in.
  int64_t launches_with_weights() const;

  // Whether the device's compile budget, which is for one process, allows another StageWeights().
  bool CanStage() const;

  // Copies activations in where needed, runs, copies out what the host reads. An error leaves the
  // outputs unread.
  Status Run(LaunchId launch);

  const CompileCounts& compiles() const;
  const KernelTimes& times(kernels::KernelId kernel) const;
  KernelTimes total_times() const;  // of all kernels
  double weight_staging_ms() const;

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millwright::runtime
