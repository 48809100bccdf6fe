#pragma once

namespace millwright::mil {

/// Whether `c` is a decimal digit; of no locale.
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// The value of hexadecimal digit `c`, in either case; -1 if it is none.
constexpr int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace millwright::mil
