// The parts of Core ML's model format that carry types and constants, read; coreml_format.h has the
// numbers.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/wire_view.h"
#include "mil/type.h"

namespace millwright::mil {

// A message. Bad input: malformed bytes.
Result<WireView> ParseMessage(std::string_view bytes);

// A field that is a message; an empty one where it is absent.
Result<WireView> Submessage(const WireView& from, int field);

// A string field; empty where it is absent.
std::string TextOf(const WireView& from, int field);

// Field `field` of `from`, a ValueType. Bad input: what is no tensor of a fixed shape.
Result<Type> DecodeType(const WireView& from, int field);

// A Value: an immediate, or a place in a weight file.
Result<Constant> DecodeConstant(std::string_view bytes);

}  // namespace millwright::mil
