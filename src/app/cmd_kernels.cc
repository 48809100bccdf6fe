// millwright kernels: the ten training kernels of this model.
#include "app/ane_flags.h"
#include "app/binding_flag.h"
#include "app/command.h"
#include "app/kernel_files.h"
#include "app/kernel_table.h"
#include "app/open_device.h"
#include "runtime/session.h"
#include "train/plan.h"

namespace millwright::app {
namespace {

struct KernelsOptions {
  std::string binding = "separate";
  std::string emit;
  std::string device = "cpu";
  AneFlags ane;
  bool plan = false;
};

constexpr uint64_t kEmittedSeed = 42;

// The spec to show: the ANE's where files are written, else that of the device.
Result<kernels::KernelSpec> SpecToShow(const KernelsOptions& options,
                                       const model::ModelConfig& config) {
  auto binding = BindingFromFlag(options.binding);
  if (!binding) return binding.error();
  if (!options.emit.empty()) return AneSpec(config, *binding);
  const auto precision = PrecisionFromFlag(DefaultPrecision(options.device));
  if (!precision) return precision.error();
  auto ane = AneOptionsFromFlags(options.ane);
  if (!ane) return ane.error();
  auto device = OpenDevice(options.device, {.precision = *precision, .ane = *std::move(ane)});
  if (!device) return device.error();
  return runtime::MakeSpec(**device, {.config = config, .binding = *binding});
}

Status RunKernels(const KernelsOptions& options, const model::ModelConfig& config) {
  auto spec = SpecToShow(options, config);
  if (!spec) return spec.error();
  if (options.plan) {
    fmt::print("{}", train::ToString(train::MakePlan(*spec, {})));
    return {};
  }
  auto table = KernelTable(*spec);
  if (!table) return table.error();
  if (!options.emit.empty()) {
    auto emitted = EmitKernels(*spec, kEmittedSeed, options.emit);
    if (!emitted) return emitted.error();
    fmt::print(stderr, "wrote {} programs and {} weight files to {}\n", emitted->programs,
               emitted->weight_files, options.emit);
  }
  fmt::print(
      "{}: dim {}, hidden {}, {} layers, {} heads ({} kv), head_dim {}, seq {}; binding {}, {}\n",
      config.title, config.dim, config.hidden_dim, config.layers, config.heads, config.kv_heads,
      config.head_dim, config.seq, options.binding, DTypeName(spec->target.dtype));
  fmt::print("{}", *table);
  return {};
}

}  // namespace

void AddKernelsCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<KernelsOptions>();
  CLI::App* command = app.add_subcommand(
      "kernels", "Shows the ten training kernels of this model: ports, work, memory");
  command
      ->add_option("--binding", options->binding,
                   "packed|separate|constant: where weights come from")
      ->capture_default_str();
  auto* device = command->add_option("--device", options->device, "The device to generate for")
                     ->capture_default_str();
  AddAneFlags(*command, options->ane);
  auto* plan = command->add_flag("--plan", options->plan,
                                 "Print the launches and host steps of a training step instead");
  command
      ->add_option("--emit", options->emit,
                   "Write MIL text and weight blobs, as the ANE takes them, into this new folder")
      ->excludes(device)
      ->excludes(plan);
  command->callback([options, &context] {
    context.action = [options, &context] {
      const Status status = RunKernels(*options, context.config);
      return status ? kExitDone : Report(status.error());
    };
  });
}

}  // namespace millwright::app
