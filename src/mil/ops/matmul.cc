#include "mil/ops/product.h"
#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

// One operand as a stack of matrices: `shape` ends in rows and columns, after transposition.
struct Operand {
  Shape shape;
  Strides strides;  // of the dense tensor, permuted alike
  bool transposed = false;

  int64_t rows() const { return shape[shape.size() - 2]; }
  int64_t columns() const { return shape.back(); }
  Shape batch() const { return {shape.begin(), shape.end() - 2}; }
};

// A vector on the left is a row, on the right a column, as in np.matmul; it is not transposed.
Operand ReadOperand(const Type& type, bool transpose, bool left) {
  Operand operand{.shape = type.shape};
  if (type.shape.size() == 1) {
    operand.shape.insert(left ? operand.shape.begin() : operand.shape.end(), 1);
  }
  operand.strides = RowMajorStrides(operand.shape);
  if (transpose && type.shape.size() > 1) {
    const size_t last = operand.shape.size() - 1;
    std::swap(operand.shape[last], operand.shape[last - 1]);
    std::swap(operand.strides[last], operand.strides[last - 1]);
    operand.transposed = true;
  }
  return operand;
}

struct Operands {
  Operand x;
  Operand y;
  Shape batch;
};

Result<Operands> ReadOperands(const Call& call) {
  const Type& x = call.type("x");
  const Type& y = call.type("y");
  if (x.shape.empty() || y.shape.empty()) {
    return call.Bad("'x' and 'y' must be tensors, found {} and {}", ToString(x), ToString(y));
  }
  Operands operands{.x = ReadOperand(x, call.Bool("transpose_x", false), true),
                    .y = ReadOperand(y, call.Bool("transpose_y", false), false)};
  if (operands.x.columns() != operands.y.rows()) {
    return call.Bad("{}{} times {}{}: {} columns meet {} rows", ToString(x),
                    operands.x.transposed ? " (transposed)" : "", ToString(y),
                    operands.y.transposed ? " (transposed)" : "", operands.x.columns(),
                    operands.y.rows());
  }
  const std::optional<Shape> batch = BroadcastShapes(operands.x.batch(), operands.y.batch());
  if (!batch) {
    return call.Bad("batch axes {} of 'x' and {} of 'y' do not broadcast",
                    ShapeToString(operands.x.batch()), ShapeToString(operands.y.batch()));
  }
  operands.batch = *batch;
  return operands;
}

Types Infer(const Call& call) {
  Status status = CheckDType(call, "x", {DType::kFp16, DType::kFp32, DType::kInt32});
  if (!status) return status.error();
  if (status = CheckSameDType(call, "x", "y"); !status) return status.error();
  const Result<Operands> operands = ReadOperands(call);
  if (!operands) return operands.error();
  Shape shape = operands->batch;
  if (call.type("x").shape.size() > 1) shape.push_back(operands->x.rows());
  if (call.type("y").shape.size() > 1) shape.push_back(operands->y.columns());
  return std::vector<Type>{{call.type("x").dtype, shape}};
}

// The operand's elements as dense matrices; copied into `copy` only where it is transposed.
const double* Dense(const Operand& operand, const Array& array, std::vector<double>* copy) {
  if (!operand.transposed) return array.data.data();
  *copy = Gathered(array.data.data(), operand.shape, operand.strides);
  return copy->data();
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const Result<Operands> operands = ReadOperands(call);
  if (!operands) return operands.error();
  // Named, not a structured binding: clang 16 captures none in OpenMP code.
  const auto& x = operands->x;
  const auto& y = operands->y;
  const auto& batch = operands->batch;
  std::vector<double> copy_x;
  std::vector<double> copy_y;
  const double* a = Dense(x, call.array("x"), &copy_x);
  const double* b = Dense(y, call.array("y"), &copy_y);
  Array result = NewArray(results[0]);
  double* c = result.data.data();
  // Every "row" of the walk is one matrix: the batch axes, and one more of length 1.
  const int64_t size_x = x.rows() * x.columns();
  const int64_t size_y = y.rows() * y.columns();
  Strides steps_x = BroadcastStrides(x.batch(), batch);
  Strides steps_y = BroadcastStrides(y.batch(), batch);
  for (int64_t& step : steps_x) step *= size_x;
  for (int64_t& step : steps_y) step *= size_y;
  Shape matrices = batch;
  for (auto* list : {&matrices, &steps_x, &steps_y}) list->push_back(1);
  ForEachRow<2>(matrices, {steps_x, steps_y}, [&](int64_t, const std::array<int64_t, 2>& offsets) {
    Product(numerics, a + offsets[0], b + offsets[1], c, x.rows(), y.columns(), x.columns());
    c += x.rows() * y.columns();
  });
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_matmul = {
    .name = "matmul",
    .doc = R"(
The product of the last two axes, x' y', where x' and y' are x and y or their transposes; the axes
before are broadcast. A tensor of rank 1 is a row on the left and a column on the right, and its axis
of length 1 is dropped from the result, as in np.matmul. Sums run in ascending order of k.
  x, y                      fp16, fp32 or int32, of one dtype
  transpose_x, transpose_y  constant bools, default false: swap the last two axes of x, of y
Opset ios15. Source: coremltools, MIL ops, iOS15 linear.)",
    .params =
        {{.name = "x"},
         {.name = "y"},
         {.name = "transpose_x", .required = false, .constant = true, .kind = ParamKind::kBool},
         {.name = "transpose_y", .required = false, .constant = true, .kind = ParamKind::kBool}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
