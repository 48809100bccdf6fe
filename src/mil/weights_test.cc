#include "mil/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/rng.h"
#include "tests/shared_folder.h"

namespace millwright::mil {
namespace {

using testing::HasSubstr;

constexpr const char* kPath = "@model_path/weights/w.bin";

std::vector<std::byte> Bytes(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

template <class T>
void Poke(std::vector<std::byte>* file, size_t offset, T value) {
  std::memcpy(file->data() + offset, &value, sizeof(value));
}

// A file with one blob of two halves, 1 and 2.
std::vector<std::byte> TwoHalves() {
  BlobWriter writer;
  EXPECT_EQ(writer.Add(DType::kFp16, Bytes({0x00, 0x3C, 0x00, 0x40})), 64u);
  return std::move(writer).Finish();
}

Result<std::span<const std::byte>> ReadFrom(const WeightStore& store, Type type, uint64_t offset,
                                            bool lenient = false) {
  return store.Read(Constant::Blob(std::move(type), {kPath, offset}), lenient);
}

// The message with which reading two halves from `file` fails.
std::string Refusal(std::vector<std::byte> file, uint64_t offset = 64,
                    Type type = {DType::kFp16, {2}}) {
  WeightStore store;
  store.Put(kPath, std::move(file));
  const auto data = ReadFrom(store, std::move(type), offset);
  return data ? "accepted" : data.error().message;
}

TEST(WeightsTest, EveryByteOfAFile) {
  BlobWriter writer;
  EXPECT_EQ(writer.Add(DType::kInt8, Bytes({1, 2, 3})), 64u);
  EXPECT_EQ(writer.Add(DType::kFp16, Bytes({0x00, 0x3C})), 192u);
  std::vector<std::byte> expected(64 + 64 + 64 + 64 + 2);
  Poke<uint32_t>(&expected, 0, 2);
  Poke<uint32_t>(&expected, 4, 2);
  Poke<uint32_t>(&expected, 64, 0xDEADBEEF);
  Poke<uint32_t>(&expected, 68, 4);
  Poke<uint64_t>(&expected, 72, 3);
  Poke<uint64_t>(&expected, 80, 128);
  expected[128] = std::byte{1};
  expected[129] = std::byte{2};
  expected[130] = std::byte{3};
  Poke<uint32_t>(&expected, 192, 0xDEADBEEF);
  Poke<uint32_t>(&expected, 196, 1);
  Poke<uint64_t>(&expected, 200, 2);
  Poke<uint64_t>(&expected, 208, 256);
  expected[257] = std::byte{0x3C};
  EXPECT_EQ(std::move(writer).Finish(), expected);
}

TEST(WeightsTest, ReadsEveryBlobBack) {
  const std::vector<std::pair<DType, std::vector<std::byte>>> blobs = {
      {DType::kFp32, Bytes({1, 2, 3, 4})},       {DType::kUint8, Bytes({9})},
      {DType::kBf16, Bytes({1, 2, 3, 4, 5, 6})}, {DType::kInt16, Bytes({7, 8})},
      {DType::kUint16, Bytes({7, 9})},           {DType::kInt32, Bytes({4, 3, 2, 1})}};
  BlobWriter writer;
  std::vector<uint64_t> offsets;
  offsets.reserve(blobs.size());
  for (const auto& [dtype, data] : blobs) offsets.push_back(writer.Add(dtype, data));
  WeightStore store;
  store.Put(kPath, std::move(writer).Finish());
  for (size_t i = 0; i < blobs.size(); ++i) {
    const auto& [dtype, data] = blobs[i];
    const auto count = static_cast<int64_t>(data.size() / DTypeSize(dtype));
    const auto read = ReadFrom(store, {dtype, {count}}, offsets[i]);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_THAT(std::vector(read->begin(), read->end()), testing::ElementsAreArray(data));
  }
}

TEST(WeightsTest, PartsOfAByteSayHowManyBitsAreUnused) {
  const Constant elements =
      Constant::Tensor({DType::kUint3, {5}}, std::vector<double>{7, 6, 5, 4, 3});
  for (const uint64_t unused : {1, 0}) {
    BlobWriter writer;
    const uint64_t at = writer.Add(DType::kUint3, elements.bytes(), unused);
    WeightStore store;
    store.Put("w", std::move(writer).Finish());
    const auto data = store.Read(Constant::Blob({DType::kUint3, {5}}, {"w", at}));
    ASSERT_EQ(static_cast<bool>(data), unused == 1);
    if (unused == 1) {
      EXPECT_TRUE(std::ranges::equal(*data, elements.bytes()));
    } else {
      EXPECT_NE(data.error().message.find("has 0 unused bits"), std::string::npos);
    }
  }
}

TEST(WeightsTest, AnImmediateIsItsOwnData) {
  const Constant constant = Constant::Scalar(DType::kFp16, 1.0);
  const auto data = WeightStore().Read(constant);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->data(), constant.bytes().data());
}

TEST(WeightsTest, RefusesCorruptFilesByName) {
  const std::vector<std::byte> good = TwoHalves();
  EXPECT_EQ(Refusal(good), "accepted");
  EXPECT_THAT(Refusal({}), HasSubstr("@model_path/weights/w.bin: a file of 0 bytes is too short"));
  auto bad = good;
  Poke<uint32_t>(&bad, 4, 1);
  EXPECT_THAT(Refusal(bad), HasSubstr("storage version 1, expected 2"));
  bad = good;
  Poke<uint32_t>(&bad, 0, 0);
  EXPECT_THAT(Refusal(bad), HasSubstr("counts no blob"));
  bad = good;
  Poke<uint32_t>(&bad, 64, 0x12345678);
  EXPECT_THAT(Refusal(bad), HasSubstr("expected 0xDEADBEEF, found 0x12345678"));
  bad = good;
  Poke<uint32_t>(&bad, 68, 2);
  EXPECT_THAT(Refusal(bad), HasSubstr("has dtype number 2, fp16 is 1"));
  bad = good;
  Poke<uint64_t>(&bad, 72, 6);
  EXPECT_THAT(Refusal(bad), HasSubstr("has 6 bytes, tensor<fp16, [2]> needs 4"));
  bad = good;
  Poke<uint64_t>(&bad, 80, 130);
  EXPECT_THAT(Refusal(bad), HasSubstr("data offset 130"));
  bad = good;
  Poke<uint64_t>(&bad, 80, ~uint64_t{63});
  EXPECT_THAT(Refusal(bad), HasSubstr("outside the file of 132 bytes"));
}

TEST(WeightsTest, RefusesWrongReferences) {
  const std::vector<std::byte> good = TwoHalves();
  EXPECT_THAT(Refusal(good, 128), HasSubstr("lies outside the file"));
  EXPECT_THAT(Refusal(good, ~uint64_t{63}), HasSubstr("lies outside the file"));
  EXPECT_THAT(Refusal(good, 65), HasSubstr("offset 65 is not a multiple of 64"));
  EXPECT_THAT(Refusal(good, 0), HasSubstr("no blob record at offset 0"));
  EXPECT_THAT(Refusal(good, 64, {DType::kFp16, {3}}), HasSubstr("needs 6"));
  EXPECT_THAT(Refusal(good, 64, {DType::kBool, {4}}), HasSubstr("not storable"));
  const auto missing = ReadFrom(WeightStore(), {DType::kFp16, {2}}, 64);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("'@model_path/weights/w.bin' is not given"));
}

TEST(WeightsTest, EveryTruncationIsRefused) {
  const std::vector<std::byte> good = TwoHalves();
  for (size_t size = 0; size < good.size(); ++size) {
    const std::vector<std::byte> cut(good.begin(), good.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_NE(Refusal(cut), "accepted") << size;
    WeightStore store;
    store.Put(kPath, cut);
    EXPECT_FALSE(ReadFrom(store, {DType::kFp16, {2}}, 64, true)) << size;
  }
}

TEST(WeightsTest, RandomEditsNeverLeaveTheFile) {
  const Rng rng(5, StreamId("blob"));
  for (uint64_t round = 0; round < 2000; ++round) {
    std::vector<std::byte> file = TwoHalves();
    for (uint64_t edit = 0; edit < 3; ++edit) {
      const uint64_t bits = rng.Bits(round * 3 + edit);
      file[(bits >> 8) % file.size()] = static_cast<std::byte>(bits & 0xFF);
    }
    WeightStore store;
    store.Put(kPath, file);
    const auto all = store.files().at(kPath).bytes;
    for (bool lenient : {false, true}) {
      const auto data = ReadFrom(store, {DType::kFp16, {2}}, 64, lenient);
      if (!data) continue;
      ASSERT_GE(data->data(), all.data());
      ASSERT_LE(data->data() + data->size(), all.data() + all.size());
    }
  }
}

TEST(WeightsTest, LenientTakesHeadersOfPublicPrograms) {
  // As the public benchmarks write it: the size is nonsense, the offset is missing.
  std::vector<std::byte> sloppy(64 + 64 + 4);
  Poke<uint32_t>(&sloppy, 64, 0xDEADBEEF);
  sloppy[68] = std::byte{1};
  sloppy[74] = std::byte{8};
  sloppy[128] = std::byte{42};
  WeightStore store;
  store.Put(kPath, sloppy);
  EXPECT_FALSE(ReadFrom(store, {DType::kFp16, {2}}, 64));
  const auto data = ReadFrom(store, {DType::kFp16, {2}}, 64, true);
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ((*data)[0], std::byte{42});

  // The record at byte 0, no storage header.
  std::vector<std::byte> headless(64 + 4);
  Poke<uint32_t>(&headless, 0, 0xDEADBEEF);
  headless[64] = std::byte{43};
  store.Put(kPath, headless);
  const auto behind = ReadFrom(store, {DType::kInt8, {4}}, 64, true);
  ASSERT_TRUE(behind) << behind.error().message;
  EXPECT_EQ((*behind)[0], std::byte{43});
}

Program Naming(const std::string& path) {
  Function function;
  function.values = {{"w", {DType::kFp16, {2}}}};
  function.operations = {
      {"const", {}, {{"val", Constant::Blob({DType::kFp16, {2}}, {path, 64})}}, {0}}};
  function.outputs = {0};
  return {.functions = {function}};
}

std::filesystem::path FreshFolder(const std::string& name) {
  auto folder = std::filesystem::path(testing::TempDir()) / (name + "_" + std::to_string(getpid()));
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

TEST(WeightsTest, SavesAndLoadsAFolder) {
  const auto folder = FreshFolder("weights_saved");
  WeightStore store;
  store.Put(kPath, TwoHalves());
  ASSERT_TRUE(SaveWeights(store, folder.string()));
  EXPECT_TRUE(std::filesystem::exists(folder / "weights" / "w.bin"));
  const auto loaded = LoadWeights(Naming(kPath), folder.string());
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto data = ReadFrom(*loaded, {DType::kFp16, {2}}, 64);
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->size(), 4u);

  std::filesystem::rename(folder / "weights" / "w.bin", folder / "w.bin");
  EXPECT_TRUE(LoadWeights(Naming(kPath), folder.string()));
  std::filesystem::remove(folder / "w.bin");
  const auto missing = LoadWeights(Naming(kPath), folder.string());
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr(kPath));
  std::filesystem::remove_all(folder);
}

TEST(WeightsTest, PathsStayInsideTheFolder) {
  for (const char* path :
       {"@model_path/../w.bin", "/etc/passwd", "@model_path/", "", "a/../../b"}) {
    EXPECT_FALSE(LoadWeights(Naming(path), testing::TempDir())) << path;
    WeightStore store;
    store.Put(path, TwoHalves());
    EXPECT_FALSE(SaveWeights(store, testing::TempDir() + "weights_outside")) << path;
  }
}

TEST(WeightsTest, SharedBlobsAreOurFormat) {
  const auto shared = SharedFolder();
  if (!shared) GTEST_SKIP() << "no folder of shared sample data";
  const auto folder = *shared / "mil" / "dynamic_stories110m";
  const auto loaded = LoadWeights(Naming("@model_path/weights/rope_cos.bin"), folder.string());
  ASSERT_TRUE(loaded) << loaded.error().message;
  const Type type{DType::kFp16, {1, 1, 256, 64}};
  const auto data = loaded->Read(Constant::Blob(type, {"@model_path/weights/rope_cos.bin", 64}));
  ASSERT_TRUE(data) << data.error().message;
  BlobWriter writer;
  writer.Add(type.dtype, *data);
  const auto again = std::move(writer).Finish();
  const auto& file = loaded->files().begin()->second.bytes;
  EXPECT_TRUE(std::equal(again.begin(), again.end(), file.begin(), file.end()));
}

}  // namespace
}  // namespace millwright::mil
