// Runs the command line in this process and catches what it prints.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "app/command_line.h"

namespace millwright::testing {

struct CommandResult {
  int exit_code = -1;
  std::string out, err;
};

// A file descriptor that writes into a temporary file while the object lives.
class Caught {
 public:
  explicit Caught(FILE* stream)
      : stream_(stream), file_(std::tmpfile()), saved_(::dup(::fileno(stream))) {
    std::fflush(stream_);
    ::dup2(::fileno(file_), ::fileno(stream_));
  }
  ~Caught() {
    ::close(saved_);
    std::fclose(file_);
  }
  Caught(const Caught&) = delete;
  Caught& operator=(const Caught&) = delete;

  // Puts the stream back; what was written to it meanwhile.
  std::string Finish() {
    std::fflush(stream_);
    ::dup2(saved_, ::fileno(stream_));
    std::string text;
    std::rewind(file_);
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) {
      text.push_back(static_cast<char>(c));
    }
    return text;
  }

 private:
  FILE* stream_;
  FILE* file_;
  int saved_;
};

// "millwright ARGUMENTS" in a binary that was built for `config`.
inline CommandResult RunCommand(const model::ModelConfig& config,
                                std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "millwright");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  CommandResult result;
  Caught out(stdout), err(stderr);
  result.exit_code = app::RunCommandLine(static_cast<int>(arguments.size()), argv.data(), config);
  result.out = out.Finish();
  result.err = err.Finish();
  return result;
}

}  // namespace millwright::testing
