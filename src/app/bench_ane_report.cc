// The figures of bench ane, as text and in the schema for collecting them.
#include <fmt/format.h>

#include <array>
#include <ctime>

#include "app/bench_ane.h"
#include "base/memory_info.h"

namespace millwright::app {
namespace {

using nlohmann::json;

constexpr double kRatedTflops = 15.8;  // that the collected results take utilization of

// Lines, each with the mark of an emulator where there is one.
class Lines {
 public:
  explicit Lines(bool emulated) : mark_(emulated ? "emulator, no measure of an ANE: " : "") {}

  template <class... Args>
  void Add(fmt::format_string<Args...> format, Args&&... args) {
    text_ += fmt::format("{}{}\n", mark_, fmt::format(format, std::forward<Args>(args)...));
  }
  std::string Take() && { return std::move(text_); }

 private:
  const char* mark_;
  std::string text_;
};

json Range(double a, double b) { return json::array({a, b}); }

json OrNull(double value, bool known) { return known ? json(value) : json(); }

std::string Today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  gmtime_r(&now, &parts);
  std::array<char, 16> text = {};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts);
  return text.data();
}

// The best chain in fp16 that was computed rightly; null if none was.
const AnePeak* BestPeak(const AneBench& bench) {
  const AnePeak* best = nullptr;
  for (const AnePeak& peak : bench.peaks) {
    if (!peak.problem.empty() || peak.form != "fp16") continue;
    if (best == nullptr || peak.peak_tops() > best->peak_tops()) best = &peak;
  }
  return best;
}

json PeakJson(const AnePeak& peak) {
  json entry = {{"form", peak.form},   {"channels", peak.channels},   {"size", peak.size},
                {"depth", peak.depth}, {"weight_mb", peak.weight_mb}, {"gop", peak.gop}};
  entry["outputs_exact"] = peak.problem.empty();
  if (!peak.problem.empty()) {
    entry["problem"] = peak.problem;
    return entry;
  }
  entry["ms"] = Range(peak.ms.minimum(), peak.ms.median());
  entry["tops"] = Range(peak.sustained_tops(), peak.peak_tops());
  return entry;
}

json MemoryJson(const AneMemory& memory) {
  json entry = {{"channels", memory.channels}, {"weight_mb", memory.weight_mb}};
  if (!memory.problem.empty()) {
    entry["problem"] = memory.problem;
    return entry;
  }
  entry["ms"] = Range(memory.ms.minimum(), memory.ms.median());
  entry["gflops"] = memory.gflop * 1e3 / memory.ms.minimum();
  entry["weights_gb_per_s"] = memory.weight_mb / memory.ms.minimum();
  return entry;
}

json Measurements(const AneBench& bench) {
  json peaks = json::array(), memory = json::array(), kernels = json::array();
  for (const AnePeak& peak : bench.peaks) peaks.push_back(PeakJson(peak));
  for (const AneMemory& one : bench.memory) memory.push_back(MemoryJson(one));
  for (const AneKernel& kernel : bench.kernels) {
    kernels.push_back({{"kernel", kernel.name},
                       {"compile_ms", kernel.compile_ms},
                       {"ms", Range(kernel.ms.minimum(), kernel.ms.median())},
                       {"staging_ms", kernel.staging_ms.median()},
                       {"gflop", kernel.gflop}});
  }
  return {{"emulated", bench.emulated},
          {"dispatch_ms", Range(bench.dispatch.minimum(), bench.dispatch.median())},
          {"peak", peaks},
          {"memory", memory},
          {"weight_swap_ms", bench.swap.median()},
          {"weight_recompile_ms", bench.recompile.median()},
          {"kernels", kernels}};
}

// GFLOP over ms are TFLOP/s.
double Tflops(double gflop, double ms) { return ms > 0 ? gflop / ms : 0; }

json TrainingResult(const AneBench& bench, const std::string& contributor) {
  const double slow = Tflops(bench.step_gflop, bench.on_device.median());
  const double fast = Tflops(bench.step_gflop, bench.on_device.minimum());
  const AnePeak* peak = BestPeak(bench);
  const std::string notes = fmt::format(
      "{}{} micro-steps, binding packed, without optimizer; ranges are minimum and "
      "median",
      bench.emulated ? "emulator on another machine, no measure of an ANE; " : "",
      bench.step.count());
  return {
      {"chip", bench.chip},
      {"cores", bench.cores},
      {"ram_gb", static_cast<double>(AvailableMemory() >> 20) / 1024},
      {"macos", bench.macos},
      {"ms_per_step", Range(bench.step.minimum(), bench.step.median())},
      {"ane_ms", Range(bench.on_device.minimum(), bench.on_device.median())},
      {"compile_ms", Range(bench.compile_ms, bench.compile_ms)},
      {"ane_tflops", Range(slow, fast)},
      {"ane_util_pct", Range(100 * slow / kRatedTflops, 100 * fast / kRatedTflops)},
      {"peak_tflops", OrNull(peak == nullptr ? 0 : peak->peak_tops(), peak != nullptr)},
      {"sustained_tflops", OrNull(peak == nullptr ? 0 : peak->sustained_tops(), peak != nullptr)},
      {"notes", notes},
      {"contributor", contributor}};
}

}  // namespace

std::string ToText(const AneBench& bench) {
  Lines lines(bench.emulated);
  lines.Add("{}, macOS {}, {} cores, {} engines", bench.chip, bench.macos, bench.cores,
            bench.engines);
  lines.Add("dispatch: {:.3f} ms at best, {:.3f} ms in the middle of {}", bench.dispatch.minimum(),
            bench.dispatch.median(), bench.dispatch.count());
  for (const AnePeak& peak : bench.peaks) {
    const std::string what =
        fmt::format("peak {}, {} convolutions of {} channels on {}x{}, {:.1f} MB", peak.form,
                    peak.depth, peak.channels, peak.size, peak.size, peak.weight_mb);
    if (!peak.problem.empty()) {
      lines.Add("{}: {}", what, peak.problem);
    } else {
      lines.Add("{}: {:.3f} ms, {:.2f} TOP/s, sustained {:.2f}; outputs exact", what,
                peak.ms.minimum(), peak.peak_tops(), peak.sustained_tops());
    }
  }
  for (const AneMemory& memory : bench.memory) {
    if (!memory.problem.empty()) {
      lines.Add("convolution of {:.2f} MB: {}", memory.weight_mb, memory.problem);
      continue;
    }
    lines.Add("convolution of {:.2f} MB: {:.3f} ms, {:.1f} GFLOP/s, {:.1f} GFLOP/s a MB",
              memory.weight_mb, memory.ms.minimum(), memory.gflop * 1e3 / memory.ms.minimum(),
              memory.gflop * 1e3 / memory.ms.minimum() / memory.weight_mb);
  }
  lines.Add("other weights for woFwd: {:.3f} ms as data, {:.3f} ms compiled anew",
            bench.swap.median(), bench.recompile.median());
  for (const AneKernel& kernel : bench.kernels) {
    lines.Add("{:<12} {:>9.3f} ms, {:.3f} TFLOP/s, copies {:.3f} ms, compiled in {:.1f} ms",
              kernel.name, kernel.ms.median(), Tflops(kernel.gflop, kernel.ms.median()),
              kernel.staging_ms.median(), kernel.compile_ms);
  }
  lines.Add("{} ({}): {:.1f} ms a micro-step, {:.1f} ms of it on the device, {:.2f} TFLOP/s there",
            bench.model, bench.config, bench.step.median(), bench.on_device.median(),
            Tflops(bench.step_gflop, bench.on_device.median()));
  return std::move(lines).Take();
}

json ToJson(const AneBench& bench, const std::string& contributor) {
  return {
      {"report_date", Today()},
      {"source", "millwright " MILLWRIGHT_VERSION " bench ane"},
      {"model", bench.model},
      {"config", bench.config},
      {"training_results", json::array({TrainingResult(bench, contributor)})},
      {"neural_engine_specs", {{bench.chip, {{"cores", bench.cores}, {"engines", bench.engines}}}}},
      {"measurements", Measurements(bench)}};
}

}  // namespace millwright::app
