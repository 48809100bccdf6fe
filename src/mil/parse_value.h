// Types and constant values in MIL text.
#pragma once

#include "mil/cursor.h"
#include "mil/type.h"

namespace millwright::mil {

// "fp16", "tensor<fp16, [1, 8]>", "tensor<fp16, []>". Dimensions are positive, at most 16 of them,
// and the bytes of the tensor are countable in 63 bits.
bool ParseType(Cursor& cursor, Type* type);

// Whether a constant is next, rather than the name of a value.
bool AtConstant(const Cursor& cursor);

// A typed value ("fp16(0.5)", "tensor<int32, [2]>([1, 2])", "tensor<fp16, [8]>(BLOBFILE(...))") or
// a bare literal: true, an int32, an fp32, a string, or a list of numbers. A list may be flat or
// nested as the type's shape is.
bool ParseConstant(Cursor& cursor, Constant* constant);

// A bare string literal.
bool ParseString(Cursor& cursor, std::string_view what, std::string* characters);

}  // namespace millwright::mil
