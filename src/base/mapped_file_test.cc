#include "base/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace millwright {
namespace {

using testing::HasSubstr;

std::string WriteFile(const std::string& name, const std::string& content) {
  std::string path = testing::TempDir() + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(MappedFileTest, HoldsTheBytesOfTheFile) {
  const std::string content("a\0b\xFF", 4);
  const auto file = MappedFile::Open(WriteFile("mapped_bytes", content));
  ASSERT_TRUE(file) << file.error().message;
  const auto bytes = (*file)->bytes();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), content);
}

TEST(MappedFileTest, StaysReadableAfterTheFileIsRemoved) {
  const std::string path = WriteFile("mapped_removed", "kept");
  const auto file = MappedFile::Open(path);
  ASSERT_TRUE(file) << file.error().message;
  std::filesystem::remove(path);
  EXPECT_EQ((*file)->bytes()[3], std::byte{'t'});
}

TEST(MappedFileTest, EmptyFileIsAnEmptySpan) {
  const auto file = MappedFile::Open(WriteFile("mapped_empty", ""));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE((*file)->bytes().empty());
}

TEST(MappedFileTest, NamesAFileThatIsMissing) {
  const auto file = MappedFile::Open(testing::TempDir() + "mapped_missing");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(file.error().message, HasSubstr("mapped_missing"));
}

TEST(MappedFileTest, RefusesAFolder) {
  const auto file = MappedFile::Open(testing::TempDir());
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message, HasSubstr("not a regular file"));
}

}  // namespace
}  // namespace millwright
