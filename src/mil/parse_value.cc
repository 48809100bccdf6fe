#include "mil/parse_value.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "mil/number.h"

namespace millwright::mil {
namespace {

constexpr size_t kMaxDimensions = 16;

bool ParseDimension(Cursor& cursor, Shape* shape) {
  Token token;
  if (cursor.Is("?")) {
    return cursor.Fail(cursor.token(),
                       "the dimension is flexible; only static shapes are supported: give it a "
                       "number before the program is exported");
  }
  if (!cursor.Expect(TokenKind::kNumber, "a dimension", &token)) return false;
  const auto dim = ReadInteger(token.text);
  if (!dim || dim->negative || dim->magnitude == 0) {
    return cursor.Fail(token,
                       fmt::format("expected a dimension of 1 or more, found '{}'", token.text));
  }
  if (shape->size() == kMaxDimensions) {
    return cursor.Fail(token, fmt::format("more than {} dimensions", kMaxDimensions));
  }
  if (dim->magnitude > static_cast<uint64_t>((kMaxElements - 1) / NumElements(*shape))) {
    return cursor.Fail(token, "the tensor has too many elements");
  }
  shape->push_back(static_cast<int64_t>(dim->magnitude));
  return true;
}

bool ParseShape(Cursor& cursor, Shape* shape) {
  if (!cursor.Expect("[")) return false;
  if (cursor.Accept("]")) return true;
  do {
    if (!ParseDimension(cursor, shape)) return false;
  } while (cursor.Accept(","));
  return cursor.Expect("]");
}

bool ParseDType(Cursor& cursor, std::string_view what, DType* dtype) {
  Token token;
  if (!cursor.Expect(TokenKind::kIdentifier, what, &token)) return false;
  const auto known = DTypeFromName(token.text);
  if (!known || *known == DType::kFp64) {
    return cursor.Fail(token, fmt::format("expected {}, found '{}'", what, token.text));
  }
  *dtype = *known;
  return true;
}

// Takes one literal of `dtype` and appends its bytes; a part of a byte takes one.
bool ParseElement(Cursor& cursor, DType dtype, std::vector<std::byte>* bytes) {
  const Token token = cursor.token();
  if (dtype == DType::kBool) {
    const bool truth = cursor.Accept("true");
    if (!truth && !cursor.Accept("false")) return cursor.Expected("'true' or 'false'");
    bytes->push_back(std::byte{truth});
    return true;
  }
  std::string literal(token.text);
  const bool special = IsFloat(dtype) && (cursor.Is("inf") || cursor.Is("nan"));
  if (token.kind != TokenKind::kNumber && !special) {
    return cursor.Expected(fmt::format("a number of type {}", DTypeName(dtype)));
  }
  cursor.Take();
  if (literal == "nan" && cursor.Accept("(")) {
    Token bits;
    if (!cursor.Expect(TokenKind::kNumber, "the bits of a NaN", &bits)) return false;
    if (!cursor.Expect(")")) return false;
    literal = fmt::format("nan({})", bits.text);
  }
  const size_t size = IsSubByte(dtype) ? 1 : DTypeSize(dtype);
  bytes->resize(bytes->size() + size);
  if (StoreNumber(dtype, literal, bytes->data() + bytes->size() - size)) return true;
  return cursor.Fail(token,
                     fmt::format("'{}' is not a number of type {}", literal, DTypeName(dtype)));
}

// A list that fills the dimensions `shape`: as many elements, or lists for the inner dimensions.
// Recursion is bounded by the rank.
bool ParseList(Cursor& cursor, const Type& type, std::span<const int64_t> shape,
               std::vector<std::byte>* bytes) {
  if (!cursor.Expect("[")) return false;
  const bool nested = cursor.Is("[") && shape.size() > 1;
  int64_t expected = 1;
  for (int64_t dim : nested ? shape.first(1) : shape) expected *= dim;
  int64_t count = 0;
  do {
    if (count++ == expected) {
      return cursor.Fail(cursor.token(), fmt::format("the list is too long: {} needs {} here",
                                                     ToString(type), expected));
    }
    const bool ok = nested ? ParseList(cursor, type, shape.subspan(1), bytes)
                           : ParseElement(cursor, type.dtype, bytes);
    if (!ok) return false;
  } while (cursor.Accept(","));
  if (cursor.Is("]") && count != expected) {
    return cursor.Fail(cursor.token(), fmt::format("the list has {} entries, {} needs {} here",
                                                   count, ToString(type), expected));
  }
  return cursor.Expect("]");
}

// An immediate of what ParseElement and ParseList have appended.
Constant MakeImmediate(Type type, std::vector<std::byte> bytes) {
  if (IsSubByte(type.dtype)) {
    std::vector<std::byte> packed(type.bytes());
    for (size_t i = 0; i < bytes.size(); ++i) {
      StoreElement(type.dtype, packed.data(), i, LoadElement(type.dtype, &bytes[i], 0));
    }
    bytes = std::move(packed);
  }
  return Constant::FromBytes(std::move(type), std::move(bytes));
}

// A scalar with its type: string("x"), uint64(64), tensor<uint64, []>(64).
bool ParseTypedScalar(Cursor& cursor, DType dtype, std::string_view what, Constant* constant) {
  const Token start = cursor.token();
  Type type;
  if (!ParseType(cursor, &type)) return false;
  if (type != Type{dtype, {}}) {
    return cursor.Fail(start, fmt::format("expected {}, found {}", what, ToString(type)));
  }
  if (!cursor.Expect("(")) return false;
  if (dtype == DType::kString) {
    std::string characters;
    if (!ParseString(cursor, what, &characters)) return false;
    *constant = Constant::String(std::move(characters));
  } else {
    std::vector<std::byte> bytes;
    if (!ParseElement(cursor, dtype, &bytes)) return false;
    *constant = Constant::FromBytes(type, std::move(bytes));
  }
  return cursor.Expect(")");
}

// "BLOBFILE(path = string("..."), offset = uint64(64))", in either order.
bool ParseBlob(Cursor& cursor, const Type& type, Constant* constant) {
  const Token start = cursor.Take();
  std::optional<Constant> path;
  std::optional<Constant> offset;
  if (!cursor.Expect("(")) return false;
  do {
    const bool is_path = cursor.Is("path");
    if (!is_path && !cursor.Is("offset")) return cursor.Expected("'path' or 'offset'");
    std::optional<Constant>& target = is_path ? path : offset;
    const Token key = cursor.Take();
    if (target) return cursor.Fail(key, fmt::format("'{}' is given twice", key.text));
    if (!cursor.Expect("=")) return false;
    const auto [dtype, what] =
        is_path ? std::pair{DType::kString, "a string"} : std::pair{DType::kUint64, "a uint64"};
    if (!ParseTypedScalar(cursor, dtype, what, &target.emplace())) return false;
  } while (cursor.Accept(","));
  if (!path || !offset) return cursor.Fail(start, "BLOBFILE needs a path and an offset");
  uint64_t place = 0;
  std::ranges::copy(offset->bytes(), std::as_writable_bytes(std::span(&place, 1)).begin());
  *constant = Constant::Blob(type, {path->as_string(), place});
  return cursor.Expect(")");
}

bool ParseTyped(Cursor& cursor, Constant* constant) {
  const Token start = cursor.token();
  Type type;
  if (!ParseType(cursor, &type) || !cursor.Expect("(")) return false;
  if (type.dtype == DType::kString) {
    if (!type.shape.empty()) return cursor.Fail(start, "strings are scalars");
    std::string characters;
    if (!ParseString(cursor, "a string", &characters)) return false;
    *constant = Constant::String(std::move(characters));
  } else if (cursor.Is("BLOBFILE")) {
    if (!ParseBlob(cursor, type, constant)) return false;
  } else {
    std::vector<std::byte> bytes;
    const bool ok = type.shape.empty() ? ParseElement(cursor, type.dtype, &bytes)
                                       : ParseList(cursor, type, type.shape, &bytes);
    if (!ok) return false;
    *constant = MakeImmediate(std::move(type), std::move(bytes));
  }
  return cursor.Expect(")");
}

// The type that a bare number has.
DType BareType(const Token& number) {
  return ReadInteger(number.text) ? DType::kInt32 : DType::kFp32;
}

bool ParseBareList(Cursor& cursor, Constant* constant) {
  cursor.Take();
  std::vector<Token> numbers;
  bool integers = true;
  do {
    Token token;
    if (!cursor.Expect(TokenKind::kNumber, "a number", &token)) return false;
    integers = integers && BareType(token) == DType::kInt32;
    numbers.push_back(token);
  } while (cursor.Accept(","));
  if (!cursor.Expect("]")) return false;
  const Type type{integers ? DType::kInt32 : DType::kFp32, {static_cast<int64_t>(numbers.size())}};
  std::vector<std::byte> bytes(type.bytes());
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (StoreNumber(type.dtype, numbers[i].text, bytes.data() + i * DTypeSize(type.dtype))) {
      continue;
    }
    return cursor.Fail(numbers[i], fmt::format("'{}' is not a number of type {}", numbers[i].text,
                                               DTypeName(type.dtype)));
  }
  *constant = Constant::FromBytes(type, std::move(bytes));
  return true;
}

bool ParseBare(Cursor& cursor, Constant* constant) {
  if (cursor.token().kind == TokenKind::kString) {
    std::string characters;
    if (!ParseString(cursor, "a string", &characters)) return false;
    *constant = Constant::String(std::move(characters));
    return true;
  }
  if (cursor.Is("[")) return ParseBareList(cursor, constant);
  const bool number = cursor.token().kind == TokenKind::kNumber;
  const Type type{number ? BareType(cursor.token()) : DType::kBool, {}};
  std::vector<std::byte> bytes;
  if (!ParseElement(cursor, type.dtype, &bytes)) return false;
  *constant = Constant::FromBytes(type, std::move(bytes));
  return true;
}

bool AtTyped(const Cursor& cursor) {
  const Token& token = cursor.token();
  if (token.kind != TokenKind::kIdentifier) return false;
  if (token.text == "tensor") return cursor.After().text == "<";
  return DTypeFromName(token.text).has_value() && cursor.After().text == "(";
}

}  // namespace

bool ParseType(Cursor& cursor, Type* type) {
  type->shape.clear();
  if (cursor.Is("state")) {
    return cursor.Fail(
        cursor.token(),
        "state types are not supported: make the state an input and its new value an "
        "output");
  }
  for (const std::string_view compound : {"list", "dict", "tuple"}) {
    if (cursor.Is(compound)) {
      return cursor.Fail(cursor.token(), fmt::format("{} types are not supported", compound));
    }
  }
  if (!cursor.Accept("tensor")) return ParseDType(cursor, "a type", &type->dtype);
  return cursor.Expect("<") && ParseDType(cursor, "an element type", &type->dtype) &&
         cursor.Expect(",") && ParseShape(cursor, &type->shape) && cursor.Expect(">");
}

bool AtConstant(const Cursor& cursor) {
  const TokenKind kind = cursor.token().kind;
  return kind == TokenKind::kNumber || kind == TokenKind::kString || cursor.Is("[") ||
         cursor.Is("true") || cursor.Is("false") || AtTyped(cursor);
}

bool ParseConstant(Cursor& cursor, Constant* constant) {
  if (!AtConstant(cursor)) return cursor.Expected("a value");
  return AtTyped(cursor) ? ParseTyped(cursor, constant) : ParseBare(cursor, constant);
}

bool ParseString(Cursor& cursor, std::string_view what, std::string* characters) {
  Token token;
  if (!cursor.Expect(TokenKind::kString, what, &token)) return false;
  auto unquoted = Unquote(token.text);
  if (!unquoted) return cursor.Fail(token, "the string holds an unknown escape");
  *characters = *std::move(unquoted);
  return true;
}

}  // namespace millwright::mil
