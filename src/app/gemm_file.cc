#include "app/gemm_file.h"

#include <filesystem>

#include "app/cache_folder.h"
#include "base/atomic_file.h"
#include "base/cpu_name.h"
#include "base/folder.h"
#include "base/read_file.h"
#include "base/threads.h"
#include "checkpoint/hash.h"
#include "checkpoint/unique_json.h"
#include "train/gemm_choices.h"

namespace millwright::app {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kFormat[] = "millwright gemm table 1";

json ToJson(const GemmMachine& machine) {
  return {{"cpu", machine.cpu}, {"gemm", machine.gemm}, {"threads", machine.threads}};
}

Status CheckMachine(const json& object, const GemmMachine& machine) {
  const json saved = object.value("machine", json());
  if (!saved.is_object()) return BadInput("machine: expected an object, found {}", saved.dump());
  const json here = ToJson(machine);
  for (const auto& [key, now] : here.items()) {
    const json then = saved.value(key, json());
    if (then == now) continue;
    return BadInput(
        "was measured elsewhere: {} is {} here, {} there; measure anew with bench gemm --tune", key,
        now.dump(), then.dump());
  }
  return {};
}

Result<math::GemmTable> Parse(std::string_view text, const GemmMachine& machine) {
  const auto object = checkpoint::ParseUniqueJson(text, "the table");
  if (!object) return object.error();
  const json format = object->value("format", json());
  if (format != kFormat) return BadInput("format: expected {:?}, found {}", kFormat, format.dump());
  if (auto status = CheckMachine(*object, machine); !status) return status.error();
  auto table = train::GemmTableFromJson(object->value("choices", json()));
  if (!table) return table.error().In("choices");
  return table;
}

}  // namespace

GemmMachine ThisGemmMachine() {
  return {.cpu = CpuName(), .gemm = math::GemmEngine().TableName(), .threads = GetThreads()};
}

std::string TunedGemmPath(const GemmMachine& machine) {
  const std::string key = ToJson(machine).dump();
  const uint64_t hash = checkpoint::HashBytes(std::as_bytes(std::span(key)));
  return (CacheFolder() / fmt::format("gemm-{:016x}.json", hash)).string();
}

Result<math::GemmTable> ReadGemmTable(const std::string& path, const GemmMachine& machine) {
  const auto text = ReadFile(path);
  if (!text) return text.error();
  auto table = Parse(*text, machine);
  if (!table) return table.error().In(path);
  return table;
}

Status WriteGemmTable(const std::string& path, const GemmMachine& machine,
                      const math::GemmTable& table) {
  const fs::path folder = ParentFolder(path);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Failed("{}: cannot be created: {}", folder.string(), error.message());
  const json object = {
      {"format", kFormat}, {"machine", ToJson(machine)}, {"choices", train::ToJson(table)}};
  return WriteFileAtomically(path, object.dump(1) + "\n");
}

Result<std::shared_ptr<const math::GemmTable>> GemmTableOfFlag(std::string_view flag) {
  if (flag == "fixed") return std::shared_ptr<const math::GemmTable>();
  const GemmMachine machine = ThisGemmMachine();
  const std::string path = flag == "tuned" ? TunedGemmPath(machine) : std::string(flag);
  if (flag == "tuned" && !Exists(path)) {
    return BadInput(
        "--gemm-table tuned: this machine was not measured yet with {} threads ({} is not there); "
        "bench gemm --tune does it",
        machine.threads, path);
  }
  auto table = ReadGemmTable(path, machine);
  if (!table) return table.error().In("--gemm-table");
  return std::make_shared<const math::GemmTable>(*std::move(table));
}

}  // namespace millwright::app
