// Attributes of programs and functions that are only carried along.
#pragma once

#include <vector>

#include "mil/cursor.h"
#include "mil/program.h"

namespace millwright::mil {

// "key = <type>(<value>)", the key being taken already: everything up to the comma or bracket that
// ends the attribute. Brackets must match; the text is written in canonical spacing.
bool ParseAnnotation(Cursor& cursor, Annotation* annotation);

// "[key = ..., key = ...]", or nothing.
bool ParseAnnotations(Cursor& cursor, std::vector<Annotation>* annotations);

}  // namespace millwright::mil
