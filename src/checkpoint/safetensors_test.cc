#include "checkpoint/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/rng.h"
#include "checkpoint/test_folder.h"

namespace millwright::checkpoint {
namespace {

using testing::HasSubstr;

// A file with this header and so many bytes of data.
std::string Bytes(const std::string& header, size_t data_size) {
  std::string bytes;
  for (size_t i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(header.size() >> (8 * i)));
  return bytes + header + std::string(data_size, '\1');
}

class SafetensorsTest : public testing::Test {
 protected:
  void Write(std::vector<TensorInfo> infos, const std::vector<std::vector<float>>& data) {
    auto writer = SafetensorsWriter::Create(path_, infos, {{"format", "pt"}, {"who", "\"me\""}});
    ASSERT_TRUE(writer.ok()) << writer.error().message;
    for (const auto& tensor : data) {
      const Status status = writer->Append(tensor);
      ASSERT_TRUE(status.ok()) << status.error().message;
    }
    const auto digest = writer->Finish();
    ASSERT_TRUE(digest.ok()) << digest.error().message;
    const std::string bytes = ReadBytes(path_);
    EXPECT_EQ(digest->size, bytes.size());
    EXPECT_EQ(digest->hash, HashBytes(std::as_bytes(std::span(bytes))));
    EXPECT_EQ(SafetensorsBytes(infos, {{"format", "pt"}, {"who", "\"me\""}}), bytes.size());
  }

  TestFolder folder_;
  const std::string path_ = folder_.File("x.safetensors");
};

std::vector<float> Draw(uint64_t stream, size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(Rng(1, stream).Normal(i));
  return values;
}

TEST_F(SafetensorsTest, ReadsBackWhatItWrites) {
  const std::vector<float> a = Draw(0, 6), b = Draw(1, 200'000), c = Draw(2, 3), d = {7.5f};
  Write({{"a", DType::kFp32, {2, 3}},
         {"b", DType::kFp16, {100, 2000}},
         {"c", DType::kBf16, {3}},
         {"none", DType::kFp32, {0, 4}},
         {"scalar", DType::kFp32, {}}},
        {a, b, c, {}, d});
  const auto file = Safetensors::Open(path_);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->metadata(), (SafetensorsMetadata{{"format", "pt"}, {"who", "\"me\""}}));
  ASSERT_EQ(file->entries().size(), 5u);
  std::vector<float> out(6);
  ASSERT_TRUE(file->Read("a", {2, 3}, out).ok());
  EXPECT_EQ(out, a);
  out.resize(b.size());
  ASSERT_TRUE(file->Read("b", {100, 2000}, out).ok());
  for (size_t i = 0; i < b.size(); ++i) ASSERT_EQ(out[i], ToFloat(ToFp16(b[i])));
  out.resize(3);
  ASSERT_TRUE(file->Read("c", {3}, out).ok());
  for (size_t i = 0; i < c.size(); ++i) EXPECT_EQ(out[i], ToFloat(ToBf16(c[i])));
  out.resize(1);
  ASSERT_TRUE(file->Read("scalar", {}, out).ok());
  EXPECT_EQ(out, d);
  ASSERT_TRUE(file->Read("none", {0, 4}, std::span<float>()).ok());
}

TEST_F(SafetensorsTest, DataIsAlignedForVectors) {
  for (size_t length = 1; length < 70; length += 7) {
    Write({{std::string(length, 'n'), DType::kFp32, {1}}}, {{1.0f}});
    EXPECT_EQ((ReadBytes(path_).size() - 4) % 64, 0u);
  }
}

TEST_F(SafetensorsTest, ReadingAsksForTheRightTensor) {
  Write({{"a", DType::kFp32, {2}}}, {{1, 2}});
  const auto file = Safetensors::Open(path_);
  ASSERT_TRUE(file.ok());
  std::vector<float> out(2);
  EXPECT_THAT(file->Read("b", {2}, out).error().message, HasSubstr("no tensor \"b\""));
  EXPECT_THAT(file->Read("a", {1, 2}, out).error().message, HasSubstr("[1, 2]"));
  EXPECT_FALSE(file->Read("a", {2}, std::span(out).first(1)).ok());
  WriteBytes(path_, Bytes(R"({"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}})", 8));
  const auto integers = Safetensors::Open(path_);
  ASSERT_TRUE(integers.ok());
  EXPECT_THAT(integers->Read("a", {2}, out).error().message, HasSubstr("I32"));
}

TEST_F(SafetensorsTest, WritingWrongThingsFails) {
  using Infos = std::vector<TensorInfo>;
  EXPECT_FALSE(SafetensorsWriter::Create(
                   path_, Infos{{"a", DType::kFp32, {1}}, {"a", DType::kFp32, {1}}}, {})
                   .ok());
  EXPECT_FALSE(SafetensorsWriter::Create(path_, Infos{{"a", DType::kInt8, {1}}}, {}).ok());
  EXPECT_FALSE(
      SafetensorsWriter::Create(path_, Infos{{"__metadata__", DType::kFp32, {}}}, {}).ok());
  EXPECT_FALSE(SafetensorsWriter::Create(folder_.File("no/x"), Infos{}, {}).ok());
  auto writer = SafetensorsWriter::Create(path_, Infos{{"a", DType::kFp16, {2}}}, {});
  ASSERT_TRUE(writer.ok());
  EXPECT_FALSE(writer->Finish().ok());
  const float large[] = {1.0f, 70000.0f};
  const Status status = writer->Append(large);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("70000"));
  writer = SafetensorsWriter::Create(path_, Infos{{"a", DType::kFp32, {3}}}, {});
  EXPECT_FALSE(writer->Append(large).ok());
}

TEST_F(SafetensorsTest, InfinitiesAreKept) {
  const float inf = std::numeric_limits<float>::infinity();
  Write({{"a", DType::kFp16, {2}}}, {{inf, std::nanf("")}});
  std::vector<float> out(2);
  ASSERT_TRUE(Safetensors::Open(path_)->Read("a", {2}, out).ok());
  EXPECT_EQ(out[0], inf);
  EXPECT_TRUE(std::isnan(out[1]));
}

TEST_F(SafetensorsTest, EveryAttackIsRefusedByReason) {
  const auto one = [](const std::string& fields) { return Bytes("{\"a\":{" + fields + "}}", 8); };
  const std::string valid = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  WriteBytes(path_, one(valid));
  ASSERT_TRUE(Safetensors::Open(path_).ok());
  std::string huge_header = Bytes("{}", 0);
  huge_header[4] = 1;
  std::string long_header = Bytes("{}", 0);
  long_header[0] = 100;
  const std::pair<std::string, const char*> attacks[] = {
      {"", "too few"},
      {"abc", "too few"},
      {huge_header, "too large"},
      {long_header, "should have 100 bytes"},
      {Bytes("", 0), "does not begin"},
      {Bytes(" {}", 0), "does not begin"},
      {Bytes("{\"a\":", 0), "not a JSON object"},
      {Bytes("{\"\xff\":1}", 0), "not a JSON object"},
      {Bytes("{}", 4), "end at byte 0"},
      {Bytes("{\"a\":1}", 0), "not an object"},
      {Bytes(R"({"__metadata__":[]})", 0), "__metadata__"},
      {Bytes(R"({"__metadata__":{"x":1}})", 0), "__metadata__"},
      {Bytes("{\"a\":{" + valid + "},\"a\":{" + valid + "}}", 8), "twice"},
      {one(valid + R"(,"dtype":"F32")"), "twice"},
      {one(R"("shape":[2],"data_offsets":[0,8])"), "dtype is missing"},
      {one(R"("dtype":"F32","data_offsets":[0,8])"), "shape is missing"},
      {one(R"("dtype":"F32","shape":[2])"), "data_offsets is missing"},
      {one(R"("dtype":7,"shape":[2],"data_offsets":[0,8])"), "dtype is not"},
      {one(R"("dtype":"F31","shape":[2],"data_offsets":[0,8])"), "unknown"},
      {one(R"("dtype":"F32","shape":2,"data_offsets":[0,8])"), "shape is not"},
      {one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), "shape holds"},
      {one(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), "shape holds"},
      {one(R"("dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,8])"), "too large"},
      {one(R"("dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8])"), "too large"},
      {one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), "do not hold"},
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), "do not hold"},
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[0])"), "not two"},
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[-8,0])"), "not two"},
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[4,12])"), "ends at byte 12"},
      {one(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"), "belong to no tensor"},
      {one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), "end at byte 4"},
      {Bytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
             R"("b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
             6),
       "overlaps"},
      {Bytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
             R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
             4),
       "overlaps"},
  };
  for (const auto& [bytes, reason] : attacks) {
    WriteBytes(path_, bytes);
    const auto file = Safetensors::Open(path_);
    ASSERT_FALSE(file.ok()) << bytes;
    EXPECT_EQ(file.error().kind, ErrorKind::kBadInput);
    EXPECT_THAT(file.error().message, HasSubstr(path_));
    EXPECT_THAT(file.error().message, HasSubstr(reason));
  }
  EXPECT_FALSE(Safetensors::Open(folder_.File("missing")).ok());
  EXPECT_FALSE(Safetensors::Open(folder_.path()).ok());
}

TEST_F(SafetensorsTest, TruncatedAndSpoiledFilesNeverReadOutside) {
  Write({{"a", DType::kFp32, {2, 3}}, {"b", DType::kFp16, {5}}}, {Draw(0, 6), Draw(1, 5)});
  const std::string good = ReadBytes(path_);
  for (size_t size = 0; size < good.size(); ++size) {
    WriteBytes(path_, good.substr(0, size));
    EXPECT_FALSE(Safetensors::Open(path_).ok()) << size;
  }
  const Rng rng(9, 0);
  std::vector<float> out;
  for (uint64_t i = 0; i < 2000; ++i) {
    std::string bytes = good;
    bytes[rng.Below(2 * i, 8 + 160)] = static_cast<char>(rng.Below(2 * i + 1, 256));
    WriteBytes(path_, bytes);
    const auto file = Safetensors::Open(path_);
    if (!file) continue;
    for (const auto& entry : file->entries()) {
      const auto data = file->Bytes(entry);
      EXPECT_LE(data.data() + data.size(), file->file_bytes().data() + bytes.size());
      out.resize(static_cast<size_t>(NumElements(entry.shape)));
      static_cast<void>(file->Read(entry.name, entry.shape, out));
    }
  }
}

}  // namespace
}  // namespace millwright::checkpoint
