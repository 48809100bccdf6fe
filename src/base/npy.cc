#include "base/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/mapped_file.h"
#include "base/output_file.h"

namespace millwright {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are written as in memory");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kVersionSize = 2;
constexpr size_t kHeaderAlignment = 64;
constexpr size_t kMaxRank = 32;  // NumPy's own limit before version 2

// An element type as a header's 'descr' spells it, without the byte order.
struct Spelling {
  std::string_view code;
  DType dtype;
};
constexpr std::array<Spelling, 10> kSpellings = {{{"f2", DType::kFp16},
                                                  {"f4", DType::kFp32},
                                                  {"f8", DType::kFp64},
                                                  {"i1", DType::kInt8},
                                                  {"u1", DType::kUint8},
                                                  {"i2", DType::kInt16},
                                                  {"u2", DType::kUint16},
                                                  {"i4", DType::kInt32},
                                                  {"u8", DType::kUint64},
                                                  {"b1", DType::kBool}}};
constexpr std::string_view kInt64 = "i8";  // no DType: narrowed to int32

// A header as written.
struct Header {
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<Shape> shape;
};

// Reads the Python dict of a header. Functions return false at the first thing that is not
// expected.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : text_(text) {}

  bool Read(Header* header) {
    if (!Accept('{')) return false;
    while (!Accept('}')) {
      std::string key;
      if (!ReadString(&key) || !Accept(':') || !ReadValue(key, header)) return false;
      if (Accept(',')) continue;
      if (!Accept('}')) return false;
      break;
    }
    SkipBlanks();
    return text_.empty() && header->descr && header->fortran_order && header->shape;
  }

 private:
  void SkipBlanks() {
    const size_t first = text_.find_first_not_of(" \t\r\n");
    text_.remove_prefix(std::min(first, text_.size()));
  }

  bool Accept(char c) {
    SkipBlanks();
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool Accept(std::string_view word) {
    SkipBlanks();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  bool ReadString(std::string* value) {
    SkipBlanks();
    if (text_.empty() || (text_[0] != '\'' && text_[0] != '"')) return false;
    const size_t end = text_.find(text_[0], 1);
    if (end == std::string_view::npos) return false;
    *value = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return value->find('\\') == std::string::npos;
  }

  // (), (3,) or (3, 4); Python 2 wrote 3L.
  bool ReadShape(Shape* shape) {
    if (!Accept('(')) return false;
    while (!Accept(')')) {
      SkipBlanks();
      int64_t dim = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), dim);
      if (error != std::errc() || dim < 0 || shape->size() == kMaxRank) return false;
      text_.remove_prefix(static_cast<size_t>(end - text_.data()));
      Accept('L');
      shape->push_back(dim);
      if (Accept(',')) continue;
      return Accept(')');
    }
    return true;
  }

  bool ReadValue(std::string_view key, Header* header) {
    if (key == "descr" && !header->descr) return ReadString(&header->descr.emplace());
    if (key == "shape" && !header->shape) return ReadShape(&header->shape.emplace());
    if (key != "fortran_order" || header->fortran_order) return false;
    header->fortran_order = Accept("True");
    return *header->fortran_order || Accept("False");
  }

  std::string_view text_;
};

std::string_view Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The header's text; `data` gets what follows it.
Result<std::string_view> FindHeader(std::span<const std::byte> file,
                                    std::span<const std::byte>* data) {
  const std::string_view text = Text(file);
  const size_t start = kMagic.size() + kVersionSize;
  if (!text.starts_with(kMagic) || text.size() < start) {
    return BadInput("not a .npy file: it does not begin with 93 'NUMPY'");
  }
  const int version = static_cast<unsigned char>(text[kMagic.size()]);
  if (version < 1 || version > 3) {
    return BadInput(".npy version {}, expected 1, 2 or 3", version);
  }
  const size_t width = version == 1 ? 2 : 4;
  if (text.size() - start < width) return BadInput("the header is cut off");
  uint32_t length = 0;
  std::memcpy(&length, text.data() + start, width);
  if (text.size() - start - width < length) {
    return BadInput("a header of {} bytes in a file of {}", length, file.size());
  }
  *data = file.subspan(start + width + length);
  return text.substr(start + width, length);
}

// The bytes of a shape's elements, or nothing if they are too many to count.
std::optional<uint64_t> ByteCount(const Shape& shape, size_t element) {
  uint64_t count = element;
  for (const int64_t dim : shape) {
    const auto factor = static_cast<uint64_t>(dim);
    if (factor != 0 && count > (uint64_t{1} << 62) / factor) return std::nullopt;
    count *= factor;
  }
  return count;
}

void SwapBytes(size_t element, std::vector<std::byte>* bytes) {
  for (size_t i = 0; i + element <= bytes->size(); i += element) {
    std::reverse(bytes->begin() + static_cast<ptrdiff_t>(i),
                 bytes->begin() + static_cast<ptrdiff_t>(i + element));
  }
}

// The elements of a column-major array in row-major order.
std::vector<std::byte> RowMajor(const std::vector<std::byte>& bytes, const Shape& shape,
                                size_t element) {
  std::vector<std::byte> result(bytes.size());
  std::vector<int64_t> index(shape.size(), 0);
  for (size_t to = 0; to < bytes.size(); to += element) {
    size_t from = 0, stride = element;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      from += static_cast<size_t>(index[axis]) * stride;
      stride *= static_cast<size_t>(shape[axis]);
    }
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(from), element,
                result.begin() + static_cast<ptrdiff_t>(to));
    for (size_t axis = shape.size(); axis-- > 0 && ++index[axis] == shape[axis];) index[axis] = 0;
  }
  return result;
}

Result<std::vector<std::byte>> NarrowToInt32(const std::vector<std::byte>& wide) {
  std::vector<std::byte> narrow(wide.size() / 2);
  for (size_t i = 0; i < wide.size() / sizeof(int64_t); ++i) {
    int64_t value = 0;
    std::memcpy(&value, wide.data() + i * sizeof(value), sizeof(value));
    const auto small = static_cast<int32_t>(value);
    if (small != value) {
      return BadInput("int64 element {} is {}: programs have int32 at most", i, value);
    }
    std::memcpy(narrow.data() + i * sizeof(small), &small, sizeof(small));
  }
  return narrow;
}

Result<NpyArray> Parse(std::span<const std::byte> file) {
  std::span<const std::byte> data;
  const auto text = FindHeader(file, &data);
  if (!text) return text.error();
  Header header;
  if (!HeaderReader(*text).Read(&header)) {
    return BadInput(
        "the header is not a dict of 'descr', 'fortran_order' and 'shape' of a plain "
        "array");
  }
  const std::string& descr = *header.descr;
  const std::string_view code = std::string_view(descr).substr(std::min<size_t>(1, descr.size()));
  const auto spelling = std::find_if(kSpellings.begin(), kSpellings.end(),
                                     [&](const Spelling& s) { return s.code == code; });
  const bool int64 = code == kInt64;
  const bool ordered =
      !descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string::npos;
  if (!ordered || (spelling == kSpellings.end() && !int64)) {
    return BadInput("elements of '{}': expected float16, float32, float64, bool or an integer type",
                    descr);
  }
  NpyArray array{.dtype = int64 ? DType::kInt32 : spelling->dtype, .shape = *header.shape};
  const size_t element = int64 ? sizeof(int64_t) : DTypeSize(array.dtype);
  if (ByteCount(array.shape, element) != data.size()) {
    return BadInput("shape {} of {} bytes each does not fill the {} bytes behind the header",
                    ShapeToString(array.shape), element, data.size());
  }
  array.bytes.assign(data.begin(), data.end());
  if (descr[0] == '>') SwapBytes(element, &array.bytes);
  if (*header.fortran_order) array.bytes = RowMajor(array.bytes, array.shape, element);
  if (!int64) return array;
  auto narrow = NarrowToInt32(array.bytes);
  if (!narrow) return narrow.error();
  array.bytes = *std::move(narrow);
  return array;
}

std::string HeaderText(std::string_view code, const Shape& shape) {
  std::string dims;
  for (const int64_t dim : shape) dims += fmt::format("{}, ", dim);
  if (shape.size() > 1) dims.resize(dims.size() - 2);
  if (shape.size() == 1) dims.pop_back();
  std::string text = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                                 code.ends_with('1') ? '|' : '<', code, dims);
  const size_t before = kMagic.size() + kVersionSize + 2;
  const size_t total =
      (before + text.size() + 1 + kHeaderAlignment - 1) / kHeaderAlignment * kHeaderAlignment;
  text.resize(total - before - 1, ' ');
  return text + '\n';
}

}  // namespace

Result<NpyArray> ParseNpy(std::span<const std::byte> file, std::string_view where) {
  auto array = Parse(file);
  if (!array) return array.error().In(where);
  return array;
}

Result<NpyArray> ReadNpy(const std::string& path) {
  const auto file = MappedFile::Open(path);
  if (!file) return file.error();
  return ParseNpy((*file)->bytes(), path);
}

Status WriteNpy(const std::string& path, const NpyArray& array) {
  const auto spelling = std::find_if(kSpellings.begin(), kSpellings.end(),
                                     [&](const Spelling& s) { return s.dtype == array.dtype; });
  if (spelling == kSpellings.end()) {
    return BadInput("{}: NumPy has no {}", path, DTypeName(array.dtype));
  }
  const std::string header = HeaderText(spelling->code, array.shape);
  std::string start(kMagic);
  start += {'\x01', '\x00', static_cast<char>(header.size() & 0xFF),
            static_cast<char>(header.size() >> 8)};
  auto file = OutputFile::Create(path);
  if (!file) return file.error();
  for (const std::string_view part :
       {std::string_view(start), std::string_view(header), Text(array.bytes)}) {
    if (Status status = file->Write(part); !status) return status;
  }
  return file->Finish();
}

}  // namespace millwright
