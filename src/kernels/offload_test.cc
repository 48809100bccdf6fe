#include <gmock/gmock.h>

#include "kernels/kernel.h"

namespace millwright::kernels {
namespace {

TEST(OffloadTest, NamesAreReadInAnyOrderAndWrittenInOne) {
  const auto some = ParseOffload("rmsnorm-bwd,classifier");
  ASSERT_TRUE(some.ok()) << some.error().message;
  EXPECT_TRUE(some->classifier && some->rmsnorm_backward);
  EXPECT_FALSE(some->softmax || some->rmsnorm);
  EXPECT_EQ(OffloadNames(*some), "classifier,rmsnorm-bwd");
  EXPECT_EQ(OffloadNames(*ParseOffload("all")), "rmsnorm,classifier,softmax,rmsnorm-bwd");
  const auto none = ParseOffload("");
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->any());
  EXPECT_EQ(OffloadNames(*none), "");
}

TEST(OffloadTest, UnknownNamesAreRefused) {
  for (const char* names : {"norm", "softmax,,all", "ALL", ","}) {
    const auto parsed = ParseOffload(names);
    ASSERT_FALSE(parsed.ok()) << names;
    EXPECT_THAT(parsed.error().message, testing::HasSubstr("expected rmsnorm, classifier"));
  }
}

KernelSpec SpecWith(int64_t classes, int64_t max_width) {
  KernelSpec spec;
  spec.config.seq = 256;
  spec.target = {.width_multiple = 32, .max_width = max_width};
  spec.offload.classes = classes;
  return spec;
}

TEST(OffloadTest, ALargeVocabularyIsCutIntoEqualLaunches) {
  EXPECT_EQ(ClassifierRows(SpecWith(151936, 0)), 151936);     // no limit is known
  EXPECT_EQ(ClassifierRows(SpecWith(6840, 16384)), 6840);     // fits
  EXPECT_EQ(ClassifierRows(SpecWith(151936, 65536)), 15194);  // 10 launches of at most 16384
  // Side by side with 256 positions in 16384 columns: at most 16128 rows.
  EXPECT_EQ(ClassifierRows(SpecWith(32000, 16384)), 16000);
  EXPECT_EQ(ClassifierRows(SpecWith(32257, 16384)), 10753);
}

}  // namespace
}  // namespace millwright::kernels
