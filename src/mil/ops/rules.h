// What the type rules of several operations have in common.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mil/ops/op.h"

namespace millwright::mil {

// What an operation's `infer` and `evaluate` return.
using Types = Result<std::vector<Type>>;
using Arrays = Result<std::vector<Array>>;

// Refuses an argument whose dtype is not among `allowed`; an absent argument passes.
Status CheckDType(const Call& call, std::string_view key, std::initializer_list<DType> allowed);

// fp16 or fp32.
Status CheckFloat(const Call& call, std::string_view key);

// Refuses two arguments of different dtypes; an absent one passes.
Status CheckSameDType(const Call& call, std::string_view a, std::string_view b);

// An integer: int32, or int16, uint16, int8 or uint8.
Status CheckIndices(const Call& call, std::string_view key);

// Every entry positive, and not so many elements that they cannot be counted.
Status CheckNewShape(const Call& call, const Shape& shape);

// `axis` counted from the front: in [0, rank). Negative axes count from the back.
Result<int64_t> NormalizeAxis(const Call& call, int64_t axis, size_t rank);

// The axes in `key`, from the front, ascending; all of them where the argument is absent. An axis
// given twice is refused.
Result<std::vector<int64_t>> ReadAxes(const Call& call, std::string_view key, size_t rank);

// int32, or the "int32" or "uint16" that the string in `key` names.
Result<DType> ReadIndexDType(const Call& call, std::string_view key);

// The NumPy broadcast of the shapes of `keys`.
Result<Shape> Broadcast(const Call& call, std::initializer_list<std::string_view> keys);

}  // namespace millwright::mil
