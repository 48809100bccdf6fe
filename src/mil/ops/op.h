// What one MIL operation is: its arguments, its type rule and its meaning. One file per op defines
// a `const OpDef k_<name>`; ops.def lists them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/numerics.h"
#include "base/result.h"
#include "mil/program.h"

namespace millwright::mil {

// A tensor under evaluation. Elements are doubles whatever the dtype: in `exact` evaluation they
// are not rounded, in `rounded` evaluation every element is representable in `type.dtype`.
struct Array {
  Type type;
  std::vector<double> data;  // row-major
};

// What an argument may be; MakeCall refuses anything else.
enum class ParamKind {
  kTensor,  // one value of any type (the op's type rule says more)
  kValues,  // a tuple of values: concat's `values`
  kInt,     // an integer scalar
  kInts,    // a list of integers: tensor<int32, [n]>
  kBool,    // a bool scalar (an int32 is refused, fact A7)
  kFloat,   // a float scalar
  kText,    // a string
};

// One parameter of an operation, as coremltools documents it.
struct Param {
  std::string_view name;
  bool required = true;
  bool constant = false;  // must be known at compile time
  ParamKind kind = ParamKind::kTensor;
};

// An argument of a call: its type, and its value where that is a compile-time constant or, during
// evaluation, always. `values` has several entries for a tuple.
struct CallArgument {
  std::string_view key;
  std::vector<Type> types;
  std::vector<const Array*> arrays;  // null where not known (type inference of a run-time value)
  std::optional<std::string> text;   // strings
  bool tuple = false;
};

// A call of an operation with its arguments looked up; helpers return the documented default when
// the argument is absent.
class Call {
 public:
  // The arrays of `arguments` must outlive the call, unless `owned` holds them.
  Call(std::string_view op, std::string_view id, std::vector<CallArgument> arguments,
       std::vector<std::shared_ptr<const Array>> owned = {})
      : op_(op), id_(id), arguments_(std::move(arguments)), owned_(std::move(owned)) {}

  std::string_view op() const { return op_; }
  std::string_view id() const { return id_; }  // SSA identifier of the first output, for messages
  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  const CallArgument* Find(std::string_view key) const;
  const Type& type(std::string_view key) const { return Find(key)->types.front(); }
  const Array& array(std::string_view key) const { return *Find(key)->arrays.front(); }

  // Constants. Rank and dtype are checked by MakeCall against Param::kind; a value that is not
  // known gives the fallback.
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
  std::vector<std::shared_ptr<const Array>> owned_;
};

struct OpDef {
  std::string_view name;  // coremltools' spelling
  std::string_view doc;   // formula and source
  std::vector<Param> params;
  bool attributes_are_params = false;  // const and constexpr_* take their parameters in brackets

  // The result types, or why there are none.
  Result<std::vector<Type>> (*infer)(const Call& call);

  // The results, not yet rounded to their dtype (the caller rounds); sums of products go through
  // `numerics`, so that fp32, fp16 and the ANE's fixed point share one definition.
  Result<std::vector<Array>> (*evaluate)(const Call& call, std::span<const Type> results,
                                         const Numerics& numerics);

  int since = 15;  // the first opset that has the op: 15 for ios15
};

// `extern const OpDef k_<name>;` for every op.
#define OP(name) extern const OpDef k_##name;
#include "mil/ops/ops.def"
#undef OP

// All operations, in the order of ops.def.
std::span<const OpDef* const> AllOps();

// The operation of that name, or null.
const OpDef* FindOp(std::string_view name);

// For every value of `function` the index of the operation that defines it, -1 for inputs.
std::vector<int> Definitions(const Function& function);

// Looks up the arguments of `operation` for type inference: constants of `function` that are
// immediates are known, other values have a type only. Bad input: an unknown op, an argument that
// is unknown, repeated, missing, of a wrong kind, or not a constant where it has to be one. The
// call refers to `function` and `operation`, which must outlive it.
Result<Call> MakeCall(const Function& function, const Operation& operation);

// The same with Definitions(function) at hand.
Result<Call> MakeCall(const Function& function, const Operation& operation,
                      std::span<const int> definitions);

// The elements of an immediate as doubles; empty for a string or a blob.
Array ToArray(const Constant& constant);

}  // namespace millwright::mil
