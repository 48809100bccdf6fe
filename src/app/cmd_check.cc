// millwright check: does this device compute the training kernels on this machine?
#include "app/ane_flags.h"
#include "app/command.h"
#include "app/conformance.h"
#include "app/gemm_guard.h"
#include "app/open_device.h"

namespace millwright::app {
namespace {

struct ConformanceOptions {
  std::string device = "cpu";
  std::string precision;
  std::string ane_rules;
  AneFlags ane;
};

void Print(const ConformanceResult& r) {
  fmt::print("{:<11} {:<9} {:<12} {:<8}", r.config, kernels::BindingName(r.binding), r.kernel,
             r.ok ? "ok" : "FINDING");
  if (r.compared) fmt::print(" error {:.2e}, bound {:.2e}", r.error, r.bound);
  if (r.ok && !r.compared) fmt::print(" compiled and bound; the device computes nothing");
  fmt::print("{}{}\n", r.problem.empty() ? "" : " ", r.problem);
  std::fflush(stdout);
}

// The number of findings.
Result<int64_t> RunCheck(const ConformanceOptions& options) {
  const std::string name =
      options.precision.empty() ? std::string(DefaultPrecision(options.device)) : options.precision;
  auto precision = PrecisionFromFlag(name, /*exact=*/true);
  if (!precision) return precision.error();
  const auto rules = AneRulesFromFlag(options.ane_rules, *precision);
  if (!rules) return rules.error();
  auto ane = AneOptionsFromFlags(options.ane);
  if (!ane) return ane.error();
  auto device = OpenDevice(options.device,
                           {.precision = *precision, .ane = *std::move(ane), .ane_rules = *rules});
  if (!device) return device.error();
  for (const std::string& line : (*device)->Describe()) fmt::print("{}\n", line);
  if (options.device == "cpu") WarnOfSlowGemm(nullptr);
  int64_t checks = 0, findings = 0;
  for (const model::ModelConfig& config : ConformanceConfigs((*device)->caps())) {
    for (const ConformanceResult& result : CheckConformance(**device, *precision, config)) {
      Print(result);
      ++checks;
      findings += !result.ok;
    }
  }
  fmt::print("{} checks on device {} ({}), {} findings\n", checks, options.device, name, findings);
  return findings;
}

}  // namespace

void AddCheckCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<ConformanceOptions>();
  CLI::App* command = app.add_subcommand(
      "check",
      "Runs the training kernels of three small networks on a device, against their formulas");
  command->add_option("--device", options->device, "The device to check")->capture_default_str();
  command->add_option(
      "--precision", options->precision,
      "exact|fp32|fp16|bf16|int8|ane (default: fp32; ane on the device of that name)");
  AddAneFlags(*command, options->ane);
  command->add_option("--ane-rules", options->ane_rules, kAneRulesHelp);
  command->callback([options, &context] {
    context.action = [options] {
      const auto findings = RunCheck(*options);
      if (!findings) return Report(findings.error());
      return *findings == 0 ? kExitDone : kExitFailed;
    };
  });
}

}  // namespace millwright::app
