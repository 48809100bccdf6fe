#include "mil/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <locale>
#include <sstream>

#include "mil/digits.h"

namespace millwright::mil {
namespace {

// Longer decimals are written as hexadecimal floats.
constexpr size_t kLongestDecimal = 20;

bool TakeSign(std::string_view* text) {
  const bool negative = text->starts_with('-');
  if (negative || text->starts_with('+')) text->remove_prefix(1);
  return negative;
}

bool TakeHexPrefix(std::string_view* text) {
  const bool hex = text->starts_with("0x") || text->starts_with("0X");
  if (hex) text->remove_prefix(2);
  return hex;
}

// A signed decimal exponent, clamped far beyond the range of any double.
std::optional<int> ReadExponent(std::string_view text) {
  const bool negative = TakeSign(&text);
  if (text.empty() || !std::all_of(text.begin(), text.end(), IsDigit)) return std::nullopt;
  int value = 0;
  for (char c : text) value = std::min(value * 10 + (c - '0'), 1000000);
  return negative ? -value : value;
}

// "1.8p-3" of "0x1.8p-3".
std::optional<double> ReadHex(std::string_view text) {
  uint64_t mantissa = 0;
  int64_t exponent = 0;
  bool point = false;
  bool digits = false;
  size_t i = 0;
  for (; i < text.size() && text[i] != 'p' && text[i] != 'P'; ++i) {
    if (text[i] == '.' && !point) {
      point = true;
      continue;
    }
    const int digit = HexDigit(text[i]);
    if (digit < 0) return std::nullopt;
    digits = true;
    if (mantissa >> 60 == 0) {
      mantissa = mantissa * 16 + static_cast<uint64_t>(digit);
      if (point) exponent -= 4;
    } else {
      // Digits beyond 60 bits only matter to rounding: keep a sticky bit.
      if (digit != 0) mantissa |= 1;
      if (!point) exponent += 4;
    }
  }
  if (!digits) return std::nullopt;
  if (i < text.size()) {
    const auto power = ReadExponent(text.substr(i + 1));
    if (!power) return std::nullopt;
    exponent += *power;
  }
  const int clamped = static_cast<int>(std::clamp<int64_t>(exponent, -1000000, 1000000));
  return std::ldexp(static_cast<double>(mantissa), clamped);
}

struct Decimal {
  uint64_t mantissa = 0;
  int digits = 0;  // significant digits, saturating
  int exponent = 0;
};

std::optional<Decimal> ScanDecimal(std::string_view text) {
  Decimal decimal;
  bool point = false;
  bool any = false;
  size_t i = 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.' && !point) {
      point = true;
      continue;
    }
    if (!IsDigit(text[i])) return std::nullopt;
    any = true;
    if (decimal.mantissa != 0 || text[i] != '0') ++decimal.digits;
    if (decimal.digits <= 18) {
      decimal.mantissa = decimal.mantissa * 10 + static_cast<uint64_t>(text[i] - '0');
      if (point) --decimal.exponent;
    } else {
      decimal.digits = 19;
    }
  }
  if (!any) return std::nullopt;
  if (i < text.size()) {
    const auto power = ReadExponent(text.substr(i + 1));
    if (!power) return std::nullopt;
    decimal.exponent += *power;
  }
  return decimal;
}

std::optional<double> ReadDecimal(std::string_view text) {
  const auto decimal = ScanDecimal(text);
  if (!decimal) return std::nullopt;
  // Below 2^53 and 10^22 both operands are exact doubles, so that one operation rounds once.
  // Source: Clinger, "How to read floating point numbers accurately", PLDI 1990.
  if (decimal->digits <= 15 && std::abs(decimal->exponent) <= 22) {
    double power = 1.0;
    for (int i = 0; i < std::abs(decimal->exponent); ++i) power *= 10.0;
    const auto mantissa = static_cast<double>(decimal->mantissa);
    return decimal->exponent < 0 ? mantissa / power : mantissa * power;
  }
  std::istringstream stream{std::string(text)};
  stream.imbue(std::locale::classic());
  double value = 0.0;
  if (!(stream >> value) || stream.peek() != std::istringstream::traits_type::eof()) {
    return std::nullopt;
  }
  return value;
}

bool FitsInteger(DType dtype, Integer value) {
  const auto within = [&](uint64_t low, uint64_t high) {
    return value.magnitude <= (value.negative ? low : high);
  };
  switch (dtype) {
    case DType::kInt8:
      return within(0x80, 0x7F);
    case DType::kUint8:
      return within(0, 0xFF);
    case DType::kInt16:
      return within(0x8000, 0x7FFF);
    case DType::kUint16:
      return within(0, 0xFFFF);
    case DType::kInt32:
      return within(0x80000000u, 0x7FFFFFFF);
    case DType::kUint32:
      return within(0, 0xFFFFFFFFu);
    case DType::kUint64:
      return within(0, std::numeric_limits<uint64_t>::max());
    case DType::kInt4:
      return within(8, 7);
    case DType::kUint4:
    case DType::kUint1:
    case DType::kUint2:
    case DType::kUint3:
    case DType::kUint6:
      return within(0, (1u << DTypeBits(dtype)) - 1);
    default:
      return false;
  }
}

uint64_t BitsOf(DType dtype, const void* element) {
  uint64_t bits = 0;
  std::memcpy(&bits, element, DTypeSize(dtype));
  return bits;
}

bool ReadsBack(DType dtype, std::string_view text, uint64_t bits) {
  uint64_t element = 0;
  return StoreNumber(dtype, text, &element) && element == bits;
}

// `digits` significant digits of `value`, without exponent: "0.000123".
std::string Positional(double value, int digits) {
  const std::string text = fmt::format("{:.{}e}", value, digits - 1);
  const int exponent = std::stoi(text.substr(text.find('e') + 1));
  return fmt::format("{:.{}f}", value, std::max(0, digits - 1 - exponent));
}

std::string WriteFinite(DType dtype, double value, uint64_t bits) {
  if (value == 0.0) return std::signbit(value) ? "-0" : "0";
  // The bounds keep Positional from writing digits that the value does not have.
  const double magnitude = std::fabs(value);
  if (magnitude < 1e15 && magnitude > 1e-15) {
    for (int digits = 1; digits <= std::numeric_limits<double>::max_digits10; ++digits) {
      std::string text = Positional(value, digits);
      if (text.size() > kLongestDecimal) break;
      if (ReadsBack(dtype, text, bits)) return text;
    }
  }
  return fmt::format("{:a}", value);
}

std::string WriteFloat(DType dtype, const void* element) {
  const uint64_t bits = BitsOf(dtype, element);
  const double value = LoadElement(dtype, element, 0);
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  if (std::isnan(value)) {
    if (ReadsBack(dtype, "nan", bits)) return "nan";
    return fmt::format("nan(0x{:X})", bits);
  }
  return WriteFinite(dtype, value, bits);
}

std::optional<double> ReadFloatLiteral(std::string_view literal) {
  if (literal == "inf") return std::numeric_limits<double>::infinity();
  if (literal == "-inf") return -std::numeric_limits<double>::infinity();
  if (literal == "nan") return std::numeric_limits<double>::quiet_NaN();
  return ReadDouble(literal);
}

// "nan(0x7E01)": the bits themselves, if they are a NaN.
bool StoreNanBits(DType dtype, std::string_view literal, void* element) {
  literal.remove_prefix(std::string_view("nan(").size());
  literal.remove_suffix(1);
  const auto bits = ReadInteger(literal);
  const size_t size = DTypeSize(dtype);
  if (!bits || bits->negative || (size < 8 && bits->magnitude >> (8 * size) != 0)) return false;
  std::memcpy(element, &bits->magnitude, size);
  return std::isnan(LoadElement(dtype, element, 0));
}

}  // namespace

std::optional<double> ReadDouble(std::string_view text) {
  const bool negative = TakeSign(&text);
  const auto value = TakeHexPrefix(&text) ? ReadHex(text) : ReadDecimal(text);
  if (!value || std::isinf(*value)) return std::nullopt;
  return negative ? -*value : *value;
}

std::optional<Integer> ReadInteger(std::string_view text) {
  Integer integer{.negative = TakeSign(&text)};
  const int base = TakeHexPrefix(&text) ? 16 : 10;
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, integer.magnitude, base);
  if (text.empty() || error != std::errc() || last != end) return std::nullopt;
  return integer;
}

bool StoreNumber(DType dtype, std::string_view literal, void* element) {
  if (IsFloat(dtype)) {
    if (literal.starts_with("nan(")) return StoreNanBits(dtype, literal, element);
    const auto value = ReadFloatLiteral(literal);
    if (value) StoreElement(dtype, element, 0, *value);
    return value.has_value();
  }
  const auto integer = ReadInteger(literal);
  if (!integer || !FitsInteger(dtype, *integer)) return false;
  if (IsSubByte(dtype)) {
    const auto magnitude = static_cast<double>(integer->magnitude);
    StoreElement(dtype, element, 0, integer->negative ? -magnitude : magnitude);
    return true;
  }
  // Two's complement: the low bytes of the negated magnitude.
  const uint64_t bits = integer->negative ? 0 - integer->magnitude : integer->magnitude;
  std::memcpy(element, &bits, DTypeSize(dtype));
  return true;
}

std::string WriteElement(DType dtype, const void* element) {
  if (IsFloat(dtype)) return WriteFloat(dtype, element);
  if (dtype == DType::kBool) return LoadElement(dtype, element, 0) != 0.0 ? "true" : "false";
  if (dtype == DType::kUint64) return fmt::format("{}", BitsOf(dtype, element));
  return fmt::format("{}", static_cast<int64_t>(LoadElement(dtype, element, 0)));
}

}  // namespace millwright::mil
