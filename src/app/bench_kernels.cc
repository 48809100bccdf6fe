#include "app/bench_kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "app/bench_operands.h"
#include "base/clock.h"
#include "base/rng.h"
#include "device/cpu/cpu_device.h"
#include "kernels/useful_flops.h"
#include "math/peak.h"
#include "runtime/session.h"

namespace millwright::app {
namespace {

using kernels::KernelDef;

// Random operands. Weights are parts of one piece of memory, which comes round again where it ends:
// several kernels read the same bytes, in the shapes of their weights.
class OperandPool {
 public:
  // `size`, in floats, must hold the weights of any one kernel.
  explicit OperandPool(size_t size) : weights_(RandomValues(size, 0.1, 0)) {}

  // How many layers of a kernel's weights to go through: what the pool holds, or many; 1 if it has
  // none.
  int64_t LayersOf(const kernels::Operands& operands) const {
    size_t size = 0;
    for (const kernels::Operand& operand : operands.inputs)
      size += operand.weight ? Pad(operand) : 0;
    constexpr size_t kMany = 256;
    return size == 0 ? 1
                     : static_cast<int64_t>(std::clamp<size_t>(weights_.size() / size, 1, kMany));
  }

  // Memory for a launch; activations are those of the launch before. Valid while the pool lives.
  runtime::OperandMemory<float> Next(const kernels::Operands& operands) {
    runtime::OperandMemory<float> pointers;
    for (const auto* list : {&operands.inputs, &operands.outputs}) {
      for (const kernels::Operand& operand : *list) {
        pointers[operand.name] = operand.weight ? NextWeight(operand) : Activation(operand);
      }
    }
    return pointers;
  }

 private:
  static size_t Pad(const kernels::Operand& operand) {
    constexpr size_t kPage = 1024;  // floats
    return (static_cast<size_t>(operand.rows * operand.columns) + kPage - 1) / kPage * kPage;
  }

  float* NextWeight(const kernels::Operand& operand) {
    if (next_ + Pad(operand) > weights_.size()) next_ = 0;
    float* const weight = weights_.data() + next_;
    next_ += Pad(operand);
    return weight;
  }

  float* Activation(const kernels::Operand& operand) {
    const auto size = static_cast<size_t>(operand.rows * operand.columns);
    auto& buffer = activations_[{operand.name, size}];
    if (buffer.size() == 0) buffer = RandomValues(size, 1.0, StreamId(operand.name.c_str()));
    return buffer.data();
  }

  AlignedBuffer<float> weights_;
  std::map<std::pair<std::string, size_t>, AlignedBuffer<float>> activations_;
  size_t next_ = 0;
};

Result<KernelMeasurement> MeasureKernel(runtime::Session<float>& session, const KernelDef& kernel,
                                        OperandPool& pool, double seconds, PeakMeter& peak) {
  const kernels::KernelSpec& spec = session.spec();
  auto program = kernels::Generate(kernel, spec);
  if (!program) return program.error();
  const kernels::Operands operands = kernel.operands(spec);
  std::vector<runtime::Session<float>::LaunchId> layers;
  for (int64_t layer = 0; layer < pool.LayersOf(operands); ++layer) {
    auto launch = session.Prepare(kernel.id, layer, pool.Next(operands));
    if (!launch) return launch.error();
    layers.push_back(*launch);
  }
  if (auto status = session.StageWeights(); !status) return status.error();
  KernelMeasurement measured{.name = std::string(kernel.name),
                             .gflop = kernels::UsefulFlops(*program, kernel.id, spec) * 1e-9,
                             .megabytes = kernels::CostOf(*program).bytes * 1e-6};
  Status failure;
  size_t runs = 0;
  const auto run = [&] {
    if (auto status = session.Run(layers[runs++ % layers.size()]); !status) failure = status;
  };
  measured.rated = MeasureInTurns({{measured.gflop, run}}, seconds, peak).front();
  if (!failure) return failure.error();
  return measured;
}

// Opens sessions on devices of their own, so that nothing is kept from one to the next; the first
// one is without what the GEMM library keeps in the process as well.
Status MeasureCompile(const model::ModelConfig& config, KernelBench* bench) {
  constexpr int kTimes = 5;
  for (int i = 0; i < kTimes; ++i) {
    auto device = device::OpenCpuDevice({});
    if (!device) return device.error();
    const Stopwatch watch;
    auto session = runtime::Session<float>::Open(**device, {.config = config});
    if (!session) return session.error();
    bench->compile.Add(watch.ms());
    bench->programs = static_cast<int>((*session)->compiles().programs);
  }
  return {};
}

}  // namespace

Result<KernelBench> BenchKernels(device::Device& device, const model::ModelConfig& config,
                                 double seconds, const Progress& progress, size_t weight_pool) {
  constexpr double kReadSeconds = 0.1;
  KernelBench bench;
  if (auto status = MeasureCompile(config, &bench); !status) return status.error();
  OperandPool pool(weight_pool);  // outlives the session
  auto session = runtime::Session<float>::Open(device, {.config = config});
  if (!session) return session.error();
  const auto count = static_cast<double>(kernels::TrainingKernels().size());
  PeakMeter peak;
  for (const KernelDef* kernel : kernels::TrainingKernels()) {
    if (!(*session)->Has(kernel->id)) continue;
    if (progress) progress(fmt::format("kernel {}", kernel->name));
    bench.read_gb_per_s = std::max(bench.read_gb_per_s, math::MeasureReadBandwidth(kReadSeconds));
    auto measured = MeasureKernel(**session, *kernel, pool, seconds / count, peak);
    if (!measured) return measured.error();
    bench.kernels.push_back(std::move(*measured));
  }
  if (bench.read_gb_per_s <= 0) return Failed("bench kernels: not enough memory to measure with");
  bench.peak_gflops = peak.gflops();
  bench.cpu_share = peak.cpu_share();
  return bench;
}

std::string ToText(const KernelBench& bench) {
  std::string text = fmt::format(
      "kernels, of {:.1f} GFLOP/s and {:.1f} GB/s at best; weights from memory\n"
      "  {} programs generated and compiled in {:.1f} ms, the first time {:.1f} ms\n",
      bench.peak_gflops, bench.read_gb_per_s, bench.programs, bench.compile.median(),
      bench.compile.first());
  text += fmt::format("  {:<12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  {:<7} {:>10} {:>8}\n",
                      "kernel", "ms", "[minimum]", "GFLOP", "MB", "GFLOP/s", "roof, ms", "bound",
                      "% of roof", "% beside");
  for (const KernelMeasurement& k : bench.kernels) {
    const double median = k.rated.ms.median();
    const bool compute = bench.compute_ms(k) >= bench.memory_ms(k);
    text += fmt::format(
        "  {:<12} {:>9.3f} {:>9.3f} {:>9.3f} {:>9.2f} {:>9.1f} {:>9.3f}  {:<7} {:>10.1f} {:>8}\n",
        k.name, median, k.rated.ms.minimum(), k.gflop, k.megabytes, k.gflops(),
        bench.roofline_ms(k), compute ? "compute" : "memory", 100 * bench.roofline_ms(k) / median,
        compute ? fmt::format("{:.1f}", 100 * k.rated.share.median()) : "");
  }
  return text + LoadWarning(bench.cpu_share);
}

nlohmann::json ToJson(const KernelBench& bench) {
  nlohmann::json kernels = nlohmann::json::array();
  for (const KernelMeasurement& k : bench.kernels) {
    const double median = k.rated.ms.median();
    kernels.push_back({{"kernel", k.name},
                       {"ms_median", median},
                       {"ms_minimum", k.rated.ms.minimum()},
                       {"gflop", k.gflop},
                       {"megabytes", k.megabytes},
                       {"gflops", k.gflops()},
                       {"compute_ms", bench.compute_ms(k)},
                       {"memory_ms", bench.memory_ms(k)},
                       {"percent_of_roofline", 100 * bench.roofline_ms(k) / median},
                       {"percent_of_rate_beside", 100 * k.rated.share.median()}});
  }
  return {{"peak_gflops", bench.peak_gflops},
          {"read_gb_per_s", bench.read_gb_per_s},
          {"cpu_share", bench.cpu_share},
          {"programs", bench.programs},
          {"compile_ms_median", bench.compile.median()},
          {"compile_ms_first", bench.compile.first()},
          {"kernels", kernels}};
}

}  // namespace millwright::app
