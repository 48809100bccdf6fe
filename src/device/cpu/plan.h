// A compiled program: buffers, and the steps that fill them in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "base/result.h"
#include "device/cpu/held_copy.h"
#include "math/gemm.h"

namespace millwright::device::cpu {

// What a step sees of a call.
struct RunContext {
  std::span<float* const> buffers;                        // where every buffer of the plan starts
  std::span<const std::span<std::byte>> inputs, outputs;  // the bound surfaces
  math::GemmEngine& gemm;
  std::span<HeldCopy> copies;  // one for each of the plan's
};

// One matrix of a batched product: base + offset of the batch.
struct GemmOperand {
  int buffer = -1;
  int64_t offset = 0;
  std::vector<int64_t> batch_strides;
};

// A product of matrices, without a batch.
struct Product {
  math::GemmShape shape;
  GemmOperand a, b, c;
};

class Step {
 public:
  virtual ~Step() = default;
  virtual Status Run(const RunContext& context) const = 0;
  // The product in fp32 that Run carries out, if that is all it does; else null.
  virtual const Product* AsProduct() const { return nullptr; }
  // One line: what is done, by which implementation, on which shape.
  virtual std::string Describe() const = 0;
  // Every buffer that is read or written.
  virtual std::vector<int> Buffers() const = 0;
};

enum class BufferKind : uint8_t { kInput, kOutput, kArena, kConstant };

struct Buffer {
  BufferKind kind = BufferKind::kArena;
  size_t index = 0;  // port or constant
  int64_t elements = 0;
  int64_t place = -1;  // in the arena, in floats; -1 if no step uses it
};

// What a call keeps of an input or constant, in another form: `bytes` of memory.
struct Copy {
  int buffer = -1;
  size_t bytes = 0;
};

struct Plan {
  std::vector<Buffer> buffers;
  std::vector<Copy> copies;
  std::vector<std::unique_ptr<Step>> steps;
  // By step: how many, from it on, are carried out at once (together.h); 0 in the midst of some.
  std::vector<int> together;
  std::vector<AlignedBuffer<float>> constants;
  int64_t arena_elements = 0;

  int Add(BufferKind kind, size_t index, int64_t elements);
  int AddArena(int64_t elements) { return Add(BufferKind::kArena, 0, elements); }
};

// The steps between which an arena buffer is used; those carried out at once use all of theirs.
struct Life {
  int buffer = 0;
  int first = -1, last = -1;
};

// Of every arena buffer that some step uses, in the order of the plan.
std::vector<Life> ArenaLives(const Plan& plan);

// Gives every arena buffer its place: two buffers overlap only if no step comes between the first
// and the last use of both. Largest first, at the lowest place that is free during its life.
void PlaceBuffers(Plan& plan);

}  // namespace millwright::device::cpu
