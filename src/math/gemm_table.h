// Which implementation carries out which product, as measured on one machine.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "math/gemm.h"

namespace millwright::math {

// The choices that can be written down, and the names that they are written with.
inline constexpr std::array kGemmKindNames = {
    std::pair{GemmKind::kLibrarySgemm, std::string_view("sgemm")},
    std::pair{GemmKind::kLibraryMatmul, std::string_view("matmul")},
    std::pair{GemmKind::kHighway, std::string_view("highway")}};

std::optional<GemmKind> GemmKindFromName(std::string_view name);
std::string_view GemmKindName(GemmKind kind);  // empty for one that cannot be written down

// A choice for each of some shapes; all others follow the engine's fixed rule. The role of a
// product is in its shape: forward has no transpose, dX that of a, dW that of b. Row strides and
// accumulation are no part of it: what writes a gradient and what adds to it should agree.
class GemmTable {
 public:
  struct Product {
    int64_t m = 0, n = 0, k = 0;
    bool transpose_a = false, transpose_b = false;

    auto operator<=>(const Product&) const = default;
  };
  static Product ProductOf(const GemmShape& shape);

  void Set(const Product& product, GemmKind kind) { choices_[product] = kind; }
  std::optional<GemmKind> Find(const GemmShape& shape) const;
  const std::map<Product, GemmKind>& choices() const { return choices_; }

  bool operator==(const GemmTable&) const = default;

 private:
  std::map<Product, GemmKind> choices_;
};

}  // namespace millwright::math
