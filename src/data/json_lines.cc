#include "data/json_lines.h"

#include <nlohmann/json.hpp>

namespace millwright::data {

Result<std::string> TextOfJsonLine(std::string_view line, const std::string& field) {
  const auto object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded()) return BadInput("not valid JSON");
  if (!object.is_object()) return BadInput("expected an object, found {}", object.type_name());
  const auto text = object.find(field);
  if (text == object.end()) return BadInput("there is no field \"{}\"", field);
  if (!text->is_string()) {
    return BadInput("\"{}\": expected text, found {}", field, text->type_name());
  }
  return text->get<std::string>();
}

}  // namespace millwright::data
