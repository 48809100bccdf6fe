#include "mil/weights.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/mapped_file.h"

namespace millwright::mil {
namespace {

static_assert(std::endian::native == std::endian::little, "weight files are written as in memory");

constexpr uint64_t kAlignment = 64;
constexpr uint32_t kVersion = 2;
constexpr uint32_t kSentinel = 0xDEADBEEF;
constexpr std::string_view kModelPath = "@model_path/";

struct StorageHeader {
  uint32_t count = 0;
  uint32_t version = kVersion;
  std::array<uint64_t, 7> reserved = {};
};
static_assert(sizeof(StorageHeader) == kAlignment);

struct BlobMetadata {
  uint32_t sentinel = kSentinel;
  uint32_t dtype = 0;
  uint64_t size = 0;
  uint64_t offset = 0;
  uint64_t unused_bits = 0;
  std::array<uint64_t, 4> reserved = {};
};
static_assert(sizeof(BlobMetadata) == kAlignment);

uint64_t Align(uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

template <class T>
T ReadAt(std::span<const std::byte> file, uint64_t offset) {
  T value;
  std::memcpy(&value, file.data() + offset, sizeof(T));
  return value;
}

// Whether [offset, offset + size) lies inside `file`, without overflow.
bool Holds(std::span<const std::byte> file, uint64_t offset, uint64_t size) {
  return offset <= file.size() && size <= file.size() - offset;
}

using Blob = Result<std::span<const std::byte>>;

// The record at `offset`, checked up to its sentinel.
Result<BlobMetadata> ReadMetadata(std::span<const std::byte> file, uint64_t offset) {
  if (!Holds(file, offset, sizeof(BlobMetadata))) {
    return BadInput("the record at offset {} lies outside the file of {} bytes", offset,
                    file.size());
  }
  const auto metadata = ReadAt<BlobMetadata>(file, offset);
  if (metadata.sentinel != kSentinel) {
    return BadInput("no blob record at offset {}: expected 0xDEADBEEF, found 0x{:08X}", offset,
                    metadata.sentinel);
  }
  return metadata;
}

Status CheckHeader(std::span<const std::byte> file) {
  if (file.size() < sizeof(StorageHeader)) {
    return BadInput("a file of {} bytes is too short for the 64-byte header", file.size());
  }
  const auto header = ReadAt<StorageHeader>(file, 0);
  if (header.version != kVersion) {
    return BadInput("storage version {}, expected {}", header.version, kVersion);
  }
  if (header.count == 0) return BadInput("the header counts no blob");
  return {};
}

Blob Data(std::span<const std::byte> file, uint64_t offset, uint64_t size) {
  if (!Holds(file, offset, size)) {
    return BadInput("the data of {} bytes at offset {} lie outside the file of {} bytes", size,
                    offset, file.size());
  }
  return file.subspan(offset, size);
}

Blob ReadStrict(std::span<const std::byte> file, const Type& type, uint64_t record) {
  if (Status status = CheckHeader(file); !status) return status.error();
  if (record % kAlignment != 0) return BadInput("offset {} is not a multiple of 64", record);
  const auto metadata = ReadMetadata(file, record);
  if (!metadata) return metadata.error();
  const auto code = BlobDTypeCode(type.dtype);
  if (code != metadata->dtype) {
    return BadInput("the blob at offset {} has dtype number {}, {} is {}", record, metadata->dtype,
                    DTypeName(type.dtype), code ? fmt::format("{}", *code) : "not storable");
  }
  if (metadata->size != type.bytes()) {
    return BadInput("the blob at offset {} has {} bytes, {} needs {}", record, metadata->size,
                    ToString(type), type.bytes());
  }
  const uint64_t unused =
      8 * type.bytes() - static_cast<uint64_t>(type.elements()) * DTypeBits(type.dtype);
  if (IsSubByte(type.dtype) && metadata->unused_bits != unused) {
    return BadInput("the blob at offset {} has {} unused bits, {} leaves {}", record,
                    metadata->unused_bits, ToString(type), unused);
  }
  if (metadata->offset % kAlignment != 0) {
    return BadInput("the data offset {} is not a multiple of 64", metadata->offset);
  }
  return Data(file, metadata->offset, metadata->size);
}

// A record as public generators write it: only the sentinel is trusted. One of them writes the
// record at the start of the file and lets the program's offset point at the data behind it.
Blob ReadLenient(std::span<const std::byte> file, const Type& type, uint64_t record) {
  if (!BlobDTypeCode(type.dtype)) {
    return BadInput("a weight file cannot hold {}", DTypeName(type.dtype));
  }
  const auto metadata = ReadMetadata(file, record);
  if (!metadata) {
    if (record != sizeof(BlobMetadata) || !ReadMetadata(file, 0)) return metadata.error();
    return Data(file, record, type.bytes());
  }
  const bool usable =
      metadata->offset != 0 && metadata->offset % std::max<size_t>(1, DTypeSize(type.dtype)) == 0;
  return Data(file, usable ? metadata->offset : record + sizeof(BlobMetadata), type.bytes());
}

// The path below the program's folder: "weights/x.bin". Bad input: a path that leaves the folder.
Result<std::filesystem::path> RelativePath(std::string_view path) {
  if (path.starts_with(kModelPath)) path.remove_prefix(kModelPath.size());
  const std::filesystem::path relative(path);
  if (relative.empty() || relative.is_absolute() || !relative.has_filename()) {
    return BadInput("weight file '{}': expected a path like @model_path/weights/x.bin", path);
  }
  for (const auto& part : relative) {
    if (part == "..") return BadInput("weight file '{}': the path leaves the folder", path);
  }
  return relative;
}

std::set<std::string> WeightPaths(const Program& program) {
  std::set<std::string> paths;
  const auto add = [&](const Constant& constant) {
    if (constant.blob()) paths.insert(constant.blob()->path);
  };
  for (const Function& function : program.functions) {
    for (const Operation& operation : function.operations) {
      for (const Attribute& attribute : operation.attributes) add(attribute.value);
      for (const Argument& argument : operation.arguments) {
        if (const auto* literal = std::get_if<Constant>(&argument.value)) add(*literal);
      }
    }
  }
  return paths;
}

}  // namespace

std::optional<uint32_t> BlobDTypeCode(DType dtype) {
  switch (dtype) {
    case DType::kFp16:
      return 1;
    case DType::kFp32:
      return 2;
    case DType::kUint8:
      return 3;
    case DType::kInt8:
      return 4;
    case DType::kBf16:
      return 5;
    case DType::kInt16:
      return 6;
    case DType::kUint16:
      return 7;
    case DType::kInt4:
      return 8;
    case DType::kUint1:
      return 9;
    case DType::kUint2:
      return 10;
    case DType::kUint4:
      return 11;
    case DType::kUint3:
      return 12;
    case DType::kUint6:
      return 13;
    case DType::kInt32:
      return 14;
    case DType::kUint32:
      return 15;
    default:
      return std::nullopt;
  }
}

BlobWriter::BlobWriter() : file_(sizeof(StorageHeader)) {}

uint64_t BlobWriter::Add(DType dtype, std::span<const std::byte> data, uint64_t unused_bits) {
  const uint64_t record = Align(file_.size());
  const BlobMetadata metadata{.dtype = BlobDTypeCode(dtype).value_or(0),
                              .size = data.size(),
                              .offset = record + sizeof(BlobMetadata),
                              .unused_bits = unused_bits};
  file_.resize(metadata.offset);
  std::memcpy(file_.data() + record, &metadata, sizeof(metadata));
  file_.insert(file_.end(), data.begin(), data.end());
  ++count_;
  return record;
}

std::vector<std::byte> BlobWriter::Finish() && {
  const StorageHeader header{.count = count_};
  std::memcpy(file_.data(), &header, sizeof(header));
  return std::move(file_);
}

void WeightStore::Put(std::string path, std::vector<std::byte> file) {
  const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(file));
  Put(std::move(path), SharedBytes{owner, std::span(*owner)});
}

void WeightStore::Put(std::string path, SharedBytes file) {
  files_.insert_or_assign(std::move(path), std::move(file));
}

Result<std::span<const std::byte>> WeightStore::Read(const Constant& constant, bool lenient) const {
  if (!constant.blob()) return constant.bytes();
  const BlobRef& ref = *constant.blob();
  const auto it = files_.find(ref.path);
  if (it == files_.end()) return BadInput("weight file '{}' is not given", ref.path);
  const auto read = lenient ? ReadLenient : ReadStrict;
  auto data = read(it->second.bytes, constant.type(), ref.offset);
  if (!data) return data.error().In(ref.path);
  return data;
}

Result<WeightStore> LoadWeights(const Program& program, const std::string& folder) {
  WeightStore store;
  for (const std::string& path : WeightPaths(program)) {
    const auto relative = RelativePath(path);
    if (!relative) return relative.error();
    const std::filesystem::path root(folder);
    std::filesystem::path file = root / *relative;
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) file = root / relative->filename();
    if (!std::filesystem::exists(file, ignored)) {
      return BadInput("weight file '{}' not found: neither {} nor {}", path,
                      (root / *relative).string(), file.string());
    }
    auto mapped = MappedFile::Open(file.string());
    if (!mapped) return mapped.error();
    store.Put(path, SharedBytes{*mapped, (*mapped)->bytes()});
  }
  return store;
}

Status SaveWeights(const WeightStore& store, const std::string& folder) {
  for (const auto& [path, file] : store.files()) {
    const auto relative = RelativePath(path);
    if (!relative) return relative.error();
    const std::filesystem::path target = std::filesystem::path(folder) / *relative;
    std::error_code error;
    std::filesystem::create_directories(target.parent_path(), error);
    if (error) return Failed("{}: {}", target.parent_path().string(), error.message());
    std::ofstream out(target, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(file.bytes.data()),
              static_cast<std::streamsize>(file.bytes.size()));
    out.close();
    if (!out) return Failed("{}: could not be written", target.string());
  }
  return {};
}

}  // namespace millwright::mil
