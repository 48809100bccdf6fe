#include "base/atomic_file.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace millwright {
namespace {

class AtomicFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "millwright-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  std::filesystem::path folder_;
};

TEST_F(AtomicFileTest, ReplacesTheOldFileAndLeavesNoOther) {
  const std::string path = (folder_ / "a").string();
  ASSERT_TRUE(WriteFileAtomically(path, "old").ok());
  ASSERT_TRUE(WriteFileAtomically(path, std::string_view("n\0w", 3)).ok());
  EXPECT_EQ(Read(path), std::string("n\0w", 3));
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST_F(AtomicFileTest, NamesTheFileThatCannotBeWritten) {
  const auto no_folder = WriteFileAtomically((folder_ / "no/a").string(), "x");
  ASSERT_FALSE(no_folder.ok());
  EXPECT_EQ(no_folder.error().kind, ErrorKind::kFailed);
  EXPECT_THAT(no_folder.error().message, testing::HasSubstr("no/a.tmp: cannot be created"));
  // A folder that is not empty cannot be renamed over.
  std::filesystem::create_directories(folder_ / "full/x");
  const auto in_the_way = WriteFileAtomically((folder_ / "full").string(), "x");
  ASSERT_FALSE(in_the_way.ok());
  EXPECT_THAT(in_the_way.error().message, testing::HasSubstr("full: cannot be written"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "full.tmp"));
}

}  // namespace
}  // namespace millwright
