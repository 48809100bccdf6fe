// millwright mil check: is a program well formed and well typed?
#include <nlohmann/json.hpp>

#include "app/mil_command.h"
#include "app/mil_file.h"
#include "inspect/source_lines.h"
#include "mil/verify.h"

namespace millwright::app {
namespace {

struct CheckOptions {
  std::string file;
  bool json = false;
};

// One thing that was found, whoever found it.
struct Finding {
  std::string constraint;  // "verify", or an id of the target's table
  std::string function;
  std::string id;
  size_t line = 0;
  std::string message;
};

std::vector<Finding> FindAll(const MilFile& file) {
  const inspect::SourceLines lines(file.text);
  std::vector<Finding> findings;
  for (const mil::Problem& problem : mil::FindProblems(file.program)) {
    findings.push_back({.constraint = "verify",
                        .function = problem.function,
                        .id = problem.id,
                        .line = lines.LineOf(problem.function, problem.id),
                        .message = problem.error.message});
  }
  return findings;
}

void PrintJson(const CheckOptions& options, const std::vector<Finding>& findings) {
  nlohmann::ordered_json json = {{"file", options.file}, {"findings", nlohmann::json::array()}};
  for (const Finding& f : findings) {
    json["findings"].push_back({{"constraint", f.constraint},
                                {"function", f.function},
                                {"id", f.id},
                                {"line", f.line},
                                {"message", f.message}});
  }
  fmt::print("{}\n", json.dump(2));
}

void Print(const CheckOptions& options, const std::vector<Finding>& findings) {
  for (const Finding& f : findings) {
    fmt::print("{}:{}: [{}] {}\n", options.file, f.line, f.constraint, f.message);
  }
  fmt::print("{}: {} findings\n", options.file, findings.size());
}

}  // namespace

void AddMilCheckCommand(CLI::App& mil, CommandContext& context) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command =
      mil.add_subcommand("check", "Checks types and shapes; exit code 1 if something is found");
  command->add_option("FILE", options->file, "MIL text")->required();
  command->add_flag("--json", options->json, "Findings as JSON");
  command->callback([options, &context] {
    context.action = [options] {
      const auto file = ReadMilFile(options->file);
      if (!file) return Report(file.error());
      const std::vector<Finding> findings = FindAll(*file);
      options->json ? PrintJson(*options, findings) : Print(*options, findings);
      return findings.empty() ? kExitDone : kExitFailed;
    };
  });
}

}  // namespace millwright::app
