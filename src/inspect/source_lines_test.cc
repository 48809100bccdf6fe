#include "inspect/source_lines.h"

#include <gtest/gtest.h>

namespace millwright::inspect {
namespace {

TEST(SourceLinesTest, FindsDeclarationsOnly) {
  const SourceLines lines(R"(program(1.3)
[buildInfo = dict<string, string>({{"y", "x"}})]
{
    // tensor<fp16, [2]> y
    func first<ios18>(tensor<fp16, [2]> x,
                      fp16 s) {
        tensor<fp16, [2]> y = mul(x = x, y = s)[name = string("z")];
        tensor<fp16, [1]> a, tensor<fp16, [1]> b
            = split(x = y, axis = int32(0), num_splits = int32(2))[name = string("q")];
    } -> (a, b);
    func second<ios18>(tensor<fp16, [2]> y) {
        tensor<fp16, [2]> x = relu(x = y)[name = string("r")];
    } -> (x);
}
)");
  EXPECT_EQ(lines.LineOf("first", ""), 5u);
  EXPECT_EQ(lines.LineOf("first", "x"), 5u);
  EXPECT_EQ(lines.LineOf("first", "s"), 6u);
  EXPECT_EQ(lines.LineOf("first", "y"), 7u);
  EXPECT_EQ(lines.LineOf("first", "b"), 8u);
  EXPECT_EQ(lines.LineOf("second", "y"), 11u);
  EXPECT_EQ(lines.LineOf("second", "x"), 12u);
  EXPECT_EQ(lines.LineOf("first", "z"), 0u);
  EXPECT_EQ(lines.LineOf("third", "x"), 0u);
}

}  // namespace
}  // namespace millwright::inspect
