#include "app/mil_explain.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace millwright::app {
namespace {

using device::CompileReport;
using device::CompileRule;
using device::OperationReport;

// "with s; part of an elementwise group; ..."
std::string How(const CompileReport& report, size_t index) {
  const OperationReport& operation = report.operations[index];
  std::string text;
  const auto add = [&](std::string_view part) {
    text += text.empty() ? "" : "; ";
    text += part;
  };
  if (operation.root >= 0 && static_cast<size_t>(operation.root) != index) {
    add(fmt::format("with {}", report.operations[static_cast<size_t>(operation.root)].id));
  }
  for (const CompileRule rule : operation.rules) add(device::RuleText(rule));
  return text;
}

size_t Width(const CompileReport& report, std::string OperationReport::*field, size_t least) {
  size_t width = least;
  for (const OperationReport& operation : report.operations) {
    width = std::max(width, (operation.*field).size());
  }
  return width;
}

}  // namespace

std::string ExplanationText(const CompileReport& report) {
  const size_t op = Width(report, &OperationReport::op, 9);
  const size_t id = Width(report, &OperationReport::id, 6);
  std::string text = fmt::format("{:<{}}  {:<{}}  how\n", "operation", op, "result", id);
  for (size_t i = 0; i < report.operations.size(); ++i) {
    const OperationReport& operation = report.operations[i];
    text += fmt::format("{:<{}}  {:<{}}  {}\n", operation.op, op, operation.id, id, How(report, i));
    for (const int step : operation.steps) {
      text += fmt::format("{:<{}}  step {}: {}\n", "", op + id + 2, step,
                          report.steps[static_cast<size_t>(step)].text);
    }
  }
  for (size_t i = 0; i < report.steps.size(); ++i) {
    if (report.steps[i].operation < 0) {
      text += fmt::format("step {}: {}\n", i, report.steps[i].text);
    }
  }
  for (const std::string& copy : report.copies) text += copy + "\n";
  for (const device::BufferReport& buffer : report.buffers) {
    text += fmt::format("buffer at {}: {} bytes, steps {} to {}\n", buffer.offset, buffer.bytes,
                        buffer.first_step, buffer.last_step);
  }
  return text + fmt::format(
                    "memory: {} bytes for buffers, of which at most {} are alive at once; {} "
                    "bytes of constants\n",
                    report.arena_bytes, report.live_bytes, report.constant_bytes);
}

std::string ExplanationJson(const CompileReport& report) {
  using Json = nlohmann::ordered_json;
  Json json = {{"operations", Json::array()}, {"steps", Json::array()}, {"buffers", Json::array()}};
  for (const OperationReport& operation : report.operations) {
    Json rules = Json::array();
    for (const CompileRule rule : operation.rules) rules.push_back(device::RuleName(rule));
    json["operations"].push_back(
        {{"op", operation.op},
         {"id", operation.id},
         {"computed_with", report.operations[static_cast<size_t>(operation.root)].id},
         {"steps", operation.steps},
         {"rules", std::move(rules)}});
  }
  for (const device::StepReport& step : report.steps) {
    const Json id = step.operation < 0
                        ? Json()
                        : Json(report.operations[static_cast<size_t>(step.operation)].id);
    json["steps"].push_back({{"text", step.text}, {"of", id}});
  }
  for (const device::BufferReport& buffer : report.buffers) {
    json["buffers"].push_back({{"offset", buffer.offset},
                               {"bytes", buffer.bytes},
                               {"first_step", buffer.first_step},
                               {"last_step", buffer.last_step}});
  }
  json["copies"] = report.copies;
  json["arena_bytes"] = report.arena_bytes;
  json["live_bytes"] = report.live_bytes;
  json["constant_bytes"] = report.constant_bytes;
  return json.dump(2) + "\n";
}

}  // namespace millwright::app
