#include "device/cpu/view.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/rng.h"
#include "device/cpu/steps.h"

namespace millwright::device::cpu {
namespace {

// Elements 0, 1, 2, ... so that what a view reads names where it read.
std::vector<float> Iota(int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

std::vector<double> Read(const View& view, const std::vector<float>& base) {
  std::vector<double> elements(static_cast<size_t>(view.elements()));
  GatherView(view, base.data(), elements.data());
  return elements;
}

// A dense tensor beside the view of it, changed by the same operations.
struct Twin {
  Shape shape;
  std::vector<double> elements;
  View view;

  std::vector<int64_t> strides() const { return RowMajorStrides(shape); }
};

Twin MakeTwin(const Shape& shape, const std::vector<float>& base) {
  Twin twin{shape, {}, DenseView(0, shape)};
  twin.elements.assign(base.begin(), base.begin() + NumElements(shape));
  return twin;
}

// elements'[i] = elements[f(i)] with f given on multi-indices.
template <class Map>
void Gather(Twin* twin, const Shape& shape, const Map& map) {
  const std::vector<int64_t> from = twin->strides();
  std::vector<double> result(static_cast<size_t>(NumElements(shape)));
  std::vector<int64_t> index(shape.size(), 0);
  for (double& element : result) {
    const std::vector<int64_t> source = map(index);
    int64_t offset = 0;
    for (size_t i = 0; i < source.size(); ++i) offset += source[i] * from[i];
    element = twin->elements[static_cast<size_t>(offset)];
    for (size_t i = shape.size(); i-- > 0;) {
      if (++index[i] < shape[i]) break;
      index[i] = 0;
    }
  }
  twin->elements = std::move(result);
  twin->shape = shape;
}

void TransposeTwin(Twin* twin, const std::vector<int64_t>& perm) {
  Shape shape;
  for (int64_t axis : perm) shape.push_back(twin->shape[static_cast<size_t>(axis)]);
  twin->view = TransposeView(twin->view, perm);
  Gather(twin, shape, [&](const std::vector<int64_t>& index) {
    std::vector<int64_t> source(index.size());
    for (size_t i = 0; i < index.size(); ++i) source[static_cast<size_t>(perm[i])] = index[i];
    return source;
  });
}

bool SliceTwin(Twin* twin, const Shape& begin, const Shape& size, const Shape& step) {
  const auto view = SliceView(twin->view, begin, size, step);
  if (!view) return false;
  twin->view = *view;
  Gather(twin, size, [&](const std::vector<int64_t>& index) {
    std::vector<int64_t> source(index.size());
    for (size_t i = 0; i < index.size(); ++i) source[i] = begin[i] + index[i] * step[i];
    return source;
  });
  return true;
}

bool ReshapeTwin(Twin* twin, const Shape& shape) {
  const auto view = ReshapeView(twin->view, shape);
  if (!view) return false;
  twin->view = *view;
  twin->shape = shape;
  return true;
}

// One random operation; false if strides could not express it.
bool Mutate(Twin* twin, const Rng& rng, uint64_t* draw) {
  const size_t rank = twin->shape.size();
  switch (rng.Below((*draw)++, 3)) {
    case 0: {
      std::vector<int64_t> perm(rank);
      std::iota(perm.begin(), perm.end(), 0);
      for (size_t i = rank; i > 1; --i) std::swap(perm[i - 1], perm[rng.Below((*draw)++, i)]);
      TransposeTwin(twin, perm);
      return true;
    }
    case 1: {
      Shape begin(rank), size(rank), step(rank);
      for (size_t i = 0; i < rank; ++i) {
        const auto dim = static_cast<uint64_t>(twin->shape[i]);
        begin[i] = static_cast<int64_t>(rng.Below((*draw)++, dim));
        step[i] = 1 + static_cast<int64_t>(rng.Below((*draw)++, 2));
        const int64_t most = (twin->shape[i] - begin[i] + step[i] - 1) / step[i];
        size[i] = 1 + static_cast<int64_t>(rng.Below((*draw)++, static_cast<uint64_t>(most)));
      }
      return SliceTwin(twin, begin, size, step);
    }
    default: {
      // Merges two neighbouring axes, or splits one by 2 or 3.
      Shape shape = twin->shape;
      const size_t axis = rng.Below((*draw)++, rank);
      for (int64_t factor : {2, 3}) {
        if (shape[axis] % factor != 0 || rank >= 5) continue;
        shape[axis] /= factor;
        shape.insert(shape.begin() + static_cast<int64_t>(axis) + 1, factor);
        return ReshapeTwin(twin, shape);
      }
      if (axis + 1 >= rank) return true;
      shape[axis] *= shape[axis + 1];
      shape.erase(shape.begin() + static_cast<int64_t>(axis) + 1);
      return ReshapeTwin(twin, shape);
    }
  }
}

TEST(View, FollowsRandomOperations) {
  const Shape start = {4, 6, 3, 8};
  const std::vector<float> base = Iota(NumElements(start));
  int expressed = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const Rng rng(seed, 1);
    uint64_t draw = 0;
    Twin twin = MakeTwin(start, base);
    for (int i = 0; i < 6; ++i) {
      expressed += Mutate(&twin, rng, &draw);
      ASSERT_EQ(twin.view.shape(), twin.shape) << "seed " << seed << " step " << i;
      ASSERT_EQ(Read(twin.view, base), twin.elements) << "seed " << seed << " step " << i;
    }
  }
  EXPECT_GT(expressed, 300 * 6 / 2) << "most operations must not need a copy";
}

// The renamings of the rotary embedding and of head splitting must all be free.
TEST(View, AttentionNeedsNoCopies) {
  const View packed = DenseView(0, {1, 768, 1, 2560});
  const auto slice = SliceView(packed, {0, 0, 0, 256}, {1, 768, 1, 768}, {1, 1, 1, 1});
  ASSERT_TRUE(slice);
  EXPECT_TRUE(ReshapeView(*slice, {1, 1, 768, 768}));
  const auto heads = ReshapeView(DenseView(0, {1, 768, 1, 256}), {1, 12, 64, 256});
  ASSERT_TRUE(heads);
  const View turned = TransposeView(*heads, std::vector<int64_t>{0, 1, 3, 2});
  EXPECT_TRUE(ReshapeView(turned, {1, 12, 256 * 32, 2}));
}

TEST(View, BroadcastRepeatsByAStrideOfZero) {
  const std::vector<float> base = Iota(3);
  const View wide = BroadcastView(DenseView(0, {3, 1}), {2, 3, 2});
  EXPECT_EQ(Read(wide, base), (std::vector<double>{0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2}));
}

}  // namespace
}  // namespace millwright::device::cpu
