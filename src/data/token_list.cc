#include "data/token_list.h"

#include <algorithm>
#include <utility>

#include "data/token_hash.h"

namespace millwright::data {
namespace {

class TokenList : public TokenSource {
 public:
  TokenList(std::vector<int32_t> ids, std::string name)
      : ids_(std::move(ids)), name_(std::move(name)) {
    TokenHash hash;
    hash.Add(ids_);
    hash_ = hash.Value();
  }

  int64_t size() const override { return static_cast<int64_t>(ids_.size()); }
  void Copy(int64_t offset, std::span<int32_t> out) const override {
    std::copy_n(ids_.begin() + offset, out.size(), out.begin());
  }
  uint64_t hash() const override { return hash_; }
  const std::string& name() const override { return name_; }

 private:
  std::vector<int32_t> ids_;
  std::string name_;
  uint64_t hash_ = 0;
};

}  // namespace

std::shared_ptr<const TokenSource> MakeTokenList(std::vector<int32_t> ids, std::string name) {
  return std::make_shared<TokenList>(std::move(ids), std::move(name));
}

}  // namespace millwright::data
