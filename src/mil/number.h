// Numbers as MIL text writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/dtype.h"

namespace millwright::mil {

// The value of a decimal or hexadecimal literal ("-1", "0.125", "1e-5", "0x1p-3"), rounded once to
// double whatever the locale. Nothing if `text` is anything else or beyond the range of a double.
std::optional<double> ReadDouble(std::string_view text);

// An integer literal, decimal or hexadecimal: a sign and a magnitude below 2^64.
struct Integer {
  bool negative = false;
  uint64_t magnitude = 0;
};
std::optional<Integer> ReadInteger(std::string_view text);

// Writes a literal to `element`, one element of numeric `dtype` (in the low bits of a byte where it
// is a part of one). False if it does not fit: a
// fraction for an integer, an integer out of range. Floats are rounded to nearest; too large ones
// to infinity.
bool StoreNumber(DType dtype, std::string_view literal, void* element);

// The text of one element of a float, integer or bool array. A finite float is the shortest decimal
// without exponent that StoreNumber turns into the same bits; where that is long, a hexadecimal
// float (Apple's own text uses those; whether its parser takes decimal exponents is not known).
// Others are "inf", "-inf", "nan", and "nan(0x7E01)" with the bits of a NaN that is not the common
// one.
std::string WriteElement(DType dtype, const void* element);

}  // namespace millwright::mil
