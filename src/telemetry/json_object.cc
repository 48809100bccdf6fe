#include "telemetry/json_object.h"

#include <nlohmann/json.hpp>

namespace millwright::telemetry {

std::string JsonObject::Dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string JsonObject::Quote(std::string_view text) { return Dump(nlohmann::json(text)); }

}  // namespace millwright::telemetry
