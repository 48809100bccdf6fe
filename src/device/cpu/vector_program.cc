#include "device/cpu/vector_program.h"

#include <algorithm>
#include <array>

namespace millwright::device::cpu {
namespace {

struct OpInfo {
  std::string_view name;
  int arity;
};

// In the order of VectorOp.
constexpr std::array<OpInfo, 21> kOps = {
    {{"copy", 1},     {"add", 2},      {"sub", 2},    {"mul", 2},  {"real_div", 2}, {"maximum", 2},
     {"minimum", 2},  {"pow", 2},      {"square", 1}, {"sqrt", 1}, {"rsqrt", 2},    {"exp", 1},
     {"log", 2},      {"sigmoid", 1},  {"silu", 1},   {"tanh", 1}, {"relu", 1},     {"select", 3},
     {"truncate", 1}, {"not_zero", 1}, {"round", 1}}};

}  // namespace

std::string_view VectorOpName(VectorOp op) { return kOps[static_cast<size_t>(op)].name; }
int VectorOpArity(VectorOp op) { return kOps[static_cast<size_t>(op)].arity; }

void AllocateRegisters(VectorProgram& program) {
  const size_t count = static_cast<size_t>(program.registers);
  std::vector<int> last(count, -1), name(count, -1), free;
  for (size_t i = 0; i < program.code.size(); ++i) {
    for (const Operand* x : {&program.code[i].a, &program.code[i].b, &program.code[i].c}) {
      if (x->reg >= 0) last[static_cast<size_t>(x->reg)] = static_cast<int>(i);
    }
  }
  int next = program.inputs;
  for (int i = 0; i < program.inputs; ++i) name[static_cast<size_t>(i)] = i;
  std::vector<bool> fixed(count, false);
  for (int i = 0; i < program.inputs; ++i) fixed[static_cast<size_t>(i)] = true;
  for (int reg : program.outputs) {
    fixed[static_cast<size_t>(reg)] = true;
    if (name[static_cast<size_t>(reg)] < 0) name[static_cast<size_t>(reg)] = next++;
  }
  for (size_t i = 0; i < program.code.size(); ++i) {
    Instruction& step = program.code[i];
    std::vector<int> dying;
    for (Operand* x : {&step.a, &step.b, &step.c}) {
      if (x->reg < 0) continue;
      const size_t reg = static_cast<size_t>(x->reg);
      x->reg = name[reg];
      if (!fixed[reg] && last[reg] == static_cast<int>(i)) dying.push_back(name[reg]);
    }
    // An instruction may write over an operand: lanes are read before they are written.
    std::sort(dying.begin(), dying.end());
    dying.erase(std::unique(dying.begin(), dying.end()), dying.end());
    free.insert(free.end(), dying.begin(), dying.end());
    int& to = name[static_cast<size_t>(step.to)];
    if (to < 0) {
      if (free.empty()) {
        to = next++;
      } else {
        to = free.back();
        free.pop_back();
      }
    }
    step.to = to;
  }
  for (int& reg : program.outputs) reg = name[static_cast<size_t>(reg)];
  program.registers = next;
}

std::string Mnemonics(const VectorProgram& program) {
  std::string text;
  for (const Instruction& step : program.code) {
    if (!text.empty()) text += ' ';
    text += VectorOpName(step.op);
  }
  return text;
}

}  // namespace millwright::device::cpu
