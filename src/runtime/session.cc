#include "runtime/session.h"

#include <algorithm>

#include "base/clock.h"
#include "base/work_queue.h"
#include "math/convert.h"
#include "runtime/surface_pool.h"

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
          .lora = options.lora,
          .offload = options.offload};
}

namespace {

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

}  // namespace

template <class T>
struct Session<T>::Impl {
  Impl(device::Device& d, const SessionOptions& options)
      : device(d), programs(d, MakeSpec(d, options)), surfaces(d, programs) {
    if (device.caps().asynchronous) queue = std::make_unique<WorkQueue>();
  }

  device::Device& device;
  KernelPrograms programs;
  SurfacePool<T> surfaces;
  std::array<KernelTimes, kernels::kKernelCount> times;
  std::vector<Launch<T>> launches;
  double weight_staging_ms = 0;
  std::unique_ptr<WorkQueue> queue;  // last: its jobs use the others

  KernelTimes& TimesOf(KernelId kernel) { return times[static_cast<size_t>(kernel)]; }
  bool KeepsValues() const;
  Place SourceOf(const Launch<T>& launch, const OperandFlow& flow, std::string_view operand) const;
  Result<BoundPort<T>> BindPort(const Launch<T>& launch, const Port& port, bool input,
                                const OperandFlow& flow);
  Status BindSurface(const Launch<T>& launch, BoundPort<T>& bound);
  Status BindCall(Launch<T>& launch, device::Executable& executable);
  Status Recompile(Launch<T>& launch);
  Status CopyWeights(const Launch<T>& launch) const;
  Status Fill(const Launch<T>& launch, KernelTimes& counts) const;
  Status Fetch(const Launch<T>& launch, KernelTimes& counts) const;
  std::vector<std::byte> BlobFile(const kernels::WeightBlob& blob, const Launch<T>& launch) const;
};

// Whether a value of the device's passes through host memory unchanged, so that it need not go
// there.
template <class T>
bool Session<T>::Impl::KeepsValues() const {
  return DTypeSize(device.caps().storage) <= sizeof(T);
}

template <class T>
Place Session<T>::Impl::SourceOf(const Launch<T>& launch, const OperandFlow& flow,
                                 std::string_view operand) const {
  const auto source = flow.from.find(operand);
  if (source == flow.from.end() || !KeepsValues()) return {};
  const Place place = surfaces.Shared(source->second.kernel, source->second.operand);
  return source->second.kernel == launch.kernel || place.surface == nullptr ||
                 place.segment->transposed
             ? Place()
             : place;
}

// The source's own surface where the port is nothing but that operand; else one of the pool.
template <class T>
Status Session<T>::Impl::BindSurface(const Launch<T>& launch, BoundPort<T>& bound) {
  const bool alone = bound.port->IsWholeOperand();
  const BoundOperand<T>& first = bound.operands.front();
  if (alone && first.source.surface != nullptr && first.source.port->IsWholeOperand() &&
      first.source.surface->desc().type == bound.port->type) {
    bound.surface = first.source.surface;
    return {};
  }
  auto surface =
      surfaces.Get(launch.kernel, *bound.port, alone ? first.host : nullptr, &bound.wrapped);
  if (!surface) return surface.error();
  bound.surface = *surface;
  return {};
}

template <class T>
Result<BoundPort<T>> Session<T>::Impl::BindPort(const Launch<T>& launch, const Port& port,
                                                bool input, const OperandFlow& flow) {
  BoundPort<T> bound{.port = &port, .surface = nullptr, .wrapped = false, .operands = {}};
  for (const kernels::Segment& segment : port.segments) {
    const auto memory = launch.memory.find(segment.operand);
    if (memory == launch.memory.end()) {
      return Failed("kernel {}: no host memory for operand {}", kernels::Get(launch.kernel).name,
                    segment.operand);
    }
    const Operand* operand = programs.operands(launch.kernel).Find(segment.operand);
    bound.operands.push_back(
        {.place = {.surface = nullptr, .port = &port, .segment = &segment},
         .host = memory->second,
         .weight = operand->weight,
         .source = input ? SourceOf(launch, flow, segment.operand) : Place(),
         .stays = !input && flow.stays.contains(segment.operand) && KeepsValues()});
  }
  if (Status status = BindSurface(launch, bound); !status) return status.error();
  for (BoundOperand<T>& operand : bound.operands) operand.place.surface = bound.surface;
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
  const Operand& operand = *programs.operands(launch.kernel).Find(blob.operand);
  const DType dtype = programs.spec().target.dtype;
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
  const KernelProgram& program = programs.program(launch.kernel);
  mil::WeightStore weights = program.constants;
  for (const kernels::WeightBlob& blob : program.blobs) {
    weights.Put("@model_path/weights/" + blob.file, BlobFile(blob, launch));
  }
  launch.call.reset();
  launch.own.reset();
  auto compiled = programs.Compile(launch.kernel, std::move(weights));
  if (!compiled) return compiled.error();
  launch.own = std::move(*compiled);
  return BindCall(launch, *launch.own->executable);
}

template <class T>
Status Session<T>::Impl::CopyWeights(const Launch<T>& launch) const {
  for (const BoundPort<T>& port : launch.inputs) {
    if (port.wrapped) continue;
    for (const BoundOperand<T>& operand : port.operands) {
      if (!operand.weight) continue;
      if (Status status = CopyIn(operand); !status) return status;
    }
  }
  return {};
}

// Brings the activations to the device, where they are not there already.
template <class T>
Status Session<T>::Impl::Fill(const Launch<T>& launch, KernelTimes& counts) const {
  for (const BoundPort<T>& port : launch.inputs) {
    if (port.wrapped) continue;
    for (const BoundOperand<T>& operand : port.operands) {
      if (operand.weight) continue;
      if (operand.source.surface == port.surface) {
        ++counts.handed_on;
        continue;
      }
      const bool across = operand.source.surface != nullptr;
      Status status = across ? CopyAcross(operand.source, operand.place) : CopyIn(operand);
      if (!status) return status;
      if (across) {
        ++counts.handed_on;
      } else {
        counts.CountCopy(operand.place.bytes());
      }
    }
  }
  return {};
}

template <class T>
Status Session<T>::Impl::Fetch(const Launch<T>& launch, KernelTimes& counts) const {
  for (const BoundPort<T>& port : launch.outputs) {
    if (port.wrapped) continue;
    for (const BoundOperand<T>& operand : port.operands) {
      if (operand.stays) continue;
      if (Status status = CopyOut(operand); !status) return status;
      counts.CountCopy(operand.place.bytes());
    }
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
  auto status = impl->programs.Make(options.only);
  if (!status) return status.error();
  return std::unique_ptr<Session>(new Session(std::move(impl)));
}

template <class T>
const kernels::KernelSpec& Session<T>::spec() const {
  return impl_->programs.spec();
}

template <class T>
bool Session<T>::Has(KernelId kernel) const {
  return impl_->programs.Has(kernel);
}

template <class T>
Result<size_t> Session<T>::Prepare(KernelId kernel, int64_t layer, const OperandMemory<T>& memory,
                                   const OperandFlow& flow) {
  if (!Has(kernel))
    return Failed("kernel {} is not part of this session", kernels::Get(kernel).name);
  auto staged = WaitForStaging();  // its jobs name launches
  if (!staged) return staged.error();
  const KernelProgram& program = impl_->programs.program(kernel);
  Launch<T> launch{.kernel = kernel,
                   .layer = layer,
                   .memory = memory,
                   .inputs = {},
                   .outputs = {},
                   .own = nullptr,
                   .staging = 0,
                   .call = nullptr};
  for (const Port& port : program.inputs) {
    auto bound = impl_->BindPort(launch, port, true, flow);
    if (!bound) return bound.error();
    launch.inputs.push_back(std::move(*bound));
  }
  for (const Port& port : program.outputs) {
    auto bound = impl_->BindPort(launch, port, false, flow);
    if (!bound) return bound.error();
    launch.outputs.push_back(std::move(*bound));
  }
  if (!impl_->programs.BakesWeights(kernel)) {
    auto status = impl_->BindCall(launch, *impl_->programs.executable(kernel));
    if (!status) return status.error();
  }
  impl_->launches.push_back(std::move(launch));
  return impl_->launches.size() - 1;
}

template <class T>
int64_t Session<T>::programs_per_staging() const {
  return std::count_if(
      impl_->launches.begin(), impl_->launches.end(),
      [this](const Launch<T>& launch) { return impl_->programs.BakesWeights(launch.kernel); });
}

template <class T>
int64_t Session<T>::launches_with_weights() const {
  return std::ranges::count_if(impl_->launches, [this](const Launch<T>& launch) {
    return impl_->programs.HasWeights(launch.kernel);
  });
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
  impl_->surfaces.WeightsChanged();
  for (Launch<T>& launch : impl_->launches) {
    if (impl_->programs.BakesWeights(launch.kernel)) {
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
  KernelTimes& times = impl_->TimesOf(launch.kernel);
  if (launch.call == nullptr) {
    return Failed("kernel {}: weights were never staged", kernels::Get(launch.kernel).name);
  }
  Stopwatch watch;
  auto status = impl_->queue == nullptr ? Status() : impl_->queue->Wait(launch.staging);
  if (status) status = impl_->Fill(launch, times);
  if (!status) return status;
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
  status = impl_->Fetch(launch, times);
  times.staging_ms += watch.ms();
  return status;
}

template <class T>
const CompileCounts& Session<T>::compiles() const {
  return impl_->programs.compiles();
}

template <class T>
const KernelTimes& Session<T>::times(KernelId kernel) const {
  return impl_->TimesOf(kernel);
}

template <class T>
KernelTimes Session<T>::total_times() const {
  KernelTimes total;
  for (const KernelTimes& times : impl_->times) total += times;
  return total;
}

template <class T>
double Session<T>::weight_staging_ms() const {
  return impl_->weight_staging_ms;
}

template class Session<float>;
template class Session<double>;

}  // namespace millwright::runtime
