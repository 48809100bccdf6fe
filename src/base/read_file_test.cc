#include "base/read_file.h"

#include <gmock/gmock.h>

#include <string_view>

#include "base/atomic_file.h"

namespace millwright {
namespace {

TEST(ReadFileTest, GivesTheBytesOfTheFile) {
  const std::string path = testing::TempDir() + "read_file_bytes";
  for (const std::string_view content : {std::string_view("a\0b\xFF\n", 5), std::string_view()}) {
    ASSERT_TRUE(WriteFileAtomically(path, content));
    const auto read = ReadFile(path);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, content);
  }
}

TEST(ReadFileTest, NamesAFileThatIsMissing) {
  const auto read = ReadFile(testing::TempDir() + "read_file_missing");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(read.error().message, testing::HasSubstr("read_file_missing"));
}

}  // namespace
}  // namespace millwright
