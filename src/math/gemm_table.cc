#include "math/gemm_table.h"

namespace millwright::math {

std::optional<GemmKind> GemmKindFromName(std::string_view name) {
  for (const auto& [kind, its_name] : kGemmKindNames) {
    if (its_name == name) return kind;
  }
  return std::nullopt;
}

std::string_view GemmKindName(GemmKind kind) {
  for (const auto& [its_kind, name] : kGemmKindNames) {
    if (its_kind == kind) return name;
  }
  return "";
}

GemmTable::Product GemmTable::ProductOf(const GemmShape& shape) {
  return {shape.m, shape.n, shape.k, shape.transpose_a, shape.transpose_b};
}

std::optional<GemmKind> GemmTable::Find(const GemmShape& shape) const {
  const auto found = choices_.find(ProductOf(shape));
  if (found == choices_.end()) return std::nullopt;
  return found->second;
}

}  // namespace millwright::math
