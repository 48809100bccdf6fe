// Weights for kernels that bake them in, for the tests of this folder.
#pragma once

#include <string>
#include <vector>

#include "base/rng.h"
#include "kernels/kernel.h"
#include "mil/weights.h"

namespace millwright::device::cpu {

// The constants of `program`, and random elements of `dtype` for the weight files that the host of
// a kernel with operands `all` would write.
inline mil::WeightStore WithBlobs(const kernels::KernelProgram& program,
                                  const kernels::Operands& all, DType dtype) {
  mil::WeightStore weights = program.constants;
  for (const kernels::WeightBlob& blob : program.blobs) {
    const kernels::Operand& operand = *all.Find(blob.operand);
    const Rng rng(11, StreamId(blob.file.c_str()));
    const int64_t count = operand.rows * operand.columns;
    std::vector<std::byte> data(static_cast<size_t>(count) * DTypeSize(dtype));
    for (int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(i);
      StoreElement(dtype, data.data(), at, 0.3 * rng.Normal(static_cast<uint64_t>(i)));
    }
    mil::BlobWriter writer;
    writer.Add(dtype, data);
    weights.Put("@model_path/weights/" + blob.file, std::move(writer).Finish());
  }
  return weights;
}

}  // namespace millwright::device::cpu
