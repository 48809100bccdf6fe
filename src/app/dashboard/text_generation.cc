#include "app/dashboard/text_generation.h"

#include <cerrno>
#include <csignal>
#include <cstring>

namespace millwright::app::dashboard {
namespace {

constexpr const char* kTokens = "64";
constexpr const char* kTopK = "50";

// What the command said last.
std::string LastLine(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const size_t newline = text.rfind('\n');
  return newline == std::string::npos ? text : text.substr(newline + 1);
}

}  // namespace

Result<std::unique_ptr<TextGeneration>> TextGeneration::Start(const std::string& run_dir) {
  const auto binary = ExecutablePath();
  if (!binary) return binary.error();
  File out(std::tmpfile()), err(std::tmpfile());
  if (out == nullptr || err == nullptr) {
    return Failed("no temporary file can be made: {}", std::strerror(errno));
  }
  auto child = ChildProcess::Start(
      *binary,
      {"generate", "--from", run_dir, "--tokens", kTokens, "--top-k", kTopK, "--threads", "1"},
      {.out = ::fileno(out.get()), .err = ::fileno(err.get())}, true);
  if (!child) return child.error();
  return std::unique_ptr<TextGeneration>(
      new TextGeneration(*std::move(child), std::move(out), std::move(err)));
}

TextGeneration::~TextGeneration() {
  child_.Signal(SIGKILL);
  constexpr double kPlenty = 1;
  child_.WaitFor(kPlenty);
}

std::string TextGeneration::ReadAll(FILE* file) {
  std::string text;
  std::rewind(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
    text.push_back(static_cast<char>(c));
  }
  return text;
}

std::optional<Result<std::string>> TextGeneration::Poll() {
  const auto& end = child_.Poll();
  if (!end) return std::nullopt;
  if (end->exit_code == 0 && end->signal == 0) return Result<std::string>(ReadAll(out_.get()));
  const std::string reason = LastLine(ReadAll(err_.get()));
  return Result<std::string>(Failed("generate: {}", reason.empty() ? end->ToString() : reason));
}

}  // namespace millwright::app::dashboard
