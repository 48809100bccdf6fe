#include "mil/ops/blocks.h"

#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

Status CheckBlocks(const Call& call, std::string_view key) {
  if (Status status = CheckFloat(call, "x"); !status) return status;
  if (call.type("x").shape.size() != 4) {
    return call.Bad("'x' must have rank 4, found {}", ToString(call.type("x")));
  }
  const int64_t size = call.Int(key, 0);
  // Larger blocks cannot divide any axis, and their square may not be countable.
  if (size >= 1 && size <= int64_t{1} << 20) return {};
  return call.Bad("'{}' must be positive, found {}", key, size);
}

// The strides of a channel and of a step down and to the right in the block, in a tensor whose
// channels hold the blocks; `area` is the stride of its channel axis.
struct BlockStrides {
  int64_t channel;
  int64_t down;
  int64_t right;
};

BlockStrides StridesOf(BlockOrder order, int64_t channels, int64_t size, int64_t area) {
  if (order == BlockOrder::kChannelFirst) return {size * size * area, size * area, area};
  return {area, size * channels * area, channels * area};
}

}  // namespace

Types InferToSpace(const Call& call, std::string_view key) {
  if (Status status = CheckBlocks(call, key); !status) return status.error();
  const Type& x = call.type("x");
  const int64_t size = call.Int(key, 0);
  if (x.shape[1] % (size * size) != 0) {
    return call.Bad("{} channels do not divide into blocks of {} x {}", x.shape[1], size, size);
  }
  return std::vector<Type>{
      {x.dtype, {x.shape[0], x.shape[1] / (size * size), x.shape[2] * size, x.shape[3] * size}}};
}

Arrays ToSpace(const Call& call, const Type& result, int64_t size, BlockOrder order) {
  const Array& x = call.array("x");
  const Strides dense = RowMajorStrides(x.type.shape);
  const int64_t channels = result.shape[1];
  const BlockStrides block = StridesOf(order, channels, size, dense[1]);
  return std::vector<Array>{
      {result, Gathered(x.data.data(),
                        {result.shape[0], channels, x.type.shape[2], size, x.type.shape[3], size},
                        {dense[0], block.channel, dense[2], block.down, dense[3], block.right})}};
}

Types InferToDepth(const Call& call, std::string_view key) {
  if (Status status = CheckBlocks(call, key); !status) return status.error();
  const Type& x = call.type("x");
  const int64_t size = call.Int(key, 0);
  if (x.shape[2] % size != 0 || x.shape[3] % size != 0) {
    return call.Bad("the last two axes of {} do not divide into blocks of {} x {}", ToString(x),
                    size, size);
  }
  return std::vector<Type>{
      {x.dtype, {x.shape[0], x.shape[1] * size * size, x.shape[2] / size, x.shape[3] / size}}};
}

Arrays ToDepth(const Call& call, const Type& result, int64_t size, BlockOrder order) {
  const Array& x = call.array("x");
  const Strides dense = RowMajorStrides(result.shape);
  const int64_t channels = x.type.shape[1];
  const BlockStrides block = StridesOf(order, channels, size, dense[1]);
  Array array = NewArray(result);
  Ungather(x.data, {result.shape[0], channels, result.shape[2], size, result.shape[3], size},
           {dense[0], block.channel, dense[2], block.down, dense[3], block.right},
           array.data.data());
  return std::vector<Array>{std::move(array)};
}

}  // namespace millwright::mil
