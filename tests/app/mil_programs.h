// Small programs for the tests of "millwright mil", and arrays for their inputs.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/npy.h"
#include "checkpoint/test_folder.h"
#include "tests/shared_folder.h"

namespace millwright::testing {

// `body` in a program of one function: "inputs" -> (outputs).
inline std::string MilProgram(const std::string& inputs, const std::string& body,
                              const std::string& outputs) {
  return "program(1.3)\n{\n    func main<ios18>(" + inputs + ") {\n" + body + "    } -> (" +
         outputs + ");\n}\n";
}

// Q K^T scaled after the product, as some public programs have it: the fp16 bug that loses most.
inline std::string ScaledAfter() {
  return MilProgram("tensor<fp16, [1, 2, 4, 64]> q, tensor<fp16, [1, 2, 4, 64]> k",
                    R"(        bool no = const()[name = string("no"), val = bool(false)];
        bool yes = const()[name = string("yes"), val = bool(true)];
        tensor<fp16, [1, 2, 4, 64]> qi = identity(x = q)[name = string("qi")];
        tensor<fp16, [1, 2, 4, 4]> scores = matmul(transpose_x = no, transpose_y = yes, x = qi, y = k)[name = string("mm")];
        fp16 c = const()[name = string("c"), val = fp16(0.125)];
        tensor<fp16, [1, 2, 4, 4]> scaled = mul(x = scores, y = c)[name = string("sc")];
        int32 ax = const()[name = string("ax"), val = int32(-1)];
        tensor<fp16, [1, 2, 4, 4]> p = softmax(axis = ax, x = scaled)[name = string("sm")];
)",
                    "p");
}

// The public programs beside the checkout; none where it has no shared folder. Those of the static
// pipeline come without weights.
inline std::vector<std::string> SharedPrograms() {
  std::vector<std::string> files;
  if (!SharedFolder()) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*SharedFolder() / "mil")) {
    if (entry.path().extension() == ".mil") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Writes an array of fp32 whose elements are `value(i)`.
template <class Fn>
void WriteArray(const std::string& path, const Shape& shape, const Fn& value) {
  NpyArray array{DType::kFp32, shape, {}};
  array.bytes.resize(static_cast<size_t>(NumElements(shape)) * sizeof(float));
  for (int64_t i = 0; i < array.elements(); ++i) {
    StoreElement(DType::kFp32, array.bytes.data(), static_cast<size_t>(i), value(i));
  }
  const Status status = WriteNpy(path, array);
  EXPECT_TRUE(status.ok()) << status.error().message;
}

}  // namespace millwright::testing
