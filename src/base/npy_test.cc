#include "base/npy.h"

#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>

namespace millwright {
namespace {

using ::testing::HasSubstr;

std::string File(const std::string& header, const std::string& data, char version = 1) {
  std::string file = "\x93NUMPY";
  file += {version, '\0', static_cast<char>(header.size()), '\0'};
  if (version > 1) file += {'\0', '\0'};
  return file + header + data;
}

Result<NpyArray> Parse(const std::string& file) {
  return ParseNpy(std::as_bytes(std::span(file)), "a.npy");
}

template <class T>
std::string Bytes(std::initializer_list<T> values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.begin(), bytes.size());
  return bytes;
}

TEST(NpyTest, ReadsAllVersions) {
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n";
  for (const char version : {'\x01', '\x02', '\x03'}) {
    const auto array = Parse(File(header, Bytes<float>({1, 2, 3, 4}), version));
    ASSERT_TRUE(array.ok()) << array.error().message;
    EXPECT_EQ(array->shape, (Shape{2, 2}));
    EXPECT_EQ(array->at(2), 3);
  }
}

TEST(NpyTest, BringsFortranOrderAndBigEndianIntoOurs) {
  // [[1, 2, 3], [4, 5, 6]] by columns.
  const auto array = Parse(File("{'shape': (2, 3), 'descr': \"<i4\", 'fortran_order': True}",
                                Bytes<int32_t>({1, 4, 2, 5, 3, 6})));
  ASSERT_TRUE(array.ok()) << array.error().message;
  for (int64_t i = 0; i < 6; ++i) EXPECT_EQ(array->at(i), static_cast<double>(i + 1));
  const auto swapped = Parse(
      File("{'descr': '>u2', 'fortran_order': False, 'shape': (1,)}", std::string("\x01\x02", 2)));
  ASSERT_TRUE(swapped.ok()) << swapped.error().message;
  EXPECT_EQ(swapped->at(0), 258);
}

TEST(NpyTest, NarrowsInt64ThatFits) {
  const std::string header = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,)}";
  const auto array = Parse(File(header, Bytes<int64_t>({-7, 9})));
  ASSERT_TRUE(array.ok()) << array.error().message;
  EXPECT_EQ(array->dtype, DType::kInt32);
  EXPECT_EQ(array->at(0), -7);
  const auto large = Parse(File(header, Bytes<int64_t>({1, int64_t{1} << 40})));
  ASSERT_FALSE(large.ok());
  EXPECT_THAT(large.error().message, HasSubstr("int64 element 1 is 1099511627776"));
}

TEST(NpyTest, RefusesHostileFiles) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}";
  const std::string data = Bytes<float>({1, 2});
  ASSERT_TRUE(Parse(File(good, data)).ok());
  for (size_t length = 0; length < File(good, data).size(); ++length) {
    EXPECT_FALSE(Parse(File(good, data).substr(0, length)).ok()) << length;
  }
  for (const char* header :
       {"", "{}", "{'descr': '<f4', 'fortran_order': False}", "{'descr': [('a', '<f4')]}",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4611686018427387904, 4)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} import os"}) {
    EXPECT_FALSE(Parse(File(header, data)).ok()) << header;
  }
  EXPECT_FALSE(Parse(File(good, data, '\x09')).ok());
}

TEST(NpyTest, WritesWhatItReads) {
  const std::string path = ::testing::TempDir() + "/written.npy";
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3}, Shape{0, 4}}) {
    for (const DType dtype : {DType::kFp16, DType::kFp64, DType::kInt8, DType::kBool}) {
      NpyArray array{dtype, shape, {}};
      array.bytes.resize(static_cast<size_t>(NumElements(shape)) * DTypeSize(dtype));
      for (int64_t i = 0; i < array.elements(); ++i) {
        StoreElement(dtype, array.bytes.data(), static_cast<size_t>(i), i % 2 == 0 ? 1 : 0);
      }
      ASSERT_TRUE(WriteNpy(path, array).ok());
      EXPECT_EQ(std::filesystem::file_size(path), 128 + array.bytes.size());
      const auto read = ReadNpy(path);
      ASSERT_TRUE(read.ok()) << read.error().message;
      EXPECT_EQ(read->dtype, dtype);
      EXPECT_EQ(read->shape, shape);
      EXPECT_EQ(read->bytes, array.bytes);
    }
  }
  EXPECT_FALSE(WriteNpy(path, {DType::kBf16, {1}, std::vector<std::byte>(2)}).ok());
}

}  // namespace
}  // namespace millwright
