#include "app/bench_ane.h"

#include <algorithm>

#include "app/bench_ane_programs.h"
#include "app/bench_network.h"
#include "app/conformance.h"
#include "app/open_device.h"
#include "base/aligned.h"
#include "base/clock.h"
#include "device/ane/api.h"
#include "device/ane/capability.h"
#include "kernels/useful_flops.h"
#include "runtime/session.h"

namespace millwright::app {
namespace {

using kernels::Binding;
using kernels::KernelId;

// One measurement after another, with what they share.
class AneMeter {
 public:
  AneMeter(device::Device& device, const model::ModelConfig& config, AneBenchSizes sizes,
           double seconds, const Progress& progress)
      : device_(device),
        config_(config),
        sizes_(std::move(sizes)),
        seconds_(seconds),
        progress_(progress) {}

  Status MeasureAll(AneBench* bench) {
    if (Status status = Dispatch(bench); !status) return status;
    for (const AneBenchSizes::Chain& chain : sizes_.chains) {
      for (const bool eight_bits : {false, true}) bench->peaks.push_back(Peak(chain, eight_bits));
    }
    for (const int64_t channels : sizes_.channels) bench->memory.push_back(Memory(channels));
    for (const Binding binding : {Binding::kPacked, Binding::kConstant}) {
      Samples& times = binding == Binding::kPacked ? bench->swap : bench->recompile;
      if (Status status = OtherWeights(binding, &times); !status) return status;
    }
    if (Status status = Kernels(bench); !status) return status;
    return Steps(bench);
  }

 private:
  void Say(const std::string& text) const {
    if (progress_) progress_(text);
  }

  // `run` again and again for a share of the time; the first failure.
  template <class Run>
  Status Repeatedly(Samples* ms, const Run& run) const {
    const Stopwatch total;
    while (ms->count() < sizes_.repetitions || total.ms() < seconds_ * 1e3) {
      const Stopwatch watch;
      if (Status status = run(); !status) return status;
      ms->Add(watch.ms());
    }
    return {};
  }

  Status Dispatch(AneBench* bench) const {
    Say("dispatch");
    auto run = ProgramRun::Open(device_, SmallestProgram());
    if (!run) return run.error().In("dispatch");
    if (Status status = (*run)->Write(ChainInput(32, 8)); !status) return status;
    if (Status status = (*run)->Run(); !status) return status;  // to warm up
    return Repeatedly(&bench->dispatch, [&] { return (*run)->Run(); });
  }

  AnePeak Peak(const AneBenchSizes::Chain& chain, bool eight_bits) const {
    const auto weights = static_cast<double>(chain.channels * chain.channels * chain.depth);
    AnePeak peak{.form = eight_bits ? "w8a8" : "fp16",
                 .channels = chain.channels,
                 .size = chain.size,
                 .depth = chain.depth,
                 .gop = 2e-9 * weights * static_cast<double>(chain.size * chain.size),
                 .weight_mb = weights * (eight_bits ? 1 : 2) * 1e-6,
                 .ms = {},
                 .problem = {}};
    Say(fmt::format("{} chain of {} convolutions, {} channels", peak.form, chain.depth,
                    chain.channels));
    const Status status = RunChain(chain, eight_bits, &peak.ms);
    if (!status) peak.problem = status.error().message;
    return peak;
  }

  Status RunChain(const AneBenchSizes::Chain& chain, bool eight_bits, Samples* ms) const {
    auto run =
        ProgramRun::Open(device_, ConvChain(chain.channels, chain.size, chain.depth, eight_bits));
    if (!run) return run.error();
    const std::vector<Fp16> input = ChainInput(chain.channels, chain.size);
    Status status = (*run)->Write(input);
    if (status) status = (*run)->Run();
    if (status) status = Repeatedly(ms, [&] { return (*run)->Run(); });
    if (!status) return status;
    const auto output = (*run)->Read();
    if (!output) return output.error();
    const auto same = [](Fp16 a, Fp16 b) { return ToFloat(a) == ToFloat(b); };
    const auto [wrong, expected] = std::ranges::mismatch(*output, input, same);
    if (wrong == output->end()) return {};
    return Failed("wrong output: element {} is {}, expected {}", wrong - output->begin(),
                  ToFloat(*wrong), ToFloat(*expected));
  }

  AneMemory Memory(int64_t channels) const {
    constexpr int64_t kWidth = 64;
    const auto weights = static_cast<double>(channels * channels);
    AneMemory memory{.channels = channels,
                     .weight_mb = weights * 2e-6,
                     .gflop = 2e-9 * weights * kWidth,
                     .ms = {},
                     .problem = {}};
    Say(fmt::format("convolution of {:.1f} MB", memory.weight_mb));
    auto run = ProgramRun::Open(device_, OneConv(channels, kWidth));
    Status status;
    if (run) {
      status = (*run)->Write(std::vector<Fp16>(static_cast<size_t>(channels * kWidth)));
      if (status) status = (*run)->Run();
      if (status) status = Repeatedly(&memory.ms, [&] { return (*run)->Run(); });
    } else {
      status = run.error();
    }
    if (!status) memory.problem = status.error().message;
    return memory;
  }

  // woFwd with one matrix after another; its output shows that it has the new one.
  Status OtherWeights(Binding binding, Samples* ms) const {
    constexpr int kTimes = 5;
    Say(fmt::format("other weights, {}", kernels::BindingName(binding)));
    auto session = runtime::Session<float>::Open(
        device_, {.config = config_, .binding = binding, .only = {KernelId::kWoFwd}});
    if (!session) return session.error();
    const int64_t columns = config_.seq;
    AlignedBuffer<float> x(static_cast<size_t>(config_.q_dim() * columns)),
        w(static_cast<size_t>(config_.dim * config_.q_dim())),
        y(static_cast<size_t>(config_.dim * columns));
    std::fill_n(x.data(), x.size(), 1.0f);
    auto launch = (*session)->Prepare(KernelId::kWoFwd, 0,
                                      {{"attn", x.data()}, {"wo", w.data()}, {"o", y.data()}});
    if (!launch) return launch.error();
    for (int time = 1; time <= kTimes; ++time) {
      // One channel times a number of its own.
      w[0] = static_cast<float>(time);
      const Stopwatch watch;
      Status status = (*session)->StageWeights();
      if (status) status = (*session)->WaitForStaging();
      ms->Add(watch.ms());
      if (status) status = (*session)->Run(*launch);
      if (!status) return status;
      if (y[0] == w[0]) continue;
      return Failed("woFwd, binding {}: computed with old weights: {} instead of {}",
                    kernels::BindingName(binding), y[0], w[0]);
    }
    return {};
  }

  Status Kernels(AneBench* bench) const {
    for (const kernels::KernelDef* kernel : kernels::TrainingKernels()) {
      Say(fmt::format("kernel {}", kernel->name));
      auto session = runtime::Session<float>::Open(
          device_, {.config = config_, .binding = Binding::kPacked, .only = {kernel->id}});
      if (!session) return session.error();
      auto program = kernels::Generate(*kernel, (*session)->spec());
      if (!program) return program.error();
      AneKernel measured{.name = std::string(kernel->name),
                         .gflop = kernels::CostOf(*program).flops * 1e-9,
                         .compile_ms = (*session)->compiles().ms,
                         .ms = {},
                         .staging_ms = {}};
      if (Status status = RunKernel(**session, kernel->id, &measured); !status) return status;
      bench->compile_ms += measured.compile_ms;
      bench->step_gflop += measured.gflop * static_cast<double>(config_.layers);
      bench->kernels.push_back(std::move(measured));
    }
    return {};
  }

  Status RunKernel(runtime::Session<float>& session, KernelId kernel, AneKernel* measured) const {
    const kernels::Operands operands = kernels::Get(kernel).operands(session.spec());
    std::vector<AlignedBuffer<float>> memory;
    runtime::OperandMemory<float> pointers;
    for (const auto* list : {&operands.inputs, &operands.outputs}) {
      for (const kernels::Operand& operand : *list) {
        memory.emplace_back(static_cast<size_t>(operand.rows * operand.columns));
        pointers[operand.name] = memory.back().data();
      }
    }
    auto launch = session.Prepare(kernel, 0, pointers);
    if (!launch) return launch.error();
    Status status = session.StageWeights();
    if (status) status = session.Run(*launch);
    if (!status) return status;
    const Stopwatch total;
    while (measured->ms.count() < sizes_.repetitions || total.ms() < seconds_ * 1e3) {
      const runtime::KernelTimes before = session.times(kernel);
      if (status = session.Run(*launch); !status) return status;
      const runtime::KernelTimes run = session.times(kernel) - before;
      measured->ms.Add(run.device_ms);
      measured->staging_ms.Add(run.staging_ms);
    }
    return {};
  }

  Status Steps(AneBench* bench) const {
    Say("training steps");
    auto network =
        BenchNetwork::Create(device_, config_, sizes_.vocab_rows, nullptr, Binding::kPacked);
    if (!network) return network.error();
    if (auto warm = (*network)->Step(); !warm) return warm.error();
    const Stopwatch total;
    while (bench->step.count() < sizes_.repetitions || total.ms() < seconds_ * 1e3) {
      const double before = (*network)->session().total_times().device_ms;
      const auto ms = (*network)->Step();
      if (!ms) return ms.error();
      bench->step.Add(*ms);
      bench->on_device.Add((*network)->session().total_times().device_ms - before);
    }
    return {};
  }

  device::Device& device_;
  const model::ModelConfig& config_;
  AneBenchSizes sizes_;
  double seconds_;
  const Progress& progress_;
};

// What an emulator computes in seconds.
model::ModelConfig SmallConfig(const device::Caps& caps) { return ConformanceConfigs(caps).back(); }

}  // namespace

AneBenchSizes FullAneSizes() {
  // 120 layers and not 128: those of w8a8 are three operations each (fact A37).
  return {.chains = {{512, 64, 120}, {512, 64, 64}, {256, 64, 120}},
          .channels = {256, 512, 1024, 2048, 3072, 4096, 6144, 8192},
          .vocab_rows = 6839,
          .repetitions = 10};
}

AneBenchSizes EmulatedAneSizes() {
  return {.chains = {{32, 32, 2}}, .channels = {32, 64}, .vocab_rows = 16, .repetitions = 2};
}

Result<AneBench> BenchAne(const device::DeviceOptions& options, const model::ModelConfig& config,
                          double seconds, const Progress& progress) {
  auto api = device::ane::Api::Load(options.ane);
  if (!api) return api.error();
  const auto machine = device::ane::FindMachine(**api);
  if (!machine) return machine.error();
  auto device = OpenDevice("ane", options);
  if (!device) return device.error();
  const bool emulated = !options.ane.libraries.empty();
  const model::ModelConfig measured = emulated ? SmallConfig((*device)->caps()) : config;
  AneBench bench;
  bench.chip = machine->chip;
  bench.macos = machine->macos;
  bench.cores = machine->cores;
  bench.engines = machine->engines;
  bench.emulated = emulated;
  bench.model = std::string(measured.name);
  bench.config = fmt::format("dim {} hidden {} layers {} heads {}/{} seq {}", measured.dim,
                             measured.hidden_dim, measured.layers, measured.heads,
                             measured.kv_heads, measured.seq);
  const AneBenchSizes sizes = emulated ? EmulatedAneSizes() : FullAneSizes();
  // Of some thirty measurements.
  const double each = seconds / 30;
  AneMeter meter(**device, measured, sizes, each, progress);
  if (Status status = meter.MeasureAll(&bench); !status) return status.error();
  return bench;
}

}  // namespace millwright::app
