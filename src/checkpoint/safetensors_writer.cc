#include <algorithm>
#include <atomic>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/threads.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/safetensors_format.h"

namespace millwright::checkpoint {
namespace {

using nlohmann::ordered_json;

// Data starts at a multiple of this in the file, so that a mapped tensor is aligned for SIMD.
constexpr size_t kAlignment = 64;

const SafetensorsDtype* FindFloat(DType dtype) {
  if (dtype != DType::kFp32 && dtype != DType::kFp16 && dtype != DType::kBf16) return nullptr;
  return std::ranges::find(kSafetensorsDtypes, std::optional(dtype), &SafetensorsDtype::dtype);
}

uint64_t DataBytes(const TensorInfo& info) {
  return static_cast<uint64_t>(NumElements(info.shape)) * DTypeSize(info.dtype);
}

// The size field and the header, padded with spaces.
std::string HeaderBytes(std::span<const TensorInfo> tensors, const SafetensorsMetadata& metadata) {
  ordered_json header = ordered_json::object();
  if (!metadata.empty()) header[std::string(kMetadataKey)] = metadata;
  uint64_t position = 0;
  for (const auto& info : tensors) {
    const SafetensorsDtype* dtype = FindFloat(info.dtype);
    const uint64_t end = position + DataBytes(info);
    header[info.name] = {{"dtype", dtype != nullptr ? dtype->name : ""},
                         {"shape", info.shape},
                         {"data_offsets", {position, end}}};
    position = end;
  }
  std::string text = header.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  const size_t unpadded = sizeof(uint64_t) + text.size();
  text.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  std::string bytes;
  for (size_t i = 0; i < sizeof(uint64_t); ++i) {
    bytes.push_back(static_cast<char>(text.size() >> (8 * i)));
  }
  return bytes + text;
}

Status CheckTensors(std::span<const TensorInfo> tensors) {
  std::set<std::string_view> names;
  for (const auto& info : tensors) {
    if (info.name == kMetadataKey || !names.insert(info.name).second) {
      return BadInput("tensor name '{}' is taken", info.name);
    }
    if (FindFloat(info.dtype) == nullptr) {
      return BadInput("tensor '{}': cannot be written as {}; expected fp32, fp16 or bf16",
                      info.name, DTypeName(info.dtype));
    }
  }
  return {};
}

void Round(float value, Fp16* out) { *out = ToFp16(value); }
void Round(float value, Bf16* out) { *out = ToBf16(value); }

}  // namespace

Result<SafetensorsWriter> SafetensorsWriter::Create(const std::string& path,
                                                    std::vector<TensorInfo> tensors,
                                                    const SafetensorsMetadata& metadata) {
  if (auto status = CheckTensors(tensors); !status) return status.error().In(path);
  auto file = FileWriter::Create(path);
  if (!file) return file.error();
  const std::string header = HeaderBytes(tensors, metadata);
  if (auto status = file->Write(std::as_bytes(std::span(header))); !status) return status.error();
  return SafetensorsWriter(std::move(*file), std::move(tensors));
}

Result<const TensorInfo*> SafetensorsWriter::Next(size_t elements) {
  if (next_ == tensors_.size()) return Failed("{}: all tensors are written", file_.path());
  const TensorInfo& info = tensors_[next_++];
  if (static_cast<int64_t>(elements) != NumElements(info.shape)) {
    return Failed("{}: tensor '{}' of shape {} was given {} elements", file_.path(), info.name,
                  ShapeToString(info.shape), elements);
  }
  return &info;
}

Status SafetensorsWriter::Append(std::span<const Bf16> data) {
  const auto next = Next(data.size());
  if (!next) return next.error();
  if ((*next)->dtype != DType::kBf16) {
    return Failed("{}: tensor '{}' is {} and was given bf16", file_.path(), (*next)->name,
                  DTypeName((*next)->dtype));
  }
  return file_.Write(std::as_bytes(data));
}

Status SafetensorsWriter::Append(std::span<const float> data) {
  const auto next = Next(data.size());
  if (!next) return next.error();
  const TensorInfo& info = **next;
  if (info.dtype == DType::kFp16) return AppendHalf<Fp16>(info, data);
  if (info.dtype == DType::kBf16) return AppendHalf<Bf16>(info, data);
  return file_.Write(std::as_bytes(data));
}

template <class Half>
Status SafetensorsWriter::AppendHalf(const TensorInfo& info, std::span<const float> data) {
  constexpr size_t kBlock = size_t{1} << 20;
  constexpr int64_t kGrain = 1 << 12;
  std::vector<Half> block(std::min(data.size(), kBlock));
  while (!data.empty()) {
    const size_t count = std::min(data.size(), block.size());
    std::atomic<int64_t> too_large = -1;  // where one is
    ParallelFor(static_cast<int64_t>(count), kGrain, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        Round(data[i], &block[i]);
        const bool overflows = std::isinf(ToFloat(block[i])) && std::isfinite(data[i]);
        if (overflows) too_large = static_cast<int64_t>(i);
      }
    });
    if (too_large >= 0) {
      return Failed("{}: tensor '{}' holds {}, which is too large for {}", file_.path(), info.name,
                    data[static_cast<size_t>(too_large.load())], DTypeName(info.dtype));
    }
    const auto bytes = std::as_bytes(std::span(block).first(count));
    if (auto status = file_.Write(bytes); !status) return status;
    data = data.subspan(count);
  }
  return {};
}

Result<FileDigest> SafetensorsWriter::Finish() {
  if (next_ != tensors_.size()) {
    return Failed("{}: tensor '{}' was not written", file_.path(), tensors_[next_].name);
  }
  return file_.Finish();
}

uint64_t SafetensorsBytes(std::span<const TensorInfo> tensors,
                          const SafetensorsMetadata& metadata) {
  uint64_t bytes = HeaderBytes(tensors, metadata).size();
  for (const auto& info : tensors) bytes += DataBytes(info);
  return bytes;
}

}  // namespace millwright::checkpoint
