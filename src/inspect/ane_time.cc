#include "inspect/ane_time.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace millwright::inspect {
namespace {

// Beyond this, programs were seen to lose about a third of their speed (MX, LA).
constexpr double kOnChipBytes = 32.0 * (1 << 20);
// Below this many output channels, a convolution does not fill the array (AF).
constexpr int64_t kFullChannels = 512;

constexpr std::array<AneFigures, 5> kFigures = {{
    {"m1", 190, 12.9, 4.3, 51,
     "dispatch AF (M1); matmul AF (M1 Air); conv 3 x matmul (MX, LA: conv is 3 times faster); "
     "stream AF (M1)"},
    {"m2", 190, 10.2, 3.4, 51,
     "matmul AF (M2 Pro); conv 3 x matmul; dispatch and stream: none published, those of M1"},
    {"m3", 365, 16.8, 5.6, 51,
     "dispatch LA (M3 Pro); conv MX (M3 Pro, peak); matmul conv / 3; stream: none published, that "
     "of M1"},
    {"m4", 95, 18.6, 5.4, 120,
     "dispatch RU (M4 Max, 93 to 102) and MX (95 to 160); conv MX (M4); matmul AF (M4); stream AF "
     "(M4)"},
    {"m5", 106, 12.4, 8.7, 145,
     "dispatch AI (M5, 106 to 117); conv MX (M5; M5 Max 19.3); matmul AF (M5); stream AF (M5)"},
}};

}  // namespace

std::span<const AneFigures> AllAneFigures() { return kFigures; }

Result<const AneFigures*> FindAneFigures(std::string_view chip) {
  std::vector<std::string_view> names;
  for (const AneFigures& figures : kFigures) {
    if (figures.chip == chip) return &figures;
    names.push_back(figures.chip);
  }
  return BadInput("--chip {}: there are no figures; there are for {}", chip,
                  fmt::join(names, ", "));
}

AneTime EstimateAneTime(const ProgramCost& cost, const AneFigures& figures) {
  constexpr double kMicro = 1e6;
  AneTime time{.dispatch_us = figures.dispatch_us,
               .stream_us = kMicro * cost.bytes() / (figures.stream_gb_per_s * 1e9)};
  double narrow = 0, products = 0;
  for (const OperationCost& operation : cost.operations) {
    if (!operation.sums_products) continue;
    const double rate = operation.constant_weights ? figures.conv_tflops : figures.matmul_tflops;
    time.compute_us += kMicro * operation.flops / (rate * 1e12);
    products += operation.flops;
    if (operation.results_channels < kFullChannels) narrow += operation.flops;
  }
  if (narrow > products / 2) {
    time.remarks.push_back(
        fmt::format("most products have fewer than {} output channels, which do not fill the array "
                    "(AF: 64 channels reached 3.9 of 16.4 TFLOPS)",
                    kFullChannels));
  }
  if (cost.peak_bytes > kOnChipBytes) {
    time.remarks.push_back(
        fmt::format("the working set of {:.1f} MB is more than the 32 MB beyond which a third of "
                    "the speed was seen to go (MX, LA)",
                    cost.peak_bytes / 1e6));
  }
  return time;
}

}  // namespace millwright::inspect
