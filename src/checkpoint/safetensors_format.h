// The names and sizes of the safetensors format, shared by its reader and writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/dtype.h"

namespace millwright::checkpoint {

struct SafetensorsDtype {
  std::string_view name;
  uint64_t size;
  std::optional<DType> dtype;
};

inline constexpr SafetensorsDtype kSafetensorsDtypes[] = {
    {"F32", 4, DType::kFp32},  {"F16", 2, DType::kFp16},     {"BF16", 2, DType::kBf16},
    {"F64", 8, DType::kFp64},  {"I8", 1, DType::kInt8},      {"U8", 1, DType::kUint8},
    {"I16", 2, DType::kInt16}, {"U16", 2, DType::kUint16},   {"I32", 4, DType::kInt32},
    {"U32", 4, std::nullopt},  {"I64", 8, std::nullopt},     {"U64", 8, DType::kUint64},
    {"BOOL", 1, DType::kBool}, {"F8_E4M3", 1, std::nullopt}, {"F8_E5M2", 1, std::nullopt},
};

inline constexpr std::string_view kMetadataKey = "__metadata__";

// The format's own limit.
inline constexpr uint64_t kMaxHeaderBytes = 100'000'000;

}  // namespace millwright::checkpoint
