// The twins of parts that a system may lack (src/**/no_*.cc). No build has both a part and its
// twin, so that a twin could rot unseen where the part is always there: here all twins are compiled
// against their headers, linked in place of the parts, and called.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "app/dashboard/terminal/terminal.h"
#include "app/dashboard/web/router.h"
#include "math/gemm_library.h"

namespace millwright {
namespace {

using ::testing::HasSubstr;

TEST(Twins, WithoutNcursesThereAreAScreenOfTextAndThePage) {
  const auto terminal = app::dashboard::OpenTerminal();
  ASSERT_FALSE(terminal.ok());
  EXPECT_EQ(terminal.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(terminal.error().message, HasSubstr("ncurses"));
  EXPECT_THAT(terminal.error().message, HasSubstr("--once"));
  EXPECT_THAT(terminal.error().message, HasSubstr("--web"));
}

TEST(Twins, WithoutHttplibThereIsNoPage) {
  const auto router = app::web::MakeRouter({});
  ASSERT_FALSE(router.ok());
  EXPECT_THAT(router.error().message, HasSubstr("--web"));
  EXPECT_THAT(router.error().message, HasSubstr("cpp-httplib"));
}

// Without a GEMM library there is one product, and whoever asks for the library's gets it.
TEST(Twins, WithoutAGemmLibraryHighwayMultiplies) {
  EXPECT_EQ(math::GemmLibraryName(), "");
  EXPECT_FALSE(math::HasLibrarySgemm() || math::HasLibraryMatmul());
  EXPECT_EQ(math::LibrarySgemmName(), "");
  const auto shape = math::DenseGemm(2, 2, 3, false, false);
  const std::vector<float> a = {1, 2, 3, 4, 5, 6}, b = {1, 0, 0, 1, 1, 1};
  const std::vector<float> product = {4, 5, 10, 11};
  std::vector<float> c(4);
  math::LibrarySgemm(shape, a.data(), b.data(), c.data());
  EXPECT_EQ(c, product);
  EXPECT_FALSE(math::HasFastBf16());
  for (const DType operands : {DType::kFp32, DType::kBf16}) {
    math::LibraryMatmul none(operands);
    EXPECT_EQ(none.Describe(shape), "");
    EXPECT_FALSE(none.Run(shape, a.data(), b.data(), c.data()));
  }
  math::GemmEngine engine;
  for (const auto kind : {math::GemmKind::kAuto, math::GemmKind::kLibraryMatmul}) {
    c.assign(4, 0);
    engine.Run(shape, a.data(), b.data(), c.data(), kind);
    EXPECT_EQ(c, product);
    EXPECT_THAT(engine.Describe(shape, kind), HasSubstr("highway"));
    EXPECT_THAT(engine.DescribeBf16(shape, kind), HasSubstr("widened:highway"));
  }
}

}  // namespace
}  // namespace millwright
