#include <utility>

#include "mil/ops/product.h"
#include "mil/ops/rules.h"
#include "mil/ops/walk.h"

namespace millwright::mil {
namespace {

// The equation with its letters renamed in the order of their appearance.
std::string Canonical(std::string_view equation) {
  std::string seen;
  std::string canonical;
  for (char c : equation) {
    if (c == ',' || c == '-' || c == '>') {
      canonical += c;
      continue;
    }
    if (seen.find(c) == std::string::npos) seen += c;
    canonical += static_cast<char>('a' + seen.find(c) % 26);
  }
  return canonical;
}

// x and y with an axis n in front: [n, c, h, w] and [n, w, h, u].
struct Operands {
  Shape x;
  Shape y;
  Shape batch;  // [n, h], broadcast
};

Result<Operands> ReadOperands(const Call& call) {
  const std::vector<Type>& values = call.Find("values")->types;
  if (values.size() != 2) return call.Bad("{} values are given, 2 are needed", values.size());
  if (!IsFloat(values[0].dtype) || values[0].dtype != values[1].dtype) {
    return call.Bad("the values must be fp16 or fp32 of one dtype, found {} and {}",
                    ToString(values[0]), ToString(values[1]));
  }
  const std::string equation = Canonical(call.Text("equation", ""));
  const size_t rank = equation == "abcd,adce->abce" ? 4 : equation == "abc,cbd->abd" ? 3 : 0;
  if (rank == 0) {
    return call.Bad("equation \"{}\" is neither nchw,nwhu->nchu nor chw,whr->chr",
                    call.Text("equation", ""));
  }
  Operands operands{values[0].shape, values[1].shape, {}};
  if (operands.x.size() != rank || operands.y.size() != rank) {
    return call.Bad("the equation needs values of rank {}, found {} and {}", rank,
                    ToString(values[0]), ToString(values[1]));
  }
  for (Shape* shape : {&operands.x, &operands.y}) {
    if (rank == 3) shape->insert(shape->begin(), 1);
  }
  const auto batch =
      BroadcastShapes({operands.x[0], operands.x[2]}, {operands.y[0], operands.y[2]});
  if (!batch || operands.x[3] != operands.y[1]) {
    return call.Bad("{} and {} do not fit together", ToString(values[0]), ToString(values[1]));
  }
  operands.batch = *batch;
  return operands;
}

Types Infer(const Call& call) {
  const Result<Operands> operands = ReadOperands(call);
  if (!operands) return operands.error();
  Shape shape{operands->batch[0], operands->x[1], operands->batch[1], operands->y[3]};
  const Type& x = call.Find("values")->types.front();
  if (x.shape.size() == 3) shape.erase(shape.begin());
  return std::vector<Type>{{x.dtype, shape}};
}

// The stride of an axis, 0 where it is broadcast.
int64_t Step(const Shape& shape, const Strides& strides, size_t axis) {
  return shape[axis] == 1 ? 0 : strides[axis];
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics& numerics) {
  const Result<Operands> operands = ReadOperands(call);
  if (!operands) return operands.error();
  const Shape& x = operands->x;
  const Shape& y = operands->y;
  const Strides at_x = RowMajorStrides(x);
  const Strides at_y = RowMajorStrides(y);
  const double* values_x = call.Find("values")->arrays[0]->data.data();
  const double* values_y = call.Find("values")->arrays[1]->data.data();
  const int64_t heads = operands->batch[1];
  Array result = NewArray(results[0]);
  std::vector<double> product(static_cast<size_t>(x[1] * y[3]));
  for (int64_t i = 0; i < operands->batch[0] * heads; ++i) {
    const int64_t n = i / heads;
    const int64_t h = i % heads;
    const double* from_x = values_x + n * Step(x, at_x, 0) + h * Step(x, at_x, 2);
    const double* from_y = values_y + n * Step(y, at_y, 0) + h * Step(y, at_y, 2);
    const std::vector<double> a = Gathered(from_x, {x[1], x[3]}, {at_x[1], 1});
    const std::vector<double> b = Gathered(from_y, {y[1], y[3]}, {at_y[1], 1});
    Product(numerics, a.data(), b.data(), product.data(), x[1], y[3], x[3]);
    double* out = result.data.data() + (n * x[1] * heads + h) * y[3];
    Ungather(product, {x[1], y[3]}, {heads * y[3], 1}, out);
  }
  return std::vector<Array>{std::move(result)};
}

}  // namespace

const OpDef k_einsum = {
    .name = "einsum",
    .doc = R"(
The product of matrices that lie on the last and third last axes, for every index of the others:
  "nchw,nwhu->nchu"  result[n, c, h, u] = sum over w of x[n, c, h, w] * y[n, w, h, u]
  "chw,whr->chr"     result[c, h, r] = sum over w of x[c, h, w] * y[w, h, r]
  values    a tuple (x, y), fp16 or fp32 of one dtype; axes n and h are broadcast
  equation  constant string: one of those two, with any letters
Opset ios15. Source: coremltools, MIL ops, iOS15 linear.)",
    .params = {{.name = "values", .kind = ParamKind::kValues},
               {.name = "equation", .constant = true, .kind = ParamKind::kText}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
