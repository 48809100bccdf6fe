#include "base/cpu_name.h"

#include <fstream>
#include <set>

namespace millwright {

std::string CpuName() {
  // Linux lists every core; the fields of the first are enough. x86 has the first five, Arm the
  // others.
  static const std::set<std::string, std::less<>> kFields = {
      "vendor_id",       "cpu family", "model",       "stepping",    "model name",
      "CPU implementer", "CPU part",   "CPU variant", "CPU revision"};
  std::ifstream info("/proc/cpuinfo");
  std::string name;
  for (std::string line; std::getline(info, line) && !(line.empty() && !name.empty());) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
    const size_t value = line.find_first_not_of(" \t", colon + 1);
    if (!kFields.contains(key) || value == std::string::npos) continue;
    name += (name.empty() ? "" : " ") + line.substr(value);
  }
  return name;
}

}  // namespace millwright
