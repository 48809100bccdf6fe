// millwright mil cost: work, bytes and memory of a program, and what they would take on an ANE.
#include <nlohmann/json.hpp>

#include "app/mil_command.h"
#include "app/mil_file.h"
#include "inspect/ane_time.h"
#include "inspect/cost.h"
#include "inspect/source_lines.h"
#include "mil/verify.h"

namespace millwright::app {
namespace {

struct CostOptions {
  std::string file;
  std::string function;
  std::string chip = "m4";
  bool json = false;
};

// What is printed.
struct CostReport {
  const mil::Function& function;
  const inspect::SourceLines& lines;
  const inspect::AneFigures& figures;
  inspect::ProgramCost cost;
  inspect::AneTime time;
};

void PrintOperations(const CostReport& report) {
  fmt::print("{:>5} {:<14} {:<14} {:>10} {:>10} {:>10} {:>10}\n", "line", "operation", "value",
             "MFLOP", "KB", "FLOP/byte", "live KB");
  for (const auto& c : report.cost.operations) {
    const std::string& id = report.function.value(c.operation->outputs.front()).id;
    fmt::print("{:>5} {:<14} {:<14} {:>10.3f} {:>10.1f} {:>10.2f} {:>10.1f}\n",
               report.lines.LineOf(report.function.name, id), c.operation->op, id, c.flops / 1e6,
               c.bytes() / 1e3, c.bytes() > 0 ? c.flops / c.bytes() : 0.0, c.live_bytes / 1e3);
  }
}

void PrintTotals(const CostReport& report) {
  const auto& cost = report.cost;
  const auto& time = report.time;
  fmt::print(
      "\nin all         {:.3f} GFLOP; {:.3f} MB in, {:.3f} MB out, {:.3f} MB weights: {:.1f} "
      "FLOP/byte\n",
      cost.flops / 1e9, cost.input_bytes / 1e6, cost.output_bytes / 1e6, cost.weight_bytes / 1e6,
      cost.intensity());
  fmt::print("working set    {:.3f} MB at most; largest tensor {} {}\n", cost.peak_bytes / 1e6,
             cost.largest, mil::ToString(cost.largest_type));
  fmt::print(
      "ANE estimate   {:.0f} us on {}: dispatch {:.0f} + the larger of products {:.0f} and "
      "streaming {:.0f}; {:.2f} TFLOPS\n",
      time.total_us(), report.figures.chip, time.dispatch_us, time.compute_us, time.stream_us,
      cost.flops / time.total_us() / 1e6);
  for (const std::string& remark : time.remarks) fmt::print("  remark       {}\n", remark);
  const auto& f = report.figures;
  fmt::print(
      "  assumed      {:.0f} us a dispatch; {} TFLOPS with constant weights, {} between "
      "activations; {} GB/s; all else free and on chip\n",
      f.dispatch_us, f.conv_tflops, f.matmul_tflops, f.stream_gb_per_s);
  fmt::print("  sources      {}\n", f.source);
}

void PrintJson(const CostOptions& options, const CostReport& report) {
  const auto& cost = report.cost;
  const auto& time = report.time;
  const auto& f = report.figures;
  nlohmann::ordered_json json = {
      {"file", options.file},
      {"flops", cost.flops},
      {"input_bytes", cost.input_bytes},
      {"output_bytes", cost.output_bytes},
      {"weight_bytes", cost.weight_bytes},
      {"flops_per_byte", cost.intensity()},
      {"working_set_bytes", cost.peak_bytes},
      {"largest", {{"id", cost.largest}, {"type", mil::ToString(cost.largest_type)}}},
      {"ane",
       {{"chip", f.chip},
        {"total_us", time.total_us()},
        {"dispatch_us", time.dispatch_us},
        {"compute_us", time.compute_us},
        {"stream_us", time.stream_us},
        {"remarks", time.remarks},
        {"assumed",
         {{"dispatch_us", f.dispatch_us},
          {"conv_tflops", f.conv_tflops},
          {"matmul_tflops", f.matmul_tflops},
          {"stream_gb_per_s", f.stream_gb_per_s},
          {"source", f.source}}}}},
      {"operations", nlohmann::json::array()}};
  for (const auto& c : cost.operations) {
    const std::string& id = report.function.value(c.operation->outputs.front()).id;
    json["operations"].push_back({{"id", id},
                                  {"operation", c.operation->op},
                                  {"line", report.lines.LineOf(report.function.name, id)},
                                  {"flops", c.flops},
                                  {"weight_bytes", c.weight_bytes},
                                  {"read_bytes", c.read_bytes},
                                  {"written_bytes", c.written_bytes},
                                  {"live_bytes", c.live_bytes}});
  }
  fmt::print("{}\n", json.dump(2));
}

Status RunCost(const CostOptions& options) {
  const auto figures = inspect::FindAneFigures(options.chip);
  if (!figures) return figures.error();
  const auto file = ReadMilFile(options.file);
  if (!file) return file.error();
  const auto program = SelectFunction(file->program, options.function);
  if (!program) return program.error();
  if (Status status = mil::Verify(*program); !status) return status.error().In(options.file);
  const inspect::SourceLines lines(file->text);
  CostReport report{program->main(), lines, **figures, inspect::CostOf(program->main()), {}};
  report.time = inspect::EstimateAneTime(report.cost, **figures);
  if (options.json) {
    PrintJson(options, report);
  } else {
    PrintOperations(report);
    PrintTotals(report);
  }
  return {};
}

}  // namespace

void AddMilCostCommand(CLI::App& mil, CommandContext& context) {
  auto options = std::make_shared<CostOptions>();
  CLI::App* command = mil.add_subcommand(
      "cost", "Work, bytes and memory of each operation; an estimate of the time on an ANE");
  command->add_option("FILE", options->file, "MIL text")->required();
  command->add_option("--function", options->function, "The function; default: the first");
  command->add_option("--chip", options->chip, "m1 to m5")->capture_default_str();
  command->add_flag("--json", options->json, "As JSON");
  command->callback([options, &context] {
    context.action = [options] {
      const Status status = RunCost(*options);
      return status ? kExitDone : Report(status.error());
    };
  });
}

}  // namespace millwright::app
