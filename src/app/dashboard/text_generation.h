// Text that a run's last state makes, generated beside the training.
#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "app/dashboard/child_process.h"
#include "base/result.h"

namespace millwright::app::dashboard {

class TextGeneration {
 public:
  // Starts "generate --from RUN_DIR" in the background, on one thread.
  static Result<std::unique_ptr<TextGeneration>> Start(const std::string& run_dir);
  // Ends it, if it has not ended.
  ~TextGeneration();

  // The text, once; fails with the reason that `generate` gave. nullopt while it goes on.
  std::optional<Result<std::string>> Poll();

 private:
  struct Close {
    void operator()(FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<FILE, Close>;

  TextGeneration(ChildProcess child, File out, File err)
      : child_(child), out_(std::move(out)), err_(std::move(err)) {}
  static std::string ReadAll(FILE* file);

  ChildProcess child_;
  File out_, err_;
};

}  // namespace millwright::app::dashboard
