#include "runtime/session.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/clock.h"
#include "base/work_queue.h"
#include "math/convert.h"
#include "runtime/staging.h"

namespace millwright::runtime {

using kernels::Binding;
using kernels::KernelId;
using kernels::KernelProgram;
using kernels::Operand;
using kernels::Port;

kernels::KernelSpec MakeSpec(const device::Device& device, const SessionOptions& options) {
  const device::Caps& caps = device.caps();
  const bool fused = caps.fused_attention_backward && options.fuse_attention_backward &&
                     options.binding != Binding::kPacked;
  return {.config = options.config,
          .binding = options.binding,
          .target = {.dtype = caps.dtype,
                     .fused_attention_backward = fused,
                     .width_multiple = caps.dtype == DType::kFp16 ? 32 : caps.width_multiple,
                     .max_width = caps.max_width,
                     .width_slices = caps.width_slices,
                     .split_inputs = caps.split_inputs,
                     .rotary_by_matrix = caps.rotary_by_matrix,
                     .narrow_factors = caps.narrow_factors},
          .residual_alpha = options.residual_alpha,
          .batch = options.batch,
          .cache = options.cache,
          .lora = options.lora};
}

namespace {

// A program as the device has it. Executables refer to the weights, so both live together.
struct Compiled {
  mil::WeightStore weights;
  std::unique_ptr<device::Executable> executable;
};

template <class T>
struct BoundPort {
  const Port* port = nullptr;
  device::Surface* surface = nullptr;
  bool wrapped = false;  // the surface is the operand's host memory
  std::vector<BoundSegment<T>> segments;
};

template <class T>
struct Launch {
  KernelId kernel;
  int64_t layer = 0;
  OperandMemory<T> memory;
  std::vector<BoundPort<T>> inputs, outputs;
  std::unique_ptr<Compiled> own;  // binding kConstant, kernels with weights
  int64_t staging = 0;            // the ticket of its weights' copying, where that is queued
  std::unique_ptr<device::Call> call;
};

bool HasWeights(const kernels::Operands& operands) {
  for (const Operand& operand : operands.inputs) {
    if (operand.weight) return true;
  }
  return false;
}

}  // namespace

template <class T>
struct Session<T>::Impl {
  Impl(device::Device& d, const SessionOptions& options)
      : device(d), spec(MakeSpec(d, options)), only(options.only) {
    if (device.caps().asynchronous) queue = std::make_unique<WorkQueue>();
  }

  device::Device& device;
  kernels::KernelSpec spec;
  std::set<KernelId> only;
  std::array<KernelProgram, 16> programs;
  std::array<kernels::Operands, 16> operands;
  std::array<std::unique_ptr<Compiled>, 16> compiled;
  std::array<KernelTimes, 16> times;
  // Surfaces shared by all layers, by kernel and port; then those that belong to one launch.
  std::map<std::pair<KernelId, std::string>, std::unique_ptr<device::Surface>> shared;
  std::vector<std::unique_ptr<device::Surface>> owned;
  // Surfaces over the host's weights: one for each weight, whatever kernels read it.
  std::map<const T*, device::Surface*> host_weights;
  std::vector<Launch<T>> launches;
  CompileCounts compiles;
  double weight_staging_ms = 0;
  std::unique_ptr<WorkQueue> queue;  // last: its jobs use the others

  static size_t Index(KernelId kernel) { return static_cast<size_t>(kernel); }
  bool BakesWeights(KernelId kernel) const {
    return spec.binding == Binding::kConstant && HasWeights(operands[Index(kernel)]);
  }

  Status GenerateAll();
  Result<std::unique_ptr<Compiled>> Compile(KernelId kernel, mil::WeightStore weights);
  Result<device::Surface*> SurfaceFor(const Launch<T>& launch, const Port& port, bool input,
                                      T* whole, bool* wrapped);
  Result<BoundPort<T>> BindPort(const Launch<T>& launch, const Port& port, bool input);
  Status BindCall(Launch<T>& launch, device::Executable& executable);
  Status Recompile(Launch<T>& launch);
  Status CopyWeights(const Launch<T>& launch) const;
  std::vector<std::byte> BlobFile(const kernels::WeightBlob& blob, const Launch<T>& launch) const;
};

template <class T>
Status Session<T>::Impl::GenerateAll() {
  for (const kernels::KernelDef* kernel : kernels::AllKernels()) {
    if (!only.empty() && !only.contains(kernel->id)) continue;
    const size_t i = Index(kernel->id);
    operands[i] = kernel->operands(spec);
    if (operands[i].outputs.empty()) continue;
    auto program = kernels::Generate(*kernel, spec);
    if (!program) return program.error();
    programs[i] = std::move(*program);
    for (const device::Issue& issue : device.Check(programs[i].program)) {
      if (!issue.is_error()) continue;
      return BadInput("kernel {} cannot run on device {}: {} {}: {}", kernel->name, device.name(),
                      issue.constraint, issue.where, issue.message);
    }
    if (BakesWeights(kernel->id)) continue;
    auto result = Compile(kernel->id, programs[i].constants);
    if (!result) return result.error();
    compiled[i] = std::move(*result);
  }
  return {};
}

template <class T>
Result<std::unique_ptr<Compiled>> Session<T>::Impl::Compile(KernelId kernel,
                                                            mil::WeightStore weights) {
  const Stopwatch watch;
  auto result = std::make_unique<Compiled>();
  result->weights = std::move(weights);
  auto executable = device.Compile(programs[Index(kernel)].program, result->weights);
  if (!executable) {
    return executable.error().In(
        fmt::format("kernel {} on device {}", kernels::Get(kernel).name, device.name()));
  }
  result->executable = std::move(*executable);
  ++compiles.programs;
  compiles.ms += watch.ms();
  return result;
}

// Wraps the operand's memory where the surface would be a copy of it; else one surface for all
// layers, or one a launch where weights stay in it between runs.
template <class T>
Result<device::Surface*> Session<T>::Impl::SurfaceFor(const Launch<T>& launch, const Port& port,
                                                      bool input, T* whole, bool* wrapped) {
  const device::Caps& caps = device.caps();
  *wrapped = whole != nullptr && caps.wraps_host_memory && caps.storage == DTypeOf<T>::value;
  bool holds_weights = false;
  for (const kernels::Segment& segment : port.segments) {
    const Operand* operand = operands[Index(launch.kernel)].Find(segment.operand);
    holds_weights |= operand != nullptr && operand->weight;
  }
  if (*wrapped) {
    if (holds_weights && host_weights.contains(whole)) return host_weights[whole];
    const size_t bytes = static_cast<size_t>(port.rows * port.columns) * sizeof(T);
    auto surface = device.WrapHost(port.type, {reinterpret_cast<std::byte*>(whole), bytes});
    if (!surface) return surface.error();
    owned.push_back(std::move(*surface));
    device::Surface* pointer = owned.back().get();
    if (holds_weights) {
      pointer->Hold();
      host_weights[whole] = pointer;
    }
    return pointer;
  }
  const auto key = std::make_pair(launch.kernel, (input ? "in " : "out ") + port.name);
  if (!holds_weights && shared.contains(key)) return shared[key].get();
  auto surface = device.NewSurface(port.type);
  if (!surface) return surface.error();
  device::Surface* pointer = surface->get();
  if (holds_weights) {
    if (port.IsWholeOperand()) pointer->Hold();
    owned.push_back(std::move(*surface));
  } else {
    shared[key] = std::move(*surface);
  }
  return pointer;
}

template <class T>
Result<BoundPort<T>> Session<T>::Impl::BindPort(const Launch<T>& launch, const Port& port,
                                                bool input) {
  BoundPort<T> bound{.port = &port, .surface = nullptr, .wrapped = false, .segments = {}};
  for (const kernels::Segment& segment : port.segments) {
    const auto memory = launch.memory.find(segment.operand);
    if (memory == launch.memory.end()) {
      return Failed("kernel {}: no host memory for operand {}", kernels::Get(launch.kernel).name,
                    segment.operand);
    }
    const Operand* operand = operands[Index(launch.kernel)].Find(segment.operand);
    bound.segments.push_back({&segment, memory->second, operand->weight});
  }
  T* whole = port.IsWholeOperand() ? bound.segments.front().host : nullptr;
  auto surface = SurfaceFor(launch, port, input, whole, &bound.wrapped);
  if (!surface) return surface.error();
  bound.surface = *surface;
  return bound;
}

template <class T>
Status Session<T>::Impl::BindCall(Launch<T>& launch, device::Executable& executable) {
  std::vector<device::Surface*> inputs, outputs;
  for (const BoundPort<T>& port : launch.inputs) inputs.push_back(port.surface);
  for (const BoundPort<T>& port : launch.outputs) outputs.push_back(port.surface);
  auto call = executable.Bind(inputs, outputs);
  if (!call) return call.error().In(fmt::format("kernel {}", kernels::Get(launch.kernel).name));
  launch.call = std::move(*call);
  return {};
}

template <class T>
std::vector<std::byte> Session<T>::Impl::BlobFile(const kernels::WeightBlob& blob,
                                                  const Launch<T>& launch) const {
  const Operand& operand = *operands[Index(launch.kernel)].Find(blob.operand);
  const DType dtype = spec.target.dtype;
  std::vector<std::byte> data(static_cast<size_t>(operand.rows * operand.columns) *
                              DTypeSize(dtype));
  math::ConvertBlock(operand.rows, operand.columns, DTypeOf<T>::value,
                     launch.memory.find(blob.operand)->second, operand.columns, dtype, data.data(),
                     blob.transposed ? operand.rows : operand.columns, blob.transposed);
  mil::BlobWriter writer;
  writer.Add(dtype, data);
  return std::move(writer).Finish();
}

template <class T>
Status Session<T>::Impl::Recompile(Launch<T>& launch) {
  const KernelProgram& program = programs[Index(launch.kernel)];
  mil::WeightStore weights = program.constants;
  for (const kernels::WeightBlob& blob : program.blobs) {
    weights.Put("@model_path/weights/" + blob.file, BlobFile(blob, launch));
  }
  launch.call.reset();
  launch.own.reset();
  auto compiled_program = Compile(launch.kernel, std::move(weights));
  if (!compiled_program) return compiled_program.error();
  launch.own = std::move(*compiled_program);
  return BindCall(launch, *launch.own->executable);
}

template <class T>
Status Session<T>::Impl::CopyWeights(const Launch<T>& launch) const {
  for (const BoundPort<T>& port : launch.inputs) {
    if (port.wrapped) continue;
    bool any = false;
    for (const auto& segment : port.segments) any |= segment.weight;
    if (!any) continue;
    auto status = CopyIn(port.segments, *port.port, true, *port.surface);
    if (!status) return status;
  }
  return {};
}

template <class T>
Session<T>::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

template <class T>
Session<T>::~Session() = default;

template <class T>
Result<std::unique_ptr<Session<T>>> Session<T>::Open(device::Device& device,
                                                     const SessionOptions& options) {
  auto impl = std::make_unique<Impl>(device, options);
  auto status = impl->GenerateAll();
  if (!status) return status.error();
  return std::unique_ptr<Session>(new Session(std::move(impl)));
}

template <class T>
const kernels::KernelSpec& Session<T>::spec() const {
  return impl_->spec;
}

template <class T>
bool Session<T>::Has(KernelId kernel) const {
  return !impl_->operands[Impl::Index(kernel)].outputs.empty();
}

template <class T>
Result<size_t> Session<T>::Prepare(KernelId kernel, int64_t layer, const OperandMemory<T>& memory) {
  if (!Has(kernel))
    return Failed("kernel {} is not part of this session", kernels::Get(kernel).name);
  auto staged = WaitForStaging();  // its jobs name launches
  if (!staged) return staged.error();
  const KernelProgram& program = impl_->programs[Impl::Index(kernel)];
  Launch<T> launch{.kernel = kernel,
                   .layer = layer,
                   .memory = memory,
                   .inputs = {},
                   .outputs = {},
                   .own = nullptr,
                   .staging = 0,
                   .call = nullptr};
  for (const Port& port : program.inputs) {
    auto bound = impl_->BindPort(launch, port, true);
    if (!bound) return bound.error();
    launch.inputs.push_back(std::move(*bound));
  }
  for (const Port& port : program.outputs) {
    auto bound = impl_->BindPort(launch, port, false);
    if (!bound) return bound.error();
    launch.outputs.push_back(std::move(*bound));
  }
  if (!impl_->BakesWeights(kernel)) {
    auto status = impl_->BindCall(launch, *impl_->compiled[Impl::Index(kernel)]->executable);
    if (!status) return status.error();
  }
  impl_->launches.push_back(std::move(launch));
  return impl_->launches.size() - 1;
}

template <class T>
int64_t Session<T>::programs_per_staging() const {
  return std::count_if(
      impl_->launches.begin(), impl_->launches.end(),
      [this](const Launch<T>& launch) { return impl_->BakesWeights(launch.kernel); });
}

template <class T>
bool Session<T>::CanStage() const {
  const int budget = impl_->device.caps().compile_budget;
  return budget == 0 || impl_->device.compilations() + programs_per_staging() <= budget;
}

template <class T>
Status Session<T>::StageWeights() {
  const Stopwatch watch;
  if (!CanStage()) {
    return Failed(
        "device {}: {} programs are compiled and {} more would bake the weights in, but a process "
        "may compile {}; binding packed or separate compiles each kernel once",
        impl_->device.name(), impl_->device.compilations(), programs_per_staging(),
        impl_->device.caps().compile_budget);
  }
  auto status = WaitForStaging();
  if (!status) return status;
  for (const auto& [memory, surface] : impl_->host_weights) surface->Changed();
  for (Launch<T>& launch : impl_->launches) {
    if (impl_->BakesWeights(launch.kernel)) {
      status = impl_->Recompile(launch);
    } else if (impl_->queue != nullptr) {
      launch.staging =
          impl_->queue->Push([impl = impl_.get(), &launch] { return impl->CopyWeights(launch); });
    } else {
      status = impl_->CopyWeights(launch);
    }
    if (!status) return status;
  }
  impl_->weight_staging_ms += watch.ms();
  return {};
}

template <class T>
Status Session<T>::WaitForStaging() {
  return impl_->queue == nullptr ? Status() : impl_->queue->WaitAll();
}

template <class T>
Status Session<T>::Run(LaunchId id) {
  Launch<T>& launch = impl_->launches[id];
  KernelTimes& times = impl_->times[Impl::Index(launch.kernel)];
  if (launch.call == nullptr) {
    return Failed("kernel {}: weights were never staged", kernels::Get(launch.kernel).name);
  }
  Stopwatch watch;
  auto status = impl_->queue == nullptr ? Status() : impl_->queue->Wait(launch.staging);
  if (!status) return status;
  for (const BoundPort<T>& port : launch.inputs) {
    if (port.wrapped || port.surface->held()) continue;
    status = CopyIn(port.segments, *port.port, false, *port.surface);
    if (!status) return status;
    ++times.copies;
  }
  times.staging_ms += watch.ms();
  const ProductCounters* counters = impl_->device.products();
  const ProductCounts before = counters == nullptr ? ProductCounts() : counters->Read();
  watch.Restart();
  status = launch.call->Run();
  if (!status) {
    return status.error().In(
        fmt::format("kernel {} of layer {}", kernels::Get(launch.kernel).name, launch.layer));
  }
  times.device_ms += watch.ms();
  ++times.runs;
  if (counters != nullptr) times.products += counters->Read() - before;
  watch.Restart();
  for (const BoundPort<T>& port : launch.outputs) {
    if (port.wrapped) continue;
    auto copied = CopyOut(port.segments, *port.port, *port.surface);
    if (!copied) return copied;
    ++times.copies;
  }
  times.staging_ms += watch.ms();
  return {};
}

template <class T>
const CompileCounts& Session<T>::compiles() const {
  return impl_->compiles;
}

template <class T>
const KernelTimes& Session<T>::times(KernelId kernel) const {
  return impl_->times[Impl::Index(kernel)];
}

template <class T>
double Session<T>::weight_staging_ms() const {
  return impl_->weight_staging_ms;
}

template class Session<float>;
template class Session<double>;

}  // namespace millwright::runtime
