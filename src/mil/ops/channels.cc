#include "mil/ops/channels.h"

namespace millwright::mil {

Status CheckChannels(const Call& call, std::initializer_list<std::string_view> keys) {
  if (Status status = CheckFloat(call, "x"); !status) return status;
  const Type& x = call.type("x");
  if (x.shape.size() < 3 || x.shape.size() > 5) {
    return call.Bad("'x' must have rank 3, 4 or 5, found {}", ToString(x));
  }
  for (std::string_view key : keys) {
    if (!call.Has(key)) continue;
    if (Status status = CheckFloat(call, key); !status) return status;
    if (call.type(key).shape == Shape{x.shape[1]}) continue;
    return call.Bad("'{}' must have shape [{}], one element a channel, found {}", key, x.shape[1],
                    ToString(call.type(key)));
  }
  return {};
}

}  // namespace millwright::mil
