// Writes a function operation by operation, inferring every type. A mistake (a wrong shape, an
// unknown op) is kept as the first error and reported by Finish, so that generators read as
// straight-line code.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "mil/program.h"
#include "mil/weights.h"

namespace millwright::mil {

class Builder {
 public:
  // A named argument: `{"x", value}`.
  struct Arg {
    std::string_view key;
    std::vector<ValueId> values;
    bool tuple = false;
    Arg(std::string_view k, ValueId v) : key(k), values{v} {}
    Arg(std::string_view k, std::vector<ValueId> v) : key(k), values(std::move(v)), tuple(true) {}
  };

  explicit Builder(std::string opset = "ios18");

  ValueId Input(std::string_view id, Type type);

  // Constants; equal immediates are emitted once. Scalars and lists become named consts, as the ANE
  // compiler wants (fact A5).
  ValueId Const(Constant value, std::string_view hint = "c");
  ValueId Ints(std::initializer_list<int64_t> values);
  ValueId Ints(const std::vector<int64_t>& values);
  ValueId Int(int64_t value);
  ValueId Bool(bool value);
  ValueId Float(DType dtype, double value);
  ValueId Text(std::string_view value);
  // A tensor stored in the weight file "@model_path/weights/<file>", rounded to `type.dtype`.
  ValueId Weights(std::string_view file, Type type, const std::vector<double>& values);
  // The same, but the bytes are supplied later by the caller.
  ValueId WeightsRef(std::string_view file, Type type);

  // Appends an operation with one result. `id` is a wish: a suffix is added if it is taken.
  ValueId Op(std::string_view op, std::string_view id, std::vector<Arg> arguments);

  // Shorthands for the operations that kernels are made of.
  ValueId Matmul(std::string_view id, ValueId x, ValueId y, bool transpose_x, bool transpose_y);
  ValueId Add(std::string_view id, ValueId x, ValueId y);
  ValueId Sub(std::string_view id, ValueId x, ValueId y);
  ValueId Mul(std::string_view id, ValueId x, ValueId y);
  ValueId Reshape(std::string_view id, ValueId x, const Shape& shape);
  ValueId Transpose(std::string_view id, ValueId x, const std::vector<int64_t>& perm);
  ValueId Slice(std::string_view id, ValueId x, const Shape& begin, const Shape& size);
  ValueId Concat(std::string_view id, const std::vector<ValueId>& values, int64_t axis);
  ValueId ReduceSum(std::string_view id, ValueId x, int64_t axis);
  ValueId Softmax(std::string_view id, ValueId x, int64_t axis);

  const Type& type(ValueId value) const { return function_.value(value).type; }

  // Renames a value (the results of a program bear the names of its ports).
  void Rename(ValueId value, std::string_view id);

  struct Built {
    Program program;
    WeightStore weights;
  };
  // The finished, verified program, or the first error.
  Result<Built> Finish(const std::vector<ValueId>& outputs) &&;

 private:
  // What WeightsRef has handed out for one file.
  struct Port {
    Type type;
    ValueId value;
  };

  bool Known(ValueId value) const;
  void Fail(Error error);
  std::string Fresh(std::string_view hint);
  // A value named after `hint`, defined by the next operation (or by none: an input).
  ValueId NewValue(std::string_view hint, Type type, bool input);
  void AppendConst(ValueId value, Constant constant);
  Status CheckWeights(std::string_view file, const Type& type) const;
  Result<Type> Infer(const Operation& operation) const;

  Function function_;
  std::vector<int> definitions_;               // by value: index of its operation, -1 for inputs
  std::map<std::string, BlobWriter> writers_;  // by path
  std::map<std::string, Port> ports_;          // by path
  std::map<std::string, ValueId> constants_;   // key: printed type and bytes
  std::map<std::string, ValueId, std::less<>> taken_;
  std::map<std::string, int> suffixes_;  // the last suffix tried for a hint
  Status status_;
};

}  // namespace millwright::mil
