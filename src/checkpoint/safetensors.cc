#include "checkpoint/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/threads.h"
#include "checkpoint/safetensors_format.h"
#include "checkpoint/unique_json.h"

namespace millwright::checkpoint {
namespace {

using nlohmann::json;

Result<SafetensorsMetadata> ParseMetadata(const json& value) {
  if (!value.is_object()) return BadInput("__metadata__ is not an object");
  SafetensorsMetadata metadata;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) return BadInput("__metadata__ {} is not a string", Quoted(key));
    metadata[key] = text.get<std::string>();
  }
  return metadata;
}

const SafetensorsDtype* FindDtype(std::string_view name) {
  const auto* found = std::ranges::find(kSafetensorsDtypes, name, &SafetensorsDtype::name);
  return found == std::end(kSafetensorsDtypes) ? nullptr : found;
}

// Reads "shape" into `entry` and returns the bytes that such a tensor has.
Result<uint64_t> ParseShape(const json& shape, uint64_t element_size, Safetensors::Entry* entry) {
  if (!shape.is_array()) return BadInput("shape is not a list");
  uint64_t bytes = element_size;
  for (const json& dim : shape) {
    constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (!dim.is_number_unsigned() || dim.get<uint64_t>() > kMax) {
      return BadInput("shape holds {}, not a size", dim.dump());
    }
    entry->shape.push_back(dim.get<int64_t>());
    if (__builtin_mul_overflow(bytes, dim.get<uint64_t>(), &bytes)) {
      return BadInput("shape {} is too large", shape.dump());
    }
  }
  return bytes;
}

Result<Safetensors::Entry> ParseEntry(const std::string& name, const json& value) {
  Safetensors::Entry entry;
  entry.name = name;
  if (!value.is_object()) return BadInput("not an object");
  for (const char* key : {"dtype", "shape", "data_offsets"}) {
    if (!value.contains(key)) return BadInput("{} is missing", key);
  }
  if (!value["dtype"].is_string()) return BadInput("dtype is not a string");
  entry.dtype_name = value["dtype"].get<std::string>();
  const SafetensorsDtype* dtype = FindDtype(entry.dtype_name);
  if (dtype == nullptr) return BadInput("dtype {} is unknown", Quoted(entry.dtype_name));
  entry.dtype = dtype->dtype;
  const auto bytes = ParseShape(value["shape"], dtype->size, &entry);
  if (!bytes) return bytes.error();
  const json& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    return BadInput("data_offsets are not two positions");
  }
  entry.begin = offsets[0].get<uint64_t>();
  entry.end = offsets[1].get<uint64_t>();
  if (entry.end < entry.begin || entry.end - entry.begin != *bytes) {
    return BadInput("data_offsets [{}, {}] do not hold {} of shape {}: {} bytes", entry.begin,
                    entry.end, entry.dtype_name, ShapeToString(entry.shape), *bytes);
  }
  return entry;
}

// Every byte of the data belongs to exactly one tensor. `entries` are sorted by begin.
Status CheckCoverage(const std::vector<Safetensors::Entry>& entries, uint64_t data_size) {
  uint64_t position = 0;
  for (const auto& entry : entries) {
    if (entry.end > data_size) {
      return BadInput("tensor {} ends at byte {} of the data, which has {}", Quoted(entry.name),
                      entry.end, data_size);
    }
    if (entry.begin < position) {
      return BadInput("tensor {} overlaps the one before it", Quoted(entry.name));
    }
    if (entry.begin > position) {
      return BadInput("bytes {} to {} of the data belong to no tensor", position, entry.begin);
    }
    position = entry.end;
  }
  if (position != data_size) {
    return BadInput("the tensors end at byte {} of the data, which has {}", position, data_size);
  }
  return {};
}

// The JSON text of the header.
Result<std::string_view> HeaderText(std::span<const std::byte> bytes) {
  uint64_t size = 0;
  if (bytes.size() < sizeof(size)) return BadInput("{} bytes are too few", bytes.size());
  for (size_t i = 0; i < sizeof(size); ++i) size |= static_cast<uint64_t>(bytes[i]) << (8 * i);
  if (size > kMaxHeaderBytes) return BadInput("a header of {} bytes is too large", size);
  if (size > bytes.size() - sizeof(size)) {
    return BadInput("the header should have {} bytes, but the file has {}", size, bytes.size());
  }
  const auto* text = reinterpret_cast<const char*>(bytes.data()) + sizeof(size);
  if (size == 0 || *text != '{') return BadInput("the header does not begin with '{{'");
  return std::string_view(text, size);
}

struct SafetensorsHeader {
  std::vector<Safetensors::Entry> entries;
  SafetensorsMetadata metadata;
};

Result<SafetensorsHeader> ParseHeader(std::string_view text, uint64_t data_size) {
  auto parsed = ParseUniqueJson(text, "the header");
  if (!parsed) return parsed.error();
  SafetensorsHeader header;
  for (const auto& [name, value] : parsed->items()) {
    if (name == kMetadataKey) {
      auto metadata = ParseMetadata(value);
      if (!metadata) return metadata.error();
      header.metadata = std::move(*metadata);
      continue;
    }
    auto entry = ParseEntry(name, value);
    if (!entry) return entry.error().In(fmt::format("tensor {}", Quoted(name)));
    header.entries.push_back(std::move(*entry));
  }
  std::ranges::sort(header.entries, {}, [](const auto& e) { return std::pair(e.begin, e.end); });
  if (auto status = CheckCoverage(header.entries, data_size); !status) return status.error();
  return header;
}

template <class T>
void ConvertToFloats(const std::byte* from, std::span<float> out) {
  constexpr int64_t kGrain = 1 << 14;
  ParallelFor(static_cast<int64_t>(out.size()), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      T value;
      std::memcpy(&value, from + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
      out[static_cast<size_t>(i)] = ToFloat(value);
    }
  });
}

}  // namespace

Result<Safetensors> Safetensors::Open(const std::string& path) {
  auto file = MappedFile::Open(path);
  if (!file) return file.error();
  const auto bytes = (*file)->bytes();
  const auto where = fmt::format("{}: not a safetensors file", path);
  const auto text = HeaderText(bytes);
  if (!text) return text.error().In(where);
  Safetensors out;
  out.path_ = path;
  out.data_start_ = sizeof(uint64_t) + text->size();
  auto header = ParseHeader(*text, bytes.size() - out.data_start_);
  if (!header) return header.error().In(where);
  out.file_ = std::move(*file);
  out.entries_ = std::move(header->entries);
  out.metadata_ = std::move(header->metadata);
  for (size_t i = 0; i < out.entries_.size(); ++i) out.index_[out.entries_[i].name] = i;
  return out;
}

const Safetensors::Entry* Safetensors::Find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

std::span<const std::byte> Safetensors::Bytes(const Entry& entry) const {
  return file_->bytes().subspan(data_start_ + entry.begin, entry.end - entry.begin);
}

Result<const Safetensors::Entry*> Safetensors::FindFor(std::string_view name, const Shape& shape,
                                                       size_t room) const {
  const Entry* entry = Find(name);
  if (entry == nullptr) return BadInput("{}: holds no tensor {}", path_, Quoted(name));
  if (entry->shape != shape) {
    return BadInput("{}: tensor {} has shape {}, expected {}", path_, Quoted(name),
                    ShapeToString(entry->shape), ShapeToString(shape));
  }
  if (static_cast<int64_t>(room) != NumElements(shape)) {
    return BadInput("tensor {}: room for {} elements, expected {}", Quoted(name), room,
                    NumElements(shape));
  }
  return entry;
}

Status Safetensors::Read(std::string_view name, const Shape& shape, std::span<Bf16> out) const {
  const auto found = FindFor(name, shape, out.size());
  if (!found) return found.error();
  if ((*found)->dtype != DType::kBf16) {
    return BadInput("{}: tensor {} is {}, expected BF16", path_, Quoted(name),
                    (*found)->dtype_name);
  }
  if (!out.empty()) std::memcpy(out.data(), Bytes(**found).data(), out.size_bytes());
  return {};
}

Status Safetensors::Read(std::string_view name, const Shape& shape, std::span<float> out) const {
  const auto found = FindFor(name, shape, out.size());
  if (!found) return found.error();
  const Entry* entry = *found;
  const std::byte* from = Bytes(*entry).data();
  if (entry->dtype == DType::kFp32) {
    if (!out.empty()) std::memcpy(out.data(), from, out.size_bytes());
  } else if (entry->dtype == DType::kFp16) {
    ConvertToFloats<Fp16>(from, out);
  } else if (entry->dtype == DType::kBf16) {
    ConvertToFloats<Bf16>(from, out);
  } else {
    return BadInput("{}: tensor {} is {}, expected F32, F16 or BF16", path_, Quoted(name),
                    entry->dtype_name);
  }
  return {};
}

}  // namespace millwright::checkpoint
