// Core ML's model format as a table, and a reader of nothing but the encoding: whether a model's
// bytes follow the schema, told without the code that writes and reads them.
#pragma once

#include <string>
#include <string_view>

namespace millwright {

// What is wrong with a model.mlmodel, with the path of the field: bytes that are no message, a
// field that its message does not have or that has another wire type, a second value of a field
// that takes one, two members of a oneof, packed numbers of the wrong size. Empty where nothing is.
std::string CoreMlSchemaProblem(std::string_view model);

}  // namespace millwright
