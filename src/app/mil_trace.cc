// millwright mil run --trace: every intermediate of a run.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/mil_run.h"
#include "base/folder.h"
#include "inspect/error_bound.h"
#include "inspect/source_lines.h"
#include "inspect/trace.h"

namespace millwright::app {
namespace {

using inspect::TracedValue;

double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// "  1.5%", or nothing for none.
std::string Percent(double share) { return share == 0 ? "" : fmt::format("{:.1f}%", 100 * share); }

std::string Count(uint64_t count) { return count == 0 ? "" : fmt::format("{}", count); }

void PrintTable(const mil::Function& function, const std::vector<TracedValue>& traced,
                const inspect::SourceLines& lines) {
  fmt::print("{:>5} {:<14} {:<14} {:>10} {:>10} {:>10} {:>7} {:>7} {:>8} {:>9} {:>5} {:>5}\n",
             "line", "operation", "value", "min", "max", "mean", "zero", "subnorm", "vanished",
             "saturated", "inf", "NaN");
  for (const TracedValue& t : traced) {
    const std::string& id = function.value(t.value).id;
    const auto& s = t.stats;
    fmt::print(
        "{:>5} {:<14} {:<14} {:>10.4g} {:>10.4g} {:>10.3g} {:>7} {:>7} {:>8} {:>9} {:>5} {:>5}\n",
        lines.LineOf(function.name, id), t.operation->op, id, s.min, s.max, s.mean,
        Percent(s.Share(s.zeros)), Percent(s.Share(s.subnormals)),
        Percent(Share(t.counts.vanished, t.counts.products)), Count(t.counts.saturated),
        Count(static_cast<uint64_t>(s.infinities)), Count(static_cast<uint64_t>(s.nans)));
  }
}

void PrintJson(const MilRunFlags& flags, const mil::Function& function,
               const std::vector<TracedValue>& traced, const inspect::SourceLines& lines,
               const std::vector<std::string>& files) {
  nlohmann::ordered_json json = {{"file", flags.file},
                                 {"device", flags.device},
                                 {"precision", flags.precision},
                                 {"values", nlohmann::json::array()}};
  for (size_t i = 0; i < traced.size(); ++i) {
    const TracedValue& t = traced[i];
    const mil::Value& value = function.value(t.value);
    const auto& s = t.stats;
    json["values"].push_back({{"id", value.id},
                              {"operation", t.operation->op},
                              {"line", lines.LineOf(function.name, value.id)},
                              {"type", mil::ToString(value.type)},
                              {"file", files[i]},
                              {"min", s.min},
                              {"max", s.max},
                              {"mean", s.mean},
                              {"zeros", s.Share(s.zeros)},
                              {"subnormals", s.Share(s.subnormals)},
                              {"infinities", s.infinities},
                              {"nans", s.nans},
                              {"products", t.counts.products},
                              {"vanished", t.counts.vanished},
                              {"sums", t.counts.sums},
                              {"saturated", t.counts.saturated}});
  }
  fmt::print("{}\n", json.dump(2));
}

// Values with the dtype in which the run held them.
Result<std::vector<std::string>> WriteValues(const MilRunFlags& flags, const MilRun& run,
                                             const std::vector<TracedValue>& traced,
                                             const inspect::RunValues& values,
                                             Precision precision) {
  auto folder = FolderWriter::Create(flags.trace);
  if (!folder) return folder.error();
  std::vector<std::string> files;
  for (const TracedValue& t : traced) {
    const mil::Value& value = run.function().value(t.value);
    files.push_back(fmt::format("{:03}_{}.npy", files.size(), value.id));
    const DType held = inspect::HeldAs(precision, value.type.dtype);
    const Status status =
        WriteNpy(folder->File(files.back()), ToNpy(*values[static_cast<size_t>(t.value)], held));
    if (!status) return status.error();
  }
  if (Status status = folder->Commit(); !status) return status.error();
  return files;
}

}  // namespace

Status TraceRun(const MilRunFlags& flags, const MilRun& run, device::Device& device,
                Precision precision) {
  if (Status status = RequireNewOrEmpty("--trace", flags.trace); !status) return status;
  const auto values = inspect::ValuesOf({device, run.program, run.weights, run.inputs}, precision);
  if (!values) return values.error().In(flags.file);
  const auto evaluator =
      device::Evaluator::Create(run.function(), run.weights, Numerics(Precision::kExact));
  if (!evaluator) return evaluator.error().In(flags.file);
  const auto traced = inspect::Trace(*evaluator, *values);
  if (!traced) return traced.error().In(flags.file);
  const auto files = WriteValues(flags, run, *traced, *values, precision);
  if (!files) return files.error();
  // The evaluator's function has operations of its own: names and lines are the same.
  const inspect::SourceLines lines(run.file.text);
  if (flags.json) {
    PrintJson(flags, run.function(), *traced, lines, *files);
  } else {
    PrintTable(run.function(), *traced, lines);
  }
  return {};
}

}  // namespace millwright::app
