// Rows about types, axes and ports.
#include <algorithm>

#include "device/ane/checks.h"
#include "device/ane/surface_size.h"

namespace millwright::device::ane {
namespace {

constexpr size_t kRank = 4;
constexpr int64_t kManyChannels = 16384;
constexpr size_t kSlots = 128;
constexpr int64_t kSlowDim = 5120;
constexpr size_t kSmallestSurface = 49152;

// Calls visit(value) for every tensor that the Neural Engine has to hold: inputs, and results of
// operations; constants are part of the program.
template <class Visit>
void ForEachTensor(const Facts& facts, const Visit& visit) {
  for (size_t i = 0; i < facts.function().values.size(); ++i) {
    const auto value = static_cast<mil::ValueId>(i);
    if (!facts.IsConstant(value)) visit(value);
  }
}

template <class Visit>
void ForEachPort(const Facts& facts, const Visit& visit) {
  for (mil::ValueId input : facts.function().inputs) visit(input);
  for (mil::ValueId output : facts.function().outputs) visit(output);
}

}  // namespace

void Casts(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "cast", [&](const mil::Operation& operation) {
    const mil::ValueId x = facts.Argument(operation, "x");
    if (x >= 0 && facts.IsConstant(x)) return;
    findings.At(operation, "it converts to {}",
                DTypeName(facts.type(operation.outputs.front()).dtype));
  });
}

void RankFive(const Facts& facts, Findings& findings) {
  ForEachTensor(facts, [&](mil::ValueId value) {
    const size_t rank = facts.shape(value).size();
    if (rank > kRank) findings.AtValue(value, "it has rank {}", rank);
  });
}

void DataTypes(const Facts& facts, Findings& findings) {
  ForEachTensor(facts, [&](mil::ValueId value) {
    const DType dtype = facts.type(value).dtype;
    // 8-bit activations between quantize and dequantize are what the engine's int8 mode takes (MX).
    const mil::Operation* made_by = facts.Definition(value);
    if (made_by != nullptr && made_by->op == "quantize") return;
    if (!IsFloat(dtype)) findings.AtValue(value, "it is {}", DTypeName(dtype));
  });
}

void Fp32Data(const Facts& facts, Findings& findings) {
  ForEachPort(facts, [&](mil::ValueId value) {
    if (facts.type(value).dtype == DType::kFp32) findings.AtValue(value, "it is fp32");
  });
}

void TransposedWidth(const Facts& facts, Findings& findings) {
  ForEachOp(facts, "transpose", [&](const mil::Operation& operation) {
    const Shape& shape = facts.shape(operation.outputs.front());
    const std::vector<int64_t> perm = facts.Ints(operation, "perm");
    if (perm.empty() || shape.empty() || perm.back() == static_cast<int64_t>(perm.size()) - 1) {
      return;
    }
    const int64_t width = shape.back();
    if (width % 2 != 0 && width % 3 != 0) findings.At(operation, "the width is {}", width);
  });
}

void Width(const Facts& facts, Findings& findings) {
  ForEachTensor(facts, [&](mil::ValueId value) {
    const Shape& shape = facts.shape(value);
    if (!shape.empty() && shape.back() > kOldMaxWidth) {
      findings.AtValue(value, "the last axis of {} has {}", ShapeToString(shape), shape.back());
    }
  });
}

void Axes(const Facts& facts, Findings& findings) {
  ForEachTensor(facts, [&](mil::ValueId value) {
    const Shape& shape = facts.shape(value);
    if (std::ranges::any_of(shape, [](int64_t axis) { return axis > kMaxAxis; })) {
      findings.AtValue(value, "it has shape {}", ShapeToString(shape));
    }
  });
}

void Channels(const Facts& facts, Findings& findings) {
  ForEachTensor(facts, [&](mil::ValueId value) {
    const Shape& shape = facts.shape(value);
    if (shape.size() == kRank && shape[1] > kManyChannels) {
      findings.AtValue(value, "it has {} channels", shape[1]);
    }
  });
}

void SlowDim(const Facts& facts, Findings& findings) {
  for (mil::ValueId input : facts.function().inputs) {
    const Shape& shape = facts.shape(input);
    if (shape.size() == kRank && shape[1] == kSlowDim) {
      findings.AtValue(input, "it has {} channels", kSlowDim);
    }
  }
}

void PortWidths(const Facts& facts, Findings& findings) {
  ForEachPort(facts, [&](mil::ValueId value) {
    const Shape& shape = facts.shape(value);
    const int64_t width = shape.empty() ? 1 : shape.back();
    if (width % kPortWidthMultiple != 0) findings.AtValue(value, "its width is {}", width);
  });
}

void SmallSurfaces(const Facts& facts, Findings& findings) {
  ForEachPort(facts, [&](mil::ValueId value) {
    const size_t bytes = facts.type(value).bytes();
    if (bytes < kSmallestSurface) findings.AtValue(value, "it has {} bytes", bytes);
  });
}

void UnequalSurfaces(const Facts& facts, Findings& findings) {
  for (const auto* ports : {&facts.function().inputs, &facts.function().outputs}) {
    for (mil::ValueId value : *ports) {
      const size_t first = SurfaceBytes(facts.type(ports->front()).bytes());
      const size_t bytes = SurfaceBytes(facts.type(value).bytes());
      if (bytes == first) continue;
      findings.AtValue(value, "its surface has {} bytes, that of {} {}", bytes,
                       facts.function().value(ports->front()).id, first);
    }
  }
}

void InputOrder(const Facts& facts, Findings& findings) {
  const auto& inputs = facts.function().inputs;
  for (size_t i = 1; i < inputs.size(); ++i) {
    const std::string& before = facts.function().value(inputs[i - 1]).id;
    const std::string& id = facts.function().value(inputs[i]).id;
    if (id < before) findings.AtValue(inputs[i], "it stands behind {}", before);
  }
}

void PortCount(const Facts& facts, Findings& findings) {
  const size_t ports = facts.function().inputs.size() + facts.function().outputs.size();
  if (ports > kSlots) findings.AtFunction("it has {} inputs and outputs", ports);
}

}  // namespace millwright::device::ane
