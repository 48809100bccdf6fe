#include "checkpoint/hf_index.h"

#include <string_view>

#include "base/read_file.h"
#include "checkpoint/unique_json.h"

namespace millwright::checkpoint {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// A name that cannot lead out of the folder.
bool IsShardName(std::string_view name) {
  constexpr std::string_view kForbidden("/\\\0", 3);
  return name.ends_with(".safetensors") && name.find_first_of(kForbidden) == name.npos;
}

}  // namespace

Result<HfWeightMap> ReadHfIndex(const std::string& path) {
  const auto text = ReadFile(path);
  if (!text) return text.error();
  const auto index = ParseUniqueJson(*text, "the index");
  if (!index) return index.error().In(path);
  const json map = index->value("weight_map", json());
  if (!map.is_object() || map.empty()) return BadInput("{}: weight_map is missing", path);
  HfWeightMap files;
  for (const auto& [tensor, name] : map.items()) {
    if (!name.is_string() || !IsShardName(name.get_ref<const std::string&>())) {
      return BadInput(
          "{}: tensor {}: expected the name of a safetensors file in the folder, "
          "found {}",
          path, Quoted(tensor), name.dump(-1, ' ', true));
    }
    files[tensor] = name.get<std::string>();
  }
  return files;
}

std::string ToHfIndex(const HfWeightMap& map, uint64_t total_bytes) {
  ordered_json index;
  index["metadata"]["total_size"] = total_bytes;
  index["weight_map"] = map;
  return index.dump(2) + "\n";
}

}  // namespace millwright::checkpoint
