#include "app/binding_flag.h"

namespace millwright::app {

using kernels::Binding;

Result<Binding> BindingFromFlag(std::string_view name) {
  for (Binding binding : {Binding::kPacked, Binding::kSeparate, Binding::kConstant}) {
    if (kernels::BindingName(binding) == name) return binding;
  }
  return BadInput("--binding {}: expected packed, separate or constant", name);
}

}  // namespace millwright::app
