#include "mil/package/package.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "mil/builder.h"
#include "mil/text.h"

namespace millwright::mil {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class PackageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "millwright-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  size_t Entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }

 private:
  std::string folder_;
};

// y = x * w + c with a large constant, a small one and one of nine halves.
Builder::Built ScaledSum() {
  Builder b("ios17");
  const ValueId x = b.Input("x", {DType::kFp16, {1, 12}});
  const ValueId w = b.Weights("w.bin", {DType::kFp16, {1, 12}}, std::vector<double>(12, 0.5));
  const ValueId c =
      b.Const(Constant::Tensor({DType::kFp16, {1, 12}}, std::vector<double>(12, 3)), "bias");
  const ValueId scaled = b.Mul("scaled", x, w);
  const auto y = b.Add("y", scaled, c);
  auto built = std::move(b).Finish({y});
  EXPECT_TRUE(built) << built.error().message;
  return *std::move(built);
}

std::string TextOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::span<const std::byte> Bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST_F(PackageTest, WritesTheFolderThatCoreMlKnows) {
  const auto built = ScaledSum();
  const auto written = WritePackage(built.program, built.weights, Path("a.mlpackage/"));
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(written->specification_version, 8);
  const auto manifest = nlohmann::json::parse(TextOf(Path("a.mlpackage/Manifest.json")));
  EXPECT_EQ(manifest["fileFormatVersion"], "1.0.0");
  const std::string root = manifest["rootModelIdentifier"];
  EXPECT_EQ(manifest["itemInfoEntries"][root]["path"], "com.apple.CoreML/model.mlmodel");
  EXPECT_EQ(manifest["itemInfoEntries"].size(), 2u);
  for (const auto& [id, item] : manifest["itemInfoEntries"].items()) {
    EXPECT_TRUE(fs::exists(Path("a.mlpackage/Data/" + item["path"].get<std::string>()))) << id;
  }
  EXPECT_EQ(fs::file_size(Path("a.mlpackage/Data/com.apple.CoreML/weights/weight.bin")),
            written->weight_bytes);
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(PackageTest, LargeConstantsLieInTheWeightFileOnce) {
  const auto built = ScaledSum();
  const auto package = EncodePackage(built.program, built.weights);
  ASSERT_TRUE(package) << package.error().message;
  // Two blobs of 24 bytes, each behind a record of 64, behind the file's header of 64.
  EXPECT_EQ(package->weights.size(), 64u + (64 + 64) + 64 + 24);
  const auto program = DecodePackage(Bytes(package->model));
  ASSERT_TRUE(program) << program.error().message;
  WeightStore store;
  store.Put("@model_path/weights/weight.bin", package->weights);
  int blobs = 0;
  for (const Operation& operation : program->main().operations) {
    const Constant* value = operation.FindAttribute("val");
    if (value == nullptr) continue;
    EXPECT_EQ(value->blob().has_value(), value->type().elements() >= 10);
    if (!value->blob()) continue;
    ++blobs;
    const auto data = store.Read(*value);
    ASSERT_TRUE(data) << data.error().message;
    EXPECT_EQ(LoadElement(DType::kFp16, data->data(), 11), blobs == 1 ? 0.5 : 3.0);
  }
  EXPECT_EQ(blobs, 2);
}

TEST_F(PackageTest, ProgramsWithoutLargeConstantsHaveNoWeights) {
  const auto program = Parse(
      "program(1.3) { func main<ios15>(tensor<fp32, [2]> a) { tensor<fp32, [2]> b = "
      "relu(x=a); } -> (b); }");
  ASSERT_TRUE(program);
  const auto written = WritePackage(*program, {}, Path("a.mlpackage"));
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(written->weight_bytes, 0u);
  EXPECT_FALSE(fs::exists(Path("a.mlpackage/Data/com.apple.CoreML/weights")));
  EXPECT_TRUE(ReadPackage(Path("a.mlpackage")));
  EXPECT_TRUE(ReadPackage(Path("a.mlpackage/Data/com.apple.CoreML/model.mlmodel")));
}

TEST_F(PackageTest, TheSameProgramGivesTheSameBytes) {
  const auto built = ScaledSum();
  const auto first = EncodePackage(built.program, built.weights);
  const auto second = EncodePackage(built.program, built.weights);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->model, second->model);
  EXPECT_EQ(first->weights, second->weights);
}

TEST_F(PackageTest, SeveralFunctionsKeepTheirOrder) {
  const std::string function = "(tensor<fp32, [2]> a) { tensor<fp32, [2]> b = relu(x=a); } -> (b);";
  const auto program = Parse("program(1.3) { func zulu<ios18>" + function + " func main<ios18>" +
                             function + " func alpha<ios18>" + function + " }");
  ASSERT_TRUE(program);
  const auto package = EncodePackage(*program, {});
  ASSERT_TRUE(package) << package.error().message;
  EXPECT_EQ(package->specification_version, 9);
  const auto back = DecodePackage(Bytes(package->model));
  ASSERT_TRUE(back) << back.error().message;
  std::vector<std::string> names;
  for (const Function& f : back->functions) names.push_back(f.name);
  // The default function, main, is the one that runs: it comes first.
  EXPECT_THAT(names, ::testing::ElementsAre("main", "zulu", "alpha"));
}

TEST_F(PackageTest, WritesNothingWhereItRefuses) {
  const auto built = ScaledSum();
  fs::create_directory(Path("there"));
  const auto existing = WritePackage(built.program, built.weights, Path("there"));
  ASSERT_FALSE(existing);
  EXPECT_EQ(existing.error().message, Path("there") + ": exists");
  const auto orphan = WritePackage(built.program, built.weights, Path("no/a.mlpackage"));
  ASSERT_FALSE(orphan);
  EXPECT_THAT(orphan.error().message, HasSubstr("there is no folder " + Path("no")));
  const auto weightless = WritePackage(built.program, {}, Path("a.mlpackage"));
  ASSERT_FALSE(weightless);
  EXPECT_THAT(weightless.error().message, HasSubstr("w.bin' is not given"));
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(PackageTest, RefusesFoldersThatAreNoPackages) {
  const auto message = [&] {
    const auto read = ReadPackage(Path("a.mlpackage"));
    return read ? "accepted" : read.error().message;
  };
  EXPECT_THAT(message(), HasSubstr("a.mlpackage"));
  fs::create_directory(Path("a.mlpackage"));
  EXPECT_THAT(message(), HasSubstr("Manifest.json"));
  const auto write_manifest = [&](const std::string& text) {
    std::ofstream(Path("a.mlpackage/Manifest.json")) << text;
  };
  write_manifest("[1, 2");
  EXPECT_THAT(message(), HasSubstr("no 'rootModelIdentifier'"));
  write_manifest(R"({"rootModelIdentifier": "a", "itemInfoEntries": {"b": {}}})");
  EXPECT_THAT(message(), HasSubstr("no item with a path for the root model a"));
  write_manifest(R"({"rootModelIdentifier": "a", "itemInfoEntries": {"a": {"path": "../x"}}})");
  EXPECT_THAT(message(), HasSubstr("the path '../x' leaves the package"));
  write_manifest(R"({"rootModelIdentifier": "a", "itemInfoEntries": {"a": {"path": "x"}}})");
  EXPECT_THAT(message(), HasSubstr("Data/x"));
}

// Every prefix of a model, and every model with one byte changed, is refused or read: a reader that
// trusted a length or an index would fail here under the sanitizers.
TEST_F(PackageTest, DamagedModelsAreRefusedOrRead) {
  const auto built = ScaledSum();
  const auto package = EncodePackage(built.program, built.weights);
  ASSERT_TRUE(package) << package.error().message;
  size_t refused = 0;
  for (size_t size = 0; size < package->model.size(); ++size) {
    refused += DecodePackage(Bytes(package->model).first(size)) ? 0 : 1;
  }
  // A prefix that ends between fields of the outermost message is a message, but not a program.
  EXPECT_EQ(refused, package->model.size());
  for (size_t at = 0; at < package->model.size(); ++at) {
    std::string damaged = package->model;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    const auto read = DecodePackage(Bytes(damaged));
    if (read) {
      EXPECT_FALSE(Print(*read).empty());
    } else {
      EXPECT_FALSE(read.error().message.empty());
    }
  }
}

TEST_F(PackageTest, RefusesWhatIsNoProgram) {
  const auto message = [](const std::string& bytes) {
    const auto read = DecodePackage(Bytes(bytes));
    return read ? "accepted" : read.error().message;
  };
  EXPECT_THAT(message("\xFF\xFF"), HasSubstr("the protocol buffer cannot be read"));
  // Field 1, varint 4: a model of version 4 without a program.
  EXPECT_EQ(message("\x08\x04"), "specification version 4: not an ML Program");
  // Field 502, an empty message: a program without functions.
  EXPECT_EQ(message(std::string("\xB2\x1F\x00", 3)), "the program has no function");
}

}  // namespace
}  // namespace millwright::mil
