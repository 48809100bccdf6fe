// Core ML packages of every operation's program and of the shared ones: read back, run, and judged
// by coremltools.
#include "mil/package/package.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/wire_message.h"
#include "mil/ops/op.h"
#include "mil/package/prepare.h"
#include "mil/text.h"
#include "mil/verify.h"
#include "tests/mil/coreml_schema.h"
#include "tests/mil/program_runner.h"
#include "tests/mil/shared_programs.h"
#include "tests/mil/vector_file.h"
#include "tests/python_judge.h"
#include "tests/shared_folder.h"

namespace millwright {
namespace {

using Json = nlohmann::json;

// A folder for the packages of one test.
class PackageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "millwright-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  std::string Path(std::string_view name) const { return fmt::format("{}/{}", folder_, name); }

 private:
  std::string folder_;
};

struct OpProgram {
  std::string name;
  VectorFile file;
  mil::Program program;
};

// The programs of tests/mil; empty after a failure.
std::vector<OpProgram> OpPrograms() {
  std::vector<OpProgram> programs;
  for (const mil::OpDef* op : mil::AllOps()) {
    auto file = ReadVectorFile(fmt::format("tests/mil/{}.mil", op->name));
    if (!file) {
      ADD_FAILURE() << file.error().message;
      return {};
    }
    auto program = mil::Parse(file->text, op->name);
    if (!program) {
      ADD_FAILURE() << program.error().message;
      return {};
    }
    programs.push_back({std::string(op->name), *std::move(file), *std::move(program)});
  }
  return programs;
}

// The outputs of a program by name, on the exact reference; ports that were renamed are not found.
std::map<std::string, std::vector<double>> RunByName(
    const mil::Program& program, const mil::WeightStore& weights,
    const std::map<std::string, std::vector<double>>& inputs) {
  const mil::Function& function = program.main();
  Values values;
  for (mil::ValueId input : function.inputs) values.push_back(inputs.at(function.value(input).id));
  auto device = ComputingTargets().front().open({.precision = Precision::kExact});
  auto outputs = RunProgram(**device, program, weights, values);
  if (!outputs) {
    ADD_FAILURE() << outputs.error().message;
    return {};
  }
  std::map<std::string, std::vector<double>> named;
  for (size_t i = 0; i < outputs->size(); ++i) {
    named[function.value(function.outputs[i]).id] = (*outputs)[i];
  }
  return named;
}

TEST_F(PackageTest, ProgramsComeBackAndComputeTheSame) {
  for (const OpProgram& p : OpPrograms()) {
    SCOPED_TRACE(p.name);
    const std::string path = Path(p.name + ".mlpackage");
    const auto written = mil::WritePackage(p.program, {}, path);
    ASSERT_TRUE(written) << written.error().message;
    const auto read = mil::ReadPackage(path);
    ASSERT_TRUE(read) << read.error().message;
    const Status verified = mil::Verify(read->program);
    ASSERT_TRUE(verified) << verified.error().message;
    const auto weights = mil::LoadWeights(read->program, read->weights_folder);
    ASSERT_TRUE(weights) << weights.error().message;
    const auto expected = RunByName(p.program, {}, p.file.inputs);
    const auto found = RunByName(read->program, *weights, p.file.inputs);
    for (const auto& [name, values] : expected) {
      const std::string port = found.contains(name) ? name : name + "_out";
      ASSERT_TRUE(found.contains(port)) << port;
      EXPECT_THAT(found.at(port), ::testing::Pointwise(::testing::NanSensitiveDoubleEq(), values));
    }
    // A program that has been through a package once is not changed by another.
    const auto again = mil::EncodePackage(read->program, *weights);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(CoreMlSchemaProblem(again->model), "");
    const auto twice = mil::DecodePackage(std::as_bytes(std::span(again->model)));
    ASSERT_TRUE(twice) << twice.error().message;
    EXPECT_EQ(mil::Print(*twice), mil::Print(read->program));
  }
}

// The judge of the schema sees what is wrong.
TEST(CoreMlSchemaTest, FindsWhatDoesNotFollowIt) {
  const auto problem = [](const WireMessage& model) { return CoreMlSchemaProblem(model.bytes()); };
  EXPECT_EQ(problem(WireMessage().Integer(1, 9)), "");
  EXPECT_EQ(problem(WireMessage().Text(1, "9")), ".specificationVersion: another wire type");
  EXPECT_EQ(problem(WireMessage().Integer(1, 9).Integer(1, 9)),
            ".specificationVersion: a second value");
  EXPECT_EQ(problem(WireMessage().Message(502, WireMessage().Integer(3, 1))),
            ".mlProgram: Program has no field 3");
  EXPECT_EQ(CoreMlSchemaProblem("\x12\x05x"), ".description: longer than what is left");
  const WireMessage both = WireMessage().Text(1, "x").Message(2, WireMessage());
  const WireMessage argument = WireMessage().Message(1, both);
  const WireMessage operation =
      WireMessage().Message(2, WireMessage().Text(1, "x").Message(2, argument));
  const WireMessage block = WireMessage().Message(3, operation);
  const WireMessage function =
      WireMessage().Message(3, WireMessage().Text(1, "CoreML8").Message(2, block));
  const WireMessage program =
      WireMessage().Message(2, WireMessage().Text(1, "main").Message(2, function));
  EXPECT_EQ(problem(WireMessage().Message(502, program)),
            ".mlProgram.functions.value.block_specializations.value.operations.inputs.value."
            "arguments.value: a second value");
}

TEST_F(PackageTest, SharedProgramsExport) {
  if (!SharedFolder()) GTEST_SKIP() << "no shared folder: set MILLWRIGHT_SHARED or put it at ..";
  for (const std::string& name : SharedProgramNames()) {
    SCOPED_TRACE(name);
    const auto program = LoadSharedProgram(name);
    ASSERT_TRUE(program) << program.error().message;
    const auto weights = SharedProgramWeights(*program, name);
    ASSERT_TRUE(weights) << weights.error().message;
    const auto package = mil::EncodePackage(*program, *weights, /*lenient_blobs=*/true);
    ASSERT_TRUE(package) << package.error().message;
    EXPECT_EQ(CoreMlSchemaProblem(package->model), "");
    const auto back = mil::DecodePackage(std::as_bytes(std::span(package->model)));
    ASSERT_TRUE(back) << back.error().message;
    const auto prepared = mil::PrepareForCoreMl(*program);
    ASSERT_TRUE(prepared) << prepared.error().message;
    EXPECT_EQ(back->main().values, prepared->program.main().values);
    const Status verified = mil::Verify(*back);
    EXPECT_TRUE(verified) << verified.error().message;
  }
}

Json TypeJson(const mil::Type& type) { return {DTypeName(type.dtype), type.shape}; }

Json PortJson(const mil::Value& value) {
  return {value.id, DTypeName(value.type.dtype), value.type.shape};
}

// As tools/judge_mlpackage.py prints a value.
Json ConstantJson(const mil::Constant& constant, const mil::WeightStore& weights) {
  constexpr size_t kHead = 4096;
  const auto bytes = weights.Read(constant, /*lenient=*/true);
  if (!bytes) return bytes.error().message;
  std::string head;
  for (std::byte byte : bytes->first(std::min(bytes->size(), kHead))) {
    head += fmt::format("{:02x}", static_cast<int>(byte));
  }
  return {{"type", TypeJson(constant.type())}, {"bytes", bytes->size()}, {"head", head}};
}

Json OperationJson(const mil::Function& function, const mil::Operation& operation,
                   const mil::WeightStore& weights) {
  Json json = {{"op", operation.op},
               {"inputs", Json::object()},
               {"attributes", Json::object()},
               {"outputs", Json::array()}};
  for (const mil::Argument& argument : operation.arguments) {
    Json& bindings = json["inputs"][argument.key];
    if (const auto* value = std::get_if<mil::ValueId>(&argument.value)) {
      bindings.push_back(function.value(*value).id);
    } else if (const auto* literal = std::get_if<mil::Constant>(&argument.value)) {
      bindings.push_back(ConstantJson(*literal, weights));
    } else {
      for (mil::ValueId element : std::get<std::vector<mil::ValueId>>(argument.value)) {
        bindings.push_back(function.value(element).id);
      }
    }
  }
  for (const mil::Attribute& attribute : operation.attributes) {
    json["attributes"][attribute.key] = ConstantJson(attribute.value, weights);
  }
  for (mil::ValueId output : operation.outputs) {
    json["outputs"].push_back(PortJson(function.value(output)));
  }
  return json;
}

// What the judge must find in the package of a program with one function.
Json ExpectedJson(const mil::Program& program, const mil::WeightStore& weights) {
  const auto prepared = mil::PrepareForCoreMl(program);
  if (!prepared) return prepared.error().message;
  const mil::Function& function = prepared->program.main();
  const int opset = mil::OpsetNumber(function.opset);
  Json ports = {{"inputs", Json::array()}, {"outputs", Json::array()}}, inputs = Json::array(),
       outputs = Json::array(), operations = Json::array();
  for (mil::ValueId input : function.inputs) {
    ports["inputs"].push_back(PortJson(function.value(input)));
    inputs.push_back(PortJson(function.value(input)));
  }
  for (mil::ValueId output : function.outputs) {
    ports["outputs"].push_back(PortJson(function.value(output)));
    outputs.push_back(function.value(output).id);
  }
  for (const mil::Operation& operation : function.operations) {
    operations.push_back(OperationJson(function, operation, weights));
  }
  return {{"specification_version", opset - 9},
          {"ports", {{"main", ports}}},
          {"functions",
           {{"main",
             {{"opset", fmt::format("CoreML{}", opset - 10)},
              {"inputs", inputs},
              {"outputs", outputs},
              {"operations", operations}}}}},
          {"canonical", true},
          {"error", nullptr}};
}

// Programs whose types coremltools 9.0 cannot check: it has no product of a vector, its own default
// of layer_norm's axes, a Python range, is no value to it, and in ios18 it forgets ios16's form of
// compressed weights.
bool IsChecked(const std::string& op) {
  return op != "matmul" && op != "layer_norm" && op != "constexpr_lut_to_dense" &&
         op != "constexpr_sparse_to_dense";
}

// Runs the judge on the packages `names`, whose programs and weights are given.
void ExpectVerdicts(const std::vector<std::string>& paths, const std::vector<Json>& expected) {
  std::vector<std::string> arguments = {"tools/judge_mlpackage.py"};
  arguments.insert(arguments.end(), paths.begin(), paths.end());
  Json verdicts = testing::RunPythonJudge(arguments);
  ASSERT_EQ(verdicts.size(), expected.size()) << "the judge failed";
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!expected[i].contains("error")) verdicts[i].erase("error");
    EXPECT_EQ(verdicts[i], expected[i]) << paths[i] << "\n" << Json::diff(expected[i], verdicts[i]);
  }
}

TEST_F(PackageTest, CoremltoolsReadsWhatWasWritten) {
  if (!testing::PythonImports("coremltools")) GTEST_SKIP() << "python cannot import coremltools";
  std::vector<std::string> paths;
  std::vector<Json> expected;
  for (const OpProgram& p : OpPrograms()) {
    paths.push_back(Path(p.name + ".mlpackage"));
    const auto written = mil::WritePackage(p.program, {}, paths.back());
    ASSERT_TRUE(written) << written.error().message;
    expected.push_back(ExpectedJson(p.program, {}));
    if (!IsChecked(p.name)) expected.back().erase("error");
  }
  ExpectVerdicts(paths, expected);
}

TEST_F(PackageTest, CoremltoolsReadsTheSharedPrograms) {
  if (!SharedFolder()) GTEST_SKIP() << "no shared folder: set MILLWRIGHT_SHARED or put it at ..";
  if (!testing::PythonImports("coremltools")) GTEST_SKIP() << "python cannot import coremltools";
  std::vector<std::string> paths;
  std::vector<Json> expected;
  for (const std::string& name : SharedProgramNames()) {
    if (name.find("lassifier") != std::string::npos) continue;  // as the others, but large
    const auto program = LoadSharedProgram(name);
    ASSERT_TRUE(program) << program.error().message;
    const auto weights = SharedProgramWeights(*program, name);
    ASSERT_TRUE(weights) << weights.error().message;
    paths.push_back(Path(fmt::format("{}.mlpackage", paths.size())));
    const auto written = mil::WritePackage(*program, *weights, paths.back(), true);
    ASSERT_TRUE(written) << written.error().message;
    expected.push_back(ExpectedJson(*program, *weights));
  }
  ExpectVerdicts(paths, expected);
}

}  // namespace
}  // namespace millwright
