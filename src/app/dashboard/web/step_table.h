// Columns of numbers by micro-step, and what a plot of a given width shows of them.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millwright::app::web {

// A column in buckets. A bucket that holds no finite number has NaN in all three.
struct BucketColumn {
  std::vector<float> mean, low, high;  // of the finite numbers in the bucket
};
// What a window of a table shows: one entry a bucket that holds rows.
struct Buckets {
  int64_t width = 1;          // steps a bucket spans; 1: the rows as they are
  std::vector<int64_t> step;  // the middle of the rows in the bucket
  std::map<std::string, BucketColumn> columns;
};

class StepTable {
 public:
  using Row = std::vector<std::pair<std::string_view, double>>;
  static constexpr int64_t kLast = std::numeric_limits<int64_t>::max();

  // Adds a row; columns that it does not name hold NaN there. Steps ascend: one that is not above
  // the last takes all rows from it on back first, since they are being done again. Returns
  // whether rows were taken back.
  bool Append(int64_t step, const Row& row);

  // Takes all rows of `step` and above back; whether there were any.
  bool CutFrom(int64_t step);

  bool empty() const { return steps_.empty(); }
  size_t size() const { return steps_.size(); }
  int64_t last_step() const { return steps_.empty() ? 0 : steps_.back(); }
  const std::vector<int64_t>& steps() const { return steps_; }
  const std::map<std::string, std::vector<float>, std::less<>>& columns() const { return columns_; }

  // The named columns, or all if `names` is empty, at the steps of [from, to], in at most
  // `max_buckets` + 1 buckets. Buckets are as wide as that needs and begin at multiples of their
  // width, so that a window that moves on shows the same numbers as before. Names that no column
  // has are left out.
  Buckets Window(int64_t from, int64_t to, size_t max_buckets,
                 const std::vector<std::string>& names = {}) const;

 private:
  std::vector<int64_t> steps_;
  std::map<std::string, std::vector<float>, std::less<>> columns_;
};

}  // namespace millwright::app::web
