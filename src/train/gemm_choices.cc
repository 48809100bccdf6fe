#include "train/gemm_choices.h"

namespace millwright::train {
namespace {

using math::GemmTable;
using nlohmann::json;

Result<int64_t> SizeIn(const json& entry, const char* key) {
  const json value = entry.value(key, json());
  if (value.is_number_integer() && value > 0) return value.get<int64_t>();
  return BadInput("{}: expected a whole number above 0, found {}", key, value.dump());
}

Result<bool> FlagIn(const json& entry, const char* key) {
  const json value = entry.value(key, json());
  if (value.is_boolean()) return value.get<bool>();
  return BadInput("{}: expected true or false, found {}", key, value.dump());
}

Result<GemmTable::Product> ProductIn(const json& entry) {
  GemmTable::Product product;
  for (const auto& [key, size] :
       {std::pair{"m", &product.m}, {"n", &product.n}, {"k", &product.k}}) {
    const auto value = SizeIn(entry, key);
    if (!value) return value.error();
    *size = *value;
  }
  for (const auto& [key, flag] :
       {std::pair{"transpose_a", &product.transpose_a}, {"transpose_b", &product.transpose_b}}) {
    const auto value = FlagIn(entry, key);
    if (!value) return value.error();
    *flag = *value;
  }
  return product;
}

Result<math::GemmKind> KindIn(const json& entry) {
  const json value = entry.value("kind", json());
  if (value.is_string()) {
    if (const auto kind = math::GemmKindFromName(value.get<std::string>())) return *kind;
  }
  std::string names;
  for (const auto& [kind, name] : math::kGemmKindNames) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  }
  return BadInput("kind: expected one of {}, found {}", names, value.dump());
}

Status AddEntry(const json& entry, GemmTable* table) {
  if (!entry.is_object()) return BadInput("expected an object, found {}", entry.dump());
  const auto product = ProductIn(entry);
  if (!product) return product.error();
  const auto kind = KindIn(entry);
  if (!kind) return kind.error();
  if (table->choices().contains(*product)) return BadInput("the product is listed twice");
  table->Set(*product, *kind);
  return {};
}

}  // namespace

json ToJson(const GemmTable& table) {
  json list = json::array();
  for (const auto& [product, kind] : table.choices()) {
    list.push_back({{"m", product.m},
                    {"n", product.n},
                    {"k", product.k},
                    {"transpose_a", product.transpose_a},
                    {"transpose_b", product.transpose_b},
                    {"kind", std::string(math::GemmKindName(kind))}});
  }
  return list;
}

Result<GemmTable> GemmTableFromJson(const json& list) {
  if (!list.is_array()) return BadInput("expected a list, found {}", list.type_name());
  GemmTable table;
  for (size_t i = 0; i < list.size(); ++i) {
    auto status = AddEntry(list[i], &table);
    if (!status) return status.error().In(fmt::format("entry {}", i));
  }
  return table;
}

Result<GemmTable> GemmTableFromMeta(const json& meta) {
  const json list = meta.value("gemm_choices", json::array());
  auto table = GemmTableFromJson(list);
  if (!table) return table.error().In("gemm_choices");
  return table;
}

}  // namespace millwright::train
