// How many products the ANE's arithmetic drops, and how many of its sums overflow (fact E1).
#pragma once

#include <atomic>
#include <cstdint>

namespace millwright {

struct ProductCounts {
  uint64_t products = 0;   // of two operands that are not zero
  uint64_t vanished = 0;   // of those: dropped, because the operands' exponents sum to -17 or less
  uint64_t sums = 0;       // sums of products
  uint64_t saturated = 0;  // of those: infinite, or no numbers

  bool operator==(const ProductCounts&) const = default;
  ProductCounts& operator+=(const ProductCounts& other) {
    products += other.products;
    vanished += other.vanished;
    sums += other.sums;
    saturated += other.saturated;
    return *this;
  }
  ProductCounts operator-(const ProductCounts& other) const {
    return {products - other.products, vanished - other.vanished, sums - other.sums,
            saturated - other.saturated};
  }
};

// Counts that any number of threads add to. Who wants the counts of a part of the work, such as one
// kernel, reads before and after it.
class ProductCounters {
 public:
  void Add(const ProductCounts& counts) {
    products_.fetch_add(counts.products, std::memory_order_relaxed);
    vanished_.fetch_add(counts.vanished, std::memory_order_relaxed);
    sums_.fetch_add(counts.sums, std::memory_order_relaxed);
    saturated_.fetch_add(counts.saturated, std::memory_order_relaxed);
  }
  ProductCounts Read() const {
    return {products_.load(std::memory_order_relaxed), vanished_.load(std::memory_order_relaxed),
            sums_.load(std::memory_order_relaxed), saturated_.load(std::memory_order_relaxed)};
  }

 private:
  std::atomic<uint64_t> products_ = 0, vanished_ = 0, sums_ = 0, saturated_ = 0;
};

// The counts of c[m, n] = a[m, k] b[k, n], all dense and row-major: exact, in k (m + n) steps
// instead of k m n, since only the operands' exponents matter. T is float or double.
template <class T>
ProductCounts CountProducts(const T* a, const T* b, const T* c, int64_t m, int64_t n, int64_t k);

}  // namespace millwright
