#include "device/cpu/cpu_device.h"

#include <utility>

#include "base/page_blocks.h"
#include "base/threads.h"
#include "device/cpu/lowering.h"
#include "device/cpu/together.h"
#include "device/host_device.h"
#include "device/host_surface.h"
#include "device/ports.h"
#include "mil/verify.h"

namespace millwright::device {
namespace {

// What the executables of a device share.
struct Workspace {
  explicit Workspace(std::shared_ptr<const math::GemmTable> table) : gemm(std::move(table)) {}

  math::GemmEngine gemm;
  AlignedBuffer<float> arena;  // grows when an executable that needs more is compiled
  PageBlocks copy_memory;      // of their calls

  void Reserve(int64_t elements) {
    if (arena.size() < static_cast<size_t>(elements)) {
      arena = AlignedBuffer<float>(static_cast<size_t>(elements));
    }
  }
};

class CpuCall final : public Call {
 public:
  CpuCall(const cpu::Plan& plan, Workspace& workspace, std::span<Surface* const> surfaces,
          std::vector<std::span<std::byte>> inputs, std::vector<std::span<std::byte>> outputs)
      : plan_(plan),
        workspace_(workspace),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        buffers_(plan.buffers.size(), nullptr) {
    for (const cpu::Copy& copy : plan.copies) {
      const cpu::Buffer& of = plan.buffers[static_cast<size_t>(copy.buffer)];
      const bool constant = of.kind == cpu::BufferKind::kConstant;
      copies_.emplace_back(constant ? nullptr : surfaces[of.index], copy.bytes,
                           workspace.copy_memory);
    }
  }

  Status Run() override {
    for (size_t i = 0; i < buffers_.size(); ++i) buffers_[i] = Start(plan_.buffers[i]);
    const cpu::RunContext context{buffers_, inputs_, outputs_, workspace_.gemm, copies_};
    return cpu::RunSteps(plan_, context);
  }

 private:
  float* Start(const cpu::Buffer& buffer) {
    switch (buffer.kind) {
      case cpu::BufferKind::kInput:
        return reinterpret_cast<float*>(inputs_[buffer.index].data());
      case cpu::BufferKind::kOutput:
        return reinterpret_cast<float*>(outputs_[buffer.index].data());
      case cpu::BufferKind::kConstant:
        return const_cast<float*>(plan_.constants[buffer.index].data());
      case cpu::BufferKind::kArena:
        break;
    }
    return buffer.place < 0 ? nullptr : workspace_.arena.data() + buffer.place;
  }

  const cpu::Plan& plan_;
  Workspace& workspace_;
  std::vector<std::span<std::byte>> inputs_, outputs_;
  std::vector<float*> buffers_;
  std::vector<cpu::HeldCopy> copies_;
};

class CpuExecutable final : public Executable {
 public:
  CpuExecutable(mil::Function function, cpu::Plan plan, std::shared_ptr<Workspace> workspace,
                DType storage)
      : function_(std::move(function)),
        plan_(std::move(plan)),
        workspace_(std::move(workspace)),
        storage_(storage) {
    workspace_->Reserve(plan_.arena_elements);
  }

  Result<std::unique_ptr<Call>> Bind(std::span<Surface* const> inputs,
                                     std::span<Surface* const> outputs) override {
    if (Status status = CheckPorts(function_, inputs, outputs, storage_); !status) {
      return status.error();
    }
    auto in = HostBytes(inputs, "input");
    if (!in) return in.error();
    auto out = HostBytes(outputs, "output");
    if (!out) return out.error();
    return std::unique_ptr<Call>(
        new CpuCall(plan_, *workspace_, inputs, *std::move(in), *std::move(out)));
  }

 private:
  static Result<std::vector<std::span<std::byte>>> HostBytes(std::span<Surface* const> surfaces,
                                                             std::string_view what) {
    std::vector<std::span<std::byte>> bytes;
    for (Surface* surface : surfaces) {
      auto* host = dynamic_cast<HostSurface*>(surface);
      if (host == nullptr) {
        return BadInput("{} {}: the cpu device wants surfaces in host memory", what, bytes.size());
      }
      bytes.push_back(host->bytes());
    }
    return bytes;
  }

  mil::Function function_;
  cpu::Plan plan_;
  std::shared_ptr<Workspace> workspace_;
  DType storage_;
};

Caps CapsOf(const DeviceOptions& options) {
  Caps caps;
  caps.storage = FloatStorage(options.precision);
  caps.dtype = caps.storage;
  caps.wraps_host_memory = true;
  // In the ANE's arithmetic attention's backward is what the ANE has, too: two programs.
  caps.fused_attention_backward = options.precision != Precision::kAne;
  caps.vector_weights = options.vector_weights;
  if (options.precision == Precision::kBf16) caps.gradient_operands = DType::kBf16;
  return caps;
}

class CpuDevice final : public HostDevice {
 public:
  CpuDevice(const DeviceOptions& options, std::shared_ptr<const math::GemmTable> gemm_table)
      : HostDevice(CapsOf(options)),
        numerics_(options.precision, options.ane_rules, options.products),
        workspace_(std::make_shared<Workspace>(std::move(gemm_table))) {}

  std::string_view name() const override { return "cpu"; }
  const ProductCounters* products() const override { return numerics_.counters(); }

  Result<std::unique_ptr<Executable>> Compile(const mil::Program& program,
                                              const mil::WeightStore& weights) override {
    if (Status status = mil::Verify(program); !status) return status.error();
    auto plan = cpu::CompileFunction(program.main(), weights, numerics_, workspace_->gemm,
                                     caps().vector_weights);
    if (!plan) return plan.error();
    return std::unique_ptr<Executable>(
        new CpuExecutable(program.main(), *std::move(plan), workspace_, caps().storage));
  }

 private:
  Numerics numerics_;
  std::shared_ptr<Workspace> workspace_;
};

}  // namespace

Status CheckCpuPrecision(Precision precision) {
  if (precision != Precision::kExact) return {};
  return BadInput(
      "--precision exact: the cpu device has fp32, fp16, bf16, int8 and ane; use --device "
      "reference");
}

Result<std::unique_ptr<Device>> OpenCpuDevice(const DeviceOptions& options,
                                              std::shared_ptr<const math::GemmTable> gemm_table) {
  if (Status status = CheckCpuPrecision(options.precision); !status) return status.error();
  if (options.threads > 0) SetThreads(options.threads);
  return std::unique_ptr<Device>(new CpuDevice(options, std::move(gemm_table)));
}

}  // namespace millwright::device
