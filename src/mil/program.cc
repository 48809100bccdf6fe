#include "mil/program.h"

#include <algorithm>

namespace millwright::mil {

const Argument* Operation::FindArgument(std::string_view key) const {
  const auto it = std::find_if(arguments.begin(), arguments.end(),
                               [&](const Argument& argument) { return argument.key == key; });
  return it == arguments.end() ? nullptr : &*it;
}

const Constant* Operation::FindAttribute(std::string_view key) const {
  const auto it = std::find_if(attributes.begin(), attributes.end(),
                               [&](const Attribute& attribute) { return attribute.key == key; });
  return it == attributes.end() ? nullptr : &it->value;
}

std::vector<std::pair<std::string, std::string>> DefaultBuildInfo() {
  return {{"coremlc-component-MIL", "3510.2.1"},
          {"coremlc-version", "3505.4.1"},
          {"coremltools-component-milinternal", ""},
          {"coremltools-version", "9.0"}};
}

}  // namespace millwright::mil
