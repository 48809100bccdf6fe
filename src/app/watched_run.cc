#include "app/watched_run.h"

#include <unistd.h>

#include <thread>

#include "app/bench_network.h"
#include "app/interrupt.h"
#include "app/run_sinks.h"
#include "app/train_printer.h"
#include "app/train_sampler.h"
#include "base/cpu_name.h"
#include "base/memory_info.h"
#include "math/peak.h"
#include "telemetry/jsonl.h"
#include "telemetry/surroundings.h"
#include "telemetry/tensorboard.h"

namespace millwright::app {
namespace {

constexpr double kPeakSeconds = 0.05;

bool TrainsEverything(const train::TrainOptions& options) {
  return options.freeze.empty() && !options.lora.enabled();
}

telemetry::ProgramCosts CostsOf(const train::RunTotals& totals) {
  return {.processes = totals.processes,
          .programs = totals.programs,
          .compile_ms = totals.compile_ms,
          .steps = totals.steps,
          .launches = totals.kernels.runs,
          .copies = totals.kernels.copies,
          .copied_bytes = totals.kernels.copied_bytes,
          .handed_on = totals.kernels.handed_on};
}

telemetry::EndEvent EndOf(const Result<train::RunEnd>& end, const train::Trainer& trainer) {
  telemetry::EndEvent event;
  event.step = trainer.micro_steps_done();
  event.wall_s = trainer.totals().wall_ms / 1000;
  event.telemetry_ms = trainer.totals().telemetry_ms;
  event.time = telemetry::WallClock();
  event.costs = CostsOf(trainer.totals());
  event.reason = "failed";
  if (!end) {
    event.message = end.error().message;
  } else {
    event.reason = *end == train::RunEnd::kDone ? "done" : "interrupted";
  }
  return event;
}

}  // namespace

nlohmann::json DescribeMachine(const train::TrainOptions& options, const device::Device& device,
                               int64_t rows) {
  nlohmann::json machine = {{"cpu", CpuName()},
                            {"cores", std::thread::hardware_concurrency()},
                            {"threads", options.threads},
                            {"memory_bytes", AvailableMemory()}};
  if (device.name() != "cpu" || options.precision != "fp32" || !TrainsEverything(options)) {
    return machine;
  }
  const double gflops = math::MeasureFmaRate(kPeakSeconds).best;
  if (gflops <= 0) return machine;
  machine["fma_gflops"] = gflops;
  machine["floor_ms"] =
      WorkOfStep(options.config, rows).total() * static_cast<double>(options.batch) * 1e-6 / gflops;
  return machine;
}

Result<train::RunEnd> RunWatched(const WatchedRun& run, train::Trainer& trainer,
                                 const std::atomic<bool>& stop) {
  auto file = telemetry::JsonlSink::Open(run.out + "/metrics.jsonl");
  if (!file) return file.error();
  const bool recompiles = run.options.binding == kernels::Binding::kConstant;
  TrainPrinter printer(trainer.micro_steps_done(), run.options.steps,
                       recompiles ? &trainer.network().session().compiles() : nullptr);
  RunSinks sinks;
  sinks.Add(**file);  // first: what was printed must be on disk
  sinks.Add(printer);
  std::unique_ptr<telemetry::Sink> tensorboard;
  if (run.options.tensorboard) {
    auto opened = telemetry::OpenTensorBoard(run.out + "/tensorboard");
    if (!opened) return opened.error();
    tensorboard = *std::move(opened);
    sinks.Add(*tensorboard);
  }
  TrainSampler sampler(run.options, run.device, run.tokenizer, trainer.micro_steps_done(),
                       CatchSampleRequests());
  trainer.SetAfterUpdate([&](int64_t step, telemetry::Sink& sink) {
    return sampler.AfterUpdate(trainer, step, sink);
  });
  telemetry::ConfigEvent config;
  config.settings = run.run_json;
  config.time = telemetry::WallClock();
  config.first_step = trainer.micro_steps_done();
  config.pid = ::getpid();
  config.host = telemetry::HostName();
  config.machine = run.machine;
  auto status = sinks.Write(config);
  if (!status) return status.error();
  auto end = trainer.Run(sinks, stop);
  trainer.SetAfterUpdate(nullptr);
  if (end && *end == train::RunEnd::kRestart) return end;  // another process tells of the end
  status = sinks.Write(EndOf(end, trainer));
  if (!status) return status.error();
  return end;
}

}  // namespace millwright::app
