// A fused chain of elementwise operations as a short list of vector instructions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millwright::device::cpu {

enum class VectorOp : uint8_t {
  kCopy,
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMaximum,
  kMinimum,
  kPow,  // general exponent, lane by lane
  kSquare,
  kSqrt,
  kRsqrt,  // 1 / sqrt(a + b)
  kExp,
  kLog,  // log(a + b)
  kSigmoid,
  kSilu,
  kTanh,
  kRelu,
  kSelect,    // a != 0 ? b : c
  kTruncate,  // towards zero: a cast to an integer
  kNotZero,   // a cast to bool
  kRoundFp16,
};

std::string_view VectorOpName(VectorOp op);
int VectorOpArity(VectorOp op);

// A register, or a number where `reg` is negative.
struct Operand {
  int reg = -1;
  float value = 0;
};

struct Instruction {
  VectorOp op = VectorOp::kCopy;
  int to = 0;
  Operand a, b, c;
};

// Registers [0, inputs) are loaded before the code runs; `outputs` are stored after it. A result
// has a register of its own, the other registers are reused.
struct VectorProgram {
  int inputs = 0;
  int registers = 0;
  std::vector<Instruction> code;
  std::vector<int> outputs;
};

// Renumbers registers so that those whose value is dead are used again.
void AllocateRegisters(VectorProgram& program);

// Carries out `program` on `count` elements a register; Highway's widest vectors of this machine.
// exp, log and tanh are Highway's (at most 4 ulp); pow is the C library's.
void RunVectorProgram(const VectorProgram& program, float* const* registers, int64_t count);

// max, sum, exp(x - m) with its sum, and y = x * f over contiguous floats; the order of summation
// depends on `count` and the vector length only.
float VectorMax(const float* x, int64_t count);
float VectorSum(const float* x, int64_t count);
float VectorExpSum(float* x, float shift, int64_t count);
void VectorScale(float* x, float factor, int64_t count);
// to[i] = max or sum of to[i] and x[i].
void VectorMaxInto(float* to, const float* x, int64_t count);
void VectorSumInto(float* to, const float* x, int64_t count);

// "mul sigmoid mul", for explanations.
std::string Mnemonics(const VectorProgram& program);

}  // namespace millwright::device::cpu
