// millwright mil check: is a program well formed and well typed, and would its target take it?
#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "app/mil_command.h"
#include "app/mil_file.h"
#include "device/ane/constraints.h"
#include "inspect/source_lines.h"
#include "mil/verify.h"

namespace millwright::app {
namespace {

struct MilCheckOptions {
  std::string file;
  std::string target = "cpu";
  std::string chip = "m4";
  bool json = false;
};

// One thing that was found, whoever found it.
struct Finding {
  std::string constraint;  // "verify", or an id of the target's table
  bool error = true;       // false: a warning
  std::string id;
  size_t line = 0;
  std::string message;
};

// The identifier in an issue's place: "matmul (scores)", or the identifier or function alone.
std::string IdIn(const std::string& where) {
  const size_t open = where.find('('), close = where.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return where;
  return where.substr(open + 1, close - open - 1);
}

// Of a value, or of a function, called `id`; 0 if there is none.
size_t LineInAnyFunction(const mil::Program& program, const inspect::SourceLines& lines,
                         const std::string& id) {
  for (const mil::Function& function : program.functions) {
    if (const size_t line = lines.LineOf(function.name, id)) return line;
  }
  return lines.LineOf(id, "");
}

void AddProblems(const mil::Program& program, const inspect::SourceLines& lines,
                 std::vector<Finding>* findings) {
  for (const mil::Problem& problem : mil::FindProblems(program)) {
    findings->push_back({.constraint = "verify",
                         .id = problem.id,
                         .line = lines.LineOf(problem.function, problem.id),
                         .message = problem.error.message});
  }
}

void AddConstraints(const mil::Program& program, const device::ane::Target& target,
                    const inspect::SourceLines& lines, std::vector<Finding>* findings) {
  for (const device::Issue& issue : device::ane::CheckConstraints(program, target)) {
    const std::string id = IdIn(issue.where);
    findings->push_back({.constraint = issue.constraint,
                         .error = issue.is_error(),
                         .id = id,
                         .line = LineInAnyFunction(program, lines, id),
                         .message = fmt::format("{}{}{}", issue.where,
                                                issue.where.empty() ? "" : ": ", issue.message)});
  }
}

// As one reads a file; what concerns no line comes last.
void SortByLine(std::vector<Finding>* findings) {
  const auto line = [](const Finding& f) { return f.line == 0 ? SIZE_MAX : f.line; };
  std::stable_sort(
      findings->begin(), findings->end(),
      [&](const Finding& left, const Finding& right) { return line(left) < line(right); });
}

Result<std::vector<Finding>> FindAll(const MilCheckOptions& options) {
  if (options.target != "cpu" && options.target != "ane") {
    return BadInput("--target {}: expected ane or cpu", options.target);
  }
  auto target = device::ane::ParseTarget(options.chip);
  if (!target) return target.error().In("--chip");
  // Who asks has a program, not this program's device: nothing is sized or ordered for it.
  target->managed = false;
  const auto file = ReadMilFile(options.file);
  if (!file) return file.error();
  const inspect::SourceLines lines(file->text);
  std::vector<Finding> findings;
  AddProblems(file->program, lines, &findings);
  if (options.target == "ane") AddConstraints(file->program, *target, lines, &findings);
  SortByLine(&findings);
  return findings;
}

void PrintJson(const MilCheckOptions& options, const std::vector<Finding>& findings) {
  nlohmann::ordered_json json = {
      {"file", options.file}, {"target", options.target}, {"findings", nlohmann::json::array()}};
  if (options.target == "ane") json["chip"] = options.chip;
  for (const Finding& f : findings) {
    json["findings"].push_back({{"constraint", f.constraint},
                                {"severity", f.error ? "error" : "warning"},
                                {"id", f.id},
                                {"line", f.line},
                                {"message", f.message}});
  }
  fmt::print("{}\n", json.dump(2));
}

void Print(const MilCheckOptions& options, const std::vector<Finding>& findings, int64_t errors) {
  for (const Finding& f : findings) {
    const std::string place =
        f.line == 0 ? options.file : fmt::format("{}:{}", options.file, f.line);
    fmt::print("{}: {} [{}] {}\n", place, f.error ? "error" : "warning", f.constraint, f.message);
  }
  const auto count = [](int64_t number, std::string_view what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
  };
  const int64_t warnings = static_cast<int64_t>(findings.size()) - errors;
  fmt::print("{}: {}, {} for {}{}\n", options.file, count(errors, "error"),
             count(warnings, "warning"), options.target,
             options.target == "ane" ? " " + options.chip : "");
}

}  // namespace

void AddMilCheckCommand(CLI::App& mil, CommandContext& context) {
  auto options = std::make_shared<MilCheckOptions>();
  CLI::App* command = mil.add_subcommand(
      "check", "Checks types, shapes and a target's constraints; exit code 1 if there are errors");
  command->add_option("FILE", options->file, "MIL text")->required();
  command->add_option("--target", options->target, "cpu, or ane: its documented constraints, too")
      ->capture_default_str();
  command->add_option("--chip", options->chip, "Of --target ane: m1 to m5, m3-ultra, m4:15 (macOS)")
      ->capture_default_str();
  command->add_flag("--json", options->json, "Findings as JSON");
  command->callback([options, &context] {
    context.action = [options] {
      const auto findings = FindAll(*options);
      if (!findings) return Report(findings.error());
      const int64_t errors = std::count_if(findings->begin(), findings->end(),
                                           [](const Finding& finding) { return finding.error; });
      options->json ? PrintJson(*options, *findings) : Print(*options, *findings, errors);
      return errors == 0 ? kExitDone : kExitFailed;
    };
  });
}

}  // namespace millwright::app
