#include "app/binding_flag.h"

#include "train/options.h"

namespace millwright::app {

Result<kernels::Binding> BindingFromFlag(std::string_view name) {
  if (const auto binding = train::BindingFromName(name)) return *binding;
  return BadInput("--binding {}: expected packed, separate or constant", name);
}

}  // namespace millwright::app
