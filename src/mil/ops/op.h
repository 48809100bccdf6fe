// What one MIL operation is: its arguments, its type rule and its meaning. One file per op defines a
// `const OpDef k_<name>`; ops.def lists them.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/numerics.h"
#include "base/result.h"
#include "mil/program.h"

namespace millwright::mil {

// A tensor under evaluation. Elements are doubles whatever the dtype: in `exact` evaluation they are
// not rounded, in `rounded` evaluation every element is representable in `type.dtype`.
struct Array {
  Type type;
  std::vector<double> data;  // row-major
};

// One parameter of an operation, as coremltools documents it.
struct Param {
  std::string_view name;
  bool required = true;
  bool constant = false;  // must be known at compile time
};

// An argument of a call: its type, and its value where that is a compile-time constant or, during
// evaluation, always. `values` has several entries for a tuple.
struct CallArgument {
  std::string_view key;
  std::vector<Type> types;
  std::vector<const Array*> arrays;    // null where not known (type inference of a run-time value)
  std::optional<std::string> text;     // strings
  bool tuple = false;
};

// A call of an operation with its arguments looked up; helpers return the documented default when the
// argument is absent.
class Call {
 public:
  Call(std::string_view op, std::string_view id, std::vector<CallArgument> arguments)
      : op_(op), id_(id), arguments_(std::move(arguments)) {}

  std::string_view op() const { return op_; }
  std::string_view id() const { return id_; }  // SSA identifier of the first output, for messages
  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  const CallArgument* Find(std::string_view key) const;
  const Type& type(std::string_view key) const { return Find(key)->types.front(); }
  const Array& array(std::string_view key) const { return *Find(key)->arrays.front(); }

  // Constants. Rank and dtype are checked by Verify against `Param`; a value that is not known gives
  // the fallback.
  std::vector<int64_t> Ints(std::string_view key, std::vector<int64_t> fallback = {}) const;
  int64_t Int(std::string_view key, int64_t fallback) const;
  bool Bool(std::string_view key, bool fallback) const;
  double Float(std::string_view key, double fallback) const;
  std::string Text(std::string_view key, std::string_view fallback) const;

  // "matmul (qm): " + message.
  template <class... Args>
  Error Bad(fmt::format_string<Args...> format, Args&&... args) const {
    return BadInput("{} ({}): {}", op_, id_, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  std::string_view op_;
  std::string_view id_;
  std::vector<CallArgument> arguments_;
};

struct OpDef {
  std::string_view name;  // coremltools' spelling
  std::string_view doc;   // formula and source
  std::vector<Param> params;
  bool attributes_are_params = false;  // constexpr_* ops take their parameters in brackets

  // The result types, or why there are none.
  Result<std::vector<Type>> (*infer)(const Call& call);

  // The results, not yet rounded to their dtype (the caller rounds); sums of products go through
  // `numerics`, so that fp32, fp16 and the ANE's fixed point share one definition.
  Result<std::vector<Array>> (*evaluate)(const Call& call, std::span<const Type> results,
                                         const Numerics& numerics);
};

// All operations, in the order of ops.def.
std::span<const OpDef* const> AllOps();

// The operation of that name, or null.
const OpDef* FindOp(std::string_view name);

// Looks up the arguments of `operation` for type inference: constants of `function` that are
// immediates are known, other values have a type only.
Result<Call> MakeCall(const Function& function, const Operation& operation);

}  // namespace millwright::mil
