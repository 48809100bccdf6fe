// Programs for the tests of the table of constraints, and the targets they are held against.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

#include "device/ane/constraints.h"
#include "mil/text.h"

namespace millwright::device::ane {

// A function: its inputs, operations, results. All have the constants of kPrelude.
struct Text {
  std::string inputs, operations, results = "(r)";
};

inline constexpr std::string_view kPrelude = R"(
  bool no = const()[name = string("no"), val = bool(false)];
  bool yes = const()[name = string("yes"), val = bool(true)];
  int32 ax1 = const()[name = string("ax1"), val = int32(1)];
  int32 ax2 = const()[name = string("ax2"), val = int32(2)];
  int32 ax3 = const()[name = string("ax3"), val = int32(3)];
  tensor<int32, [1]> axes3 = const()[name = string("axes3"), val = tensor<int32, [1]>([3])];
  tensor<int32, [4]> zeros = const()[name = string("zeros"), val = tensor<int32, [4]>([0, 0, 0, 0])];
  tensor<int32, [4]> at32 = const()[name = string("at32"), val = tensor<int32, [4]>([0, 0, 0, 32])];
  tensor<int32, [4]> half = const()[name = string("half"), val = tensor<int32, [4]>([1, 64, 1, 32])];
  tensor<int32, [4]> swap = const()[name = string("swap"), val = tensor<int32, [4]>([0, 1, 3, 2])];
  tensor<int32, [2]> ones = const()[name = string("ones"), val = tensor<int32, [2]>([1, 1])];
  tensor<int32, [2]> twos = const()[name = string("twos"), val = tensor<int32, [2]>([2, 2])];
  tensor<int32, [4]> pads = const()[name = string("pads"), val = tensor<int32, [4]>([0, 0, 0, 0])];
  int32 one = const()[name = string("one"), val = int32(1)];
  int32 two = const()[name = string("two"), val = int32(2)];
  string valid = const()[name = string("valid"), val = string("valid")];
  string fp16 = const()[name = string("fp16"), val = string("fp16")];
  fp16 root = const()[name = string("root"), val = fp16(-0.5)];
  fp16 tiny = const()[name = string("tiny"), val = fp16(1e-7)];
  fp16 small = const()[name = string("small"), val = fp16(1e-4)];
)";

inline mil::Program Parsed(const Text& text, std::string_view version = "1.3") {
  auto program = mil::Parse(
      fmt::format("program({})\n[buildInfo = dict<string, string>({{{{\"coremlc-version\", "
                  "\"1\"}}}})]\n{{ func main<ios18>({}) {{ {} {} }} -> {}; }}",
                  version, text.inputs, kPrelude, text.operations, text.results));
  EXPECT_TRUE(program.ok()) << program.error().message;
  return program.ok() ? *std::move(program) : mil::Program();
}

// The ids of what the table says.
inline std::set<std::string> Found(const mil::Program& program, const Target& target) {
  std::set<std::string> ids;
  for (const Issue& issue : CheckConstraints(program, target)) ids.insert(issue.constraint);
  return ids;
}

// r = relu(a) for an input of that type.
inline Text Relu(std::string_view type) {
  return {fmt::format("{} a", type),
          fmt::format("{} r = relu(x = a)[name = string(\"r\")];", type)};
}

inline Text Unary(std::string_view op, std::string_view arguments = "") {
  return {"tensor<fp16, [1, 64, 1, 64]> a",
          fmt::format("tensor<fp16, [1, 64, 1, 64]> r = {}(x = a{})[name = string(\"r\")];", op,
                      arguments)};
}

// r = conv(a, w) of [1, 64, 1, 64], the weight declared by `weight`.
inline Text Conv(std::string_view inputs, std::string_view weight,
                 std::string_view dilations = "ones", std::string_view groups = "one",
                 std::string_view more = "", std::string_view result = "[1, 64, 1, 64]") {
  return {fmt::format("tensor<fp16, [1, 64, 1, 64]> a{}", inputs),
          fmt::format("{} tensor<fp16, {}> r = conv(x = a, weight = w, strides = ones, pad_type = "
                      "valid, pad = pads, dilations = {}, groups = {}{})[name = string(\"r\")];",
                      weight, result, dilations, groups, more)};
}

inline std::string Blob(std::string_view type, std::string_view id = "w",
                        std::string_view offset = "64", std::string_view file = "w.bin") {
  return fmt::format(
      "{} {} = const()[name = string(\"{}\"), val = {}(BLOBFILE(path = "
      "string(\"@model_path/weights/{}\"), offset = uint64({})))];",
      type, id, id, type, file, offset);
}

inline const std::string kWeight = Blob("tensor<fp16, [64, 64, 1, 1]>");

inline Text Concat(std::string_view axis, std::string_view result, std::string_view more = "") {
  return {"tensor<fp16, [1, 64, 1, 64]> a, tensor<fp16, [1, 64, 1, 64]> b",
          fmt::format(
              "tensor<fp16, {}> r = concat(axis = {}, {}values = (a, b))[name = string(\"r\")];",
              result, axis, more)};
}

inline Text Matmul(std::string_view a, std::string_view b, std::string_view r,
                   std::string_view flag = "no") {
  return {fmt::format("tensor<fp16, {}> a, tensor<fp16, {}> b", a, b),
          fmt::format("tensor<fp16, {}> r = matmul(transpose_x = {}, transpose_y = no, x = a, y = "
                      "b)[name = string(\"r\")];",
                      r, flag)};
}

inline Text Slice(std::string_view begin) {
  return {"tensor<fp16, [1, 64, 1, 64]> a",
          fmt::format("tensor<fp16, [1, 64, 1, 32]> r = slice_by_size(begin = {}, size = half, x = "
                      "a)[name = string(\"r\")];",
                      begin)};
}

// r = softmax(relu(a)) over a width.
inline Text Softmax(int64_t width) {
  return {fmt::format("tensor<fp16, [1, 64, 1, {}]> a", width),
          fmt::format(
              "tensor<fp16, [1, 64, 1, {0}]> s = relu(x = a)[name = string(\"s\")];tensor<fp16, "
              "[1, 64, 1, {0}]> r = softmax(axis = ax3, x = s)[name = string(\"r\")];",
              width)};
}

// A function with a softmax that cuts its input's width first.
inline Text CutSoftmax() {
  Text text = Slice("zeros");
  text.operations +=
      "tensor<fp16, [1, 64, 1, 32]> s = softmax(axis = ax3, x = r)[name = string(\"s\")];";
  text.results = "(s)";
  return text;
}

inline Text Chain(int length) {
  std::string operations = "tensor<fp16, [1, 64, 1, 64]> v0 = relu(x = a)[name = string(\"v0\")];";
  for (int i = 1; i < length; ++i) {
    operations += fmt::format(
        "tensor<fp16, [1, 64, 1, 64]> v{} = relu(x = v{})[name = string(\"v{}\")];", i, i - 1, i);
  }
  return {"tensor<fp16, [1, 64, 1, 64]> a", operations, fmt::format("(v{})", length - 1)};
}

inline Text ManyInputs(int count) {
  std::string inputs;
  for (int i = 0; i < count; ++i) {
    inputs += fmt::format("{}tensor<fp16, [1, 64, 1, 64]> a{:03}", i == 0 ? "" : ", ", i);
  }
  return {inputs, "tensor<fp16, [1, 64, 1, 64]> r = relu(x = a000)[name = string(\"r\")];"};
}

inline Text Reduce(std::string_view op, int64_t width) {
  return {fmt::format("tensor<fp16, [1, 64, 32, {}]> a", width),
          fmt::format("tensor<fp16, [1, 64, 32]> r = {}(axes = axes3, keep_dims = no, x = a)[name "
                      "= string(\"r\")];",
                      op)};
}

inline Text Root(std::string_view argument) {
  return {"tensor<fp16, [1, 64, 32, 64]> a",
          fmt::format("tensor<fp16, [1, 64, 32]> s = reduce_sum(axes = axes3, keep_dims = no, x = "
                      "a)[name = string(\"s\")];tensor<fp16, [1, 64, 32]> e = add(x = s, y = "
                      "small)[name = string(\"e\")];tensor<fp16, [1, 64, 32]> m = relu(x = e)[name "
                      "= string(\"m\")];tensor<fp16, [1, 64, 32]> r = rsqrt(x = {}, epsilon = "
                      "small)[name = string(\"r\")];",
                      argument)};
}

inline Text Product(std::string_view factor, std::string_view first = "a") {
  return {fmt::format("tensor<fp16, [1, 64, 1, 64]> {}, tensor<fp16, {}> b", first, factor),
          fmt::format("tensor<fp16, [1, 64, 1, 64]> r = mul(x = {}, y = b)[name = string(\"r\")];",
                      first)};
}

inline Text SdpAttention(std::string_view more, int64_t seq) {
  return {fmt::format("tensor<fp16, [1, 4, {0}, 64]> q, tensor<fp16, [1, 1, {0}, {0}]> mask", seq),
          fmt::format("tensor<fp16, [1, 4, {}, 64]> r = scaled_dot_product_attention(query = q, "
                      "key = q, value = q{})[name = string(\"r\")];",
                      seq, more)};
}

inline Text TransposedMatmul(bool both) {
  return {
      "tensor<fp16, [1, 4, 64, 64]> a, tensor<fp16, [1, 4, 64, 64]> b",
      fmt::format("tensor<fp16, [1, 4, 64, 64]> at = transpose(perm = swap, x = a)[name = "
                  "string(\"at\")];tensor<fp16, [1, 4, 64, 64]> bt = transpose(perm = swap, x = "
                  "b)[name = string(\"bt\")];tensor<fp16, [1, 4, 64, 64]> r = matmul(transpose_x = "
                  "no, transpose_y = no, x = at, y = {})[name = string(\"r\")];",
                  both ? "bt" : "b")};
}

// r = relu(a) where the result bears another name.
inline Text Named(std::string_view result) {
  return {"tensor<fp16, [1, 64, 1, 64]> a",
          fmt::format("tensor<fp16, [1, 64, 1, 64]> {0} = relu(x = a)[name = string(\"{0}\")];",
                      result),
          fmt::format("({})", result)};
}

inline const Target kM1{.chip = Chip::kM1, .macos = 26};
inline const Target kM4{.chip = Chip::kM4, .macos = 26};
inline const Target kM3Ultra{.chip = Chip::kM3Ultra, .macos = 26};
inline const Target kByHand{.chip = Chip::kM4, .macos = 26, .managed = false};

inline const Text kRelu = Relu("tensor<fp16, [1, 64, 1, 64]>");
inline const Text kConcat = Concat("ax1", "[1, 128, 1, 64]", "interleave = no, ");

}  // namespace millwright::device::ane
