#include "app/bench_kernels.h"

#include <fmt/format.h>

#include <iterator>

#include "base/aligned.h"
#include "base/rng.h"
#include "runtime/session.h"

namespace millwright::app {
namespace {

using kernels::KernelDef;
using kernels::KernelId;

// The products of attention that a kernel holds, each 2 * seq^2 * q_dim operations of which the
// causal mask makes half superfluous.
int AttentionProducts(KernelId kernel, bool fused_backward) {
  switch (kernel) {
    case KernelId::kSdpaFwd:
      return 2;  // scores, and their weighted sum
    case KernelId::kSdpaBwd1:
      return fused_backward ? 5 : 3;  // scores, dV, dP; fused: dQ and dK as well
    case KernelId::kSdpaBwd2:
      return 2;
    default:
      return 0;
  }
}

double UsefulFlops(const kernels::KernelProgram& program, KernelId kernel,
                   const kernels::KernelSpec& spec) {
  const auto seq = static_cast<double>(spec.config.seq);
  const double half = seq * seq * static_cast<double>(spec.config.q_dim());
  return kernels::CostOf(program).flops -
         AttentionProducts(kernel, spec.target.fused_attention_backward) * half;
}

using Memory = std::vector<AlignedBuffer<float>>;

// Random operands of a kernel; the buffers must outlive the session.
runtime::OperandMemory<float> MakeOperands(const kernels::Operands& operands, Memory* memory) {
  runtime::OperandMemory<float> pointers;
  for (const auto* list : {&operands.inputs, &operands.outputs}) {
    for (const kernels::Operand& operand : *list) {
      AlignedBuffer<float> buffer(static_cast<size_t>(operand.rows * operand.columns));
      const Rng rng(1, StreamId(operand.name.c_str()));
      const double scale = operand.weight ? 0.1 : 1.0;
      for (size_t i = 0; list == &operands.inputs && i < buffer.size(); ++i) {
        buffer[i] = static_cast<float>(scale * (rng.Uniform(i) - 0.5));
      }
      pointers[operand.name] = buffer.data();
      memory->push_back(std::move(buffer));
    }
  }
  return pointers;
}

Result<KernelMeasurement> MeasureKernel(runtime::Session<float>& session, const KernelDef& kernel,
                                        double seconds, Memory* memory) {
  const kernels::KernelSpec& spec = session.spec();
  auto program = kernels::Generate(kernel, spec);
  if (!program) return program.error();
  auto launch = session.Prepare(kernel.id, 0, MakeOperands(kernel.operands(spec), memory));
  if (!launch) return launch.error();
  if (auto status = session.StageWeights(); !status) return status.error();
  KernelMeasurement measured{.name = std::string(kernel.name),
                             .gflop = UsefulFlops(*program, kernel.id, spec) * 1e-9,
                             .megabytes = kernels::CostOf(*program).bytes * 1e-6,
                             .times = {}};
  Status failure;
  measured.times = Repeat(seconds, [&] {
    if (auto status = session.Run(*launch); !status) failure = status;
  });
  if (!failure) return failure.error();
  return measured;
}

}  // namespace

Result<KernelBench> BenchKernels(device::Device& device, const model::ModelConfig& config,
                                 double seconds, const Progress& progress) {
  Memory memory;  // outlives the session
  auto session = runtime::Session<float>::Open(device, {.config = config});
  if (!session) return session.error();
  const auto count = static_cast<double>(kernels::TrainingKernels().size());
  PeakMeter peak;
  KernelBench bench;
  for (const KernelDef* kernel : kernels::TrainingKernels()) {
    if (!(*session)->Has(kernel->id)) continue;
    if (progress) progress(fmt::format("kernel {}", kernel->name));
    peak.Measure();
    auto measured = MeasureKernel(**session, *kernel, seconds / count, &memory);
    if (!measured) return measured.error();
    bench.kernels.push_back(std::move(*measured));
  }
  peak.Measure();
  bench.peak_gflops = peak.gflops();
  bench.cpu_share = peak.cpu_share();
  return bench;
}

std::string ToText(const KernelBench& bench) {
  std::string text = fmt::format("kernels, of a peak of {:.1f} GFLOP/s\n", bench.peak_gflops);
  fmt::format_to(std::back_inserter(text), "  {:<12} {:>9} {:>9} {:>9} {:>9} {:>6}\n", "kernel",
                 "ms", "[minimum]", "MB", "GFLOP/s", "%");
  for (const KernelMeasurement& k : bench.kernels) {
    fmt::format_to(std::back_inserter(text),
                   "  {:<12} {:>9.3f} {:>9.3f} {:>9.2f} {:>9.1f} {:>6.1f}\n", k.name,
                   k.times.median(), k.times.minimum(), k.megabytes, k.gflops(),
                   100 * k.gflops() / bench.peak_gflops);
  }
  return text + LoadWarning(bench.cpu_share);
}

nlohmann::json ToJson(const KernelBench& bench) {
  nlohmann::json kernels = nlohmann::json::array();
  for (const KernelMeasurement& k : bench.kernels) {
    kernels.push_back({{"kernel", k.name},
                       {"ms_median", k.times.median()},
                       {"ms_minimum", k.times.minimum()},
                       {"gflop", k.gflop},
                       {"megabytes", k.megabytes},
                       {"gflops", k.gflops()},
                       {"percent_of_peak", 100 * k.gflops() / bench.peak_gflops}});
  }
  return {{"peak_gflops", bench.peak_gflops}, {"cpu_share", bench.cpu_share}, {"kernels", kernels}};
}

}  // namespace millwright::app
