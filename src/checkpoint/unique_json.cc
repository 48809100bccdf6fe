#include "checkpoint/unique_json.h"

#include <set>
#include <vector>

namespace millwright::checkpoint {

using nlohmann::json;

Result<json> ParseUniqueJson(std::string_view text, std::string_view what) {
  std::vector<std::set<std::string>> open;
  std::string twice;
  bool found = false;
  const auto watch = [&](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) open.emplace_back();
    if (event == json::parse_event_t::object_end && !open.empty()) open.pop_back();
    if (event == json::parse_event_t::key && !open.empty()) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!open.back().insert(key).second) {
        twice = key;
        found = true;
      }
    }
    return true;
  };
  json parsed = json::parse(text, watch, false);
  if (!parsed.is_object()) return BadInput("{} is not a JSON object", what);
  if (found) return BadInput("{} holds {} twice", what, Quoted(twice));
  return parsed;
}

std::string Quoted(std::string_view text) {
  return json(text).dump(-1, ' ', true, json::error_handler_t::replace);
}

}  // namespace millwright::checkpoint
