// The seam between programs and what runs them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/numerics.h"
#include "base/result.h"
#include "device/surface.h"
#include "mil/program.h"
#include "mil/weights.h"

namespace millwright::device {

// What a caller must plan around; quirks that can be hidden stay inside the device.
struct Caps {
  DType dtype = DType::kFp32;             // the dtype that generated programs should declare
  DType storage = DType::kFp32;           // the dtype of a float surface's elements
  bool wraps_host_memory = false;         // WrapHost works: no staging copies are needed
  bool fused_attention_backward = false;  // attention's backward may be one program
  bool computes = true;                   // false for `null`
  DType vector_weights = DType::kFp32;    // DeviceOptions::vector_weights, where it is kept
  // What the host rounds both operands of a weight's gradient to: kFp32 (not at all) or kBf16.
  DType gradient_operands = DType::kFp32;
  int compile_budget = 0;     // programs per process; 0 is unlimited
  bool asynchronous = false;  // a call that runs leaves the host's cores free
  // How programs must be written: see kernels::Target, which has fields of the same names.
  int64_t width_multiple = 1;
  int64_t max_width = 0;
  bool width_slices = true;
  bool split_inputs = false;
  bool rotary_by_matrix = false;
  bool narrow_factors = true;
};

enum class Severity {
  kError,    // the program would not compile, or would compute something else
  kWarning,  // it runs; sources disagree about it, or it is slow
};

// What speaks against a program.
struct Issue {
  std::string constraint;  // id in the device's table of constraints
  std::string where;       // operation and SSA identifier
  std::string message;     // what was found, what is allowed, a way out
  Severity severity = Severity::kError;

  bool is_error() const { return severity == Severity::kError; }
};

// A compiled program bound to surfaces.
class Call {
 public:
  virtual ~Call() = default;
  // Runs to completion. After a failure the outputs hold nothing that may be read.
  virtual Status Run() = 0;
};

// A compiled program. Surfaces are given in the order of the function's inputs and outputs; types
// and storage must match. The executable must outlive its calls, the surfaces too.
class Executable {
 public:
  virtual ~Executable() = default;
  virtual Result<std::unique_ptr<Call>> Bind(std::span<Surface* const> inputs,
                                             std::span<Surface* const> outputs) = 0;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string_view name() const = 0;
  virtual const Caps& caps() const = 0;
  virtual std::vector<Issue> Check(const mil::Program& program) const = 0;
  // `weights` must outlive the executable.
  virtual Result<std::unique_ptr<Executable>> Compile(const mil::Program& program,
                                                      const mil::WeightStore& weights) = 0;
  virtual Result<std::unique_ptr<Surface>> NewSurface(const mil::Type& type) = 0;
  // A surface over memory of the caller (64-byte aligned, `storage` elements), which must outlive
  // it. Only where caps().wraps_host_memory.
  virtual Result<std::unique_ptr<Surface>> WrapHost(const mil::Type& type,
                                                    std::span<std::byte> memory) = 0;
  // Programs that this process has compiled, where caps().compile_budget bounds them.
  virtual int64_t compilations() const { return 0; }
  // What DeviceOptions::products counts; null where nothing is counted.
  virtual const ProductCounters* products() const { return nullptr; }
  // What the device found on this machine, for people, a line each.
  virtual std::vector<std::string> Describe() const { return {}; }
};

// How the Neural Engine is reached.
enum class AnePath {
  kInMemory,  // _ANEInMemoryModel, Objective-C classes of AppleNeuralEngine.framework
  kE5rt,      // e5rt_*, C functions of Espresso.framework
};

struct AneOptions {
  AnePath path = AnePath::kInMemory;
  // Shared libraries that stand in for Apple's, like the emulator. Empty: those of macOS.
  std::vector<std::string> libraries;
  int compile_budget = 0;  // programs per process; 0: as many as are known to be safe
};

struct DeviceOptions {
  Precision precision = Precision::kFp32;
  int threads = 0;  // 0: all cores
  // What products of a weight with one vector, which cost the reading of the weight, may read
  // instead of it: kFp32 (the weight itself), kBf16 or kInt8.
  DType vector_weights = DType::kFp32;
  AneOptions ane = {};
  AneRules ane_rules = {};  // of precision kAne
  // Precision kAne adds to these; null: nothing is counted. Must outlive the device.
  ProductCounters* products = nullptr;
};

}  // namespace millwright::device
