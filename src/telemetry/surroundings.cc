#include "telemetry/surroundings.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>

namespace millwright::telemetry {

namespace fs = std::filesystem;

double WallClock() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

std::string HostName() {
  std::string name(256, '\0');
  if (::gethostname(name.data(), name.size() - 1) != 0) return "";
  name.resize(std::strlen(name.c_str()));
  return name;
}

Surroundings LookAround(const std::string& run_dir, const ConfigEvent* config) {
  Surroundings result{.now = WallClock()};
  struct stat file {};
  result.exists = ::stat((run_dir + "/metrics.jsonl").c_str(), &file) == 0;
  if (result.exists) result.last_write = static_cast<double>(file.st_mtime);
  std::error_code error;
  const fs::space_info space = fs::space(run_dir, error);
  if (!error) result.free_bytes = space.available;
  if (config != nullptr && config->pid > 0 && config->host == HostName()) {
    result.process_lives = ::kill(static_cast<pid_t>(config->pid), 0) == 0 || errno == EPERM;
  }
  return result;
}

}  // namespace millwright::telemetry
