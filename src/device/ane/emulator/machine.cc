#include "device/ane/emulator/machine.h"

#include <unistd.h>

#include <charconv>
#include <cstring>
#include <filesystem>

#include "device/ane/emulator/entry.h"
#include "device/ane/emulator/exports.h"

namespace millwright::device::ane::emulator {
namespace {

class Folder {
 public:
  Folder() {
    std::error_code error;
    path_ = std::filesystem::temp_directory_path(error) / fmt::format("ane-emulator-{}", getpid());
    std::filesystem::create_directories(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

MachineState& Machine() {
  static MachineState machine;
  return machine;
}

Status SetMachine(const std::string& chip, const std::string& macos) {
  auto target = ParseTarget(chip);
  if (!target) return target.error();
  const auto [end, error] =
      std::from_chars(macos.data(), macos.data() + macos.size(), target->macos);
  if (error != std::errc()) return BadInput("macOS \"{}\"", macos);
  MachineState& machine = Machine();
  machine.target = *target;
  machine.brand = "Apple " + chip;
  machine.macos = macos;
  return {};
}

std::string Architecture() { return fmt::format("h{}g", 12 + Machine().target.generation()); }

std::string TemporaryFolder() {
  static const Folder folder;
  return folder.path().string();
}

int sysctlbyname(const char* name, void* value, size_t* size, void*, size_t) {
  if (Enter(Entry::sysctlbyname) != Fault::kNone) return -1;
  const std::string_view asked(name);
  const std::string* text = asked == "kern.osproductversion"      ? &Machine().macos
                            : asked == "machdep.cpu.brand_string" ? &Machine().brand
                                                                  : nullptr;
  if (text == nullptr || *size < text->size() + 1) return -1;
  std::memcpy(value, text->c_str(), text->size() + 1);
  *size = text->size() + 1;
  return 0;
}

}  // namespace millwright::device::ane::emulator
