// Scripts in Python that judge what we write: run with the interpreter that MILLWRIGHT_PYTHON
// names, python3 by default. Tests skip where it lacks a module.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace millwright::testing {

inline std::string PythonCommand(const std::vector<std::string>& arguments) {
  const char* named = std::getenv("MILLWRIGHT_PYTHON");
  std::string command = named != nullptr ? named : "python3";
  for (const std::string& argument : arguments) {
    command += " '";
    for (const char c : argument) command += c == '\'' ? std::string("'\\''") : std::string(1, c);
    command += "'";
  }
  return command;
}

// True if "import MODULES" succeeds: "torch, transformers".
inline bool PythonImports(const std::string& modules) {
  return std::system((PythonCommand({"-c", "import " + modules}) + " 2>/dev/null").c_str()) == 0;
}

// What a script prints, parsed; null where it failed or printed no JSON.
inline nlohmann::json RunPythonJudge(const std::vector<std::string>& arguments) {
  FILE* pipe = ::popen(PythonCommand(arguments).c_str(), "r");
  if (pipe == nullptr) return {};
  std::string text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
    text.push_back(static_cast<char>(c));
  }
  if (::pclose(pipe) != 0) return {};
  const auto parsed = nlohmann::json::parse(text, nullptr, false);
  return parsed.is_discarded() ? nlohmann::json() : parsed;
}

}  // namespace millwright::testing
