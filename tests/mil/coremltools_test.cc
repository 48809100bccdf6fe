// The programs of this folder against coremltools' own type and value inference, where the Python
// that MILLWRIGHT_PYTHON names has coremltools.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "mil/ops/op.h"
#include "mil/text.h"
#include "tests/mil/vector_file.h"
#include "tests/python_judge.h"

namespace millwright {
namespace {

using nlohmann::json;

json ToJson(const mil::Type& type) {
  return {{"dtype", std::string(DTypeName(type.dtype))}, {"shape", type.shape}};
}

json ToJson(const mil::Constant& constant) {
  json spec = ToJson(constant.type());
  if (constant.type().dtype == DType::kString) {
    spec["values"] = constant.as_string();
  } else {
    spec["values"] = mil::ToArray(constant).data;
  }
  return spec;
}

json ToJson(const mil::Function& function, const mil::Argument& argument) {
  if (const auto* value = std::get_if<mil::ValueId>(&argument.value)) {
    return {{"value", function.value(*value).id}};
  }
  if (const auto* literal = std::get_if<mil::Constant>(&argument.value)) {
    return {{"literal", ToJson(*literal)}};
  }
  json names = json::array();
  for (mil::ValueId value : std::get<std::vector<mil::ValueId>>(argument.value)) {
    names.push_back(function.value(value).id);
  }
  return {{"tuple", names}};
}

json ToJson(const mil::Function& function, const mil::Operation& operation) {
  json arguments = json::object();
  for (const mil::Argument& argument : operation.arguments) {
    arguments[argument.key] = ToJson(function, argument);
  }
  for (const mil::Attribute& attribute : operation.attributes) {
    if (attribute.key != "name") arguments[attribute.key] = {{"literal", ToJson(attribute.value)}};
  }
  json results = json::array();
  for (mil::ValueId value : operation.outputs) {
    results.push_back(ToJson(function.value(value).type));
    results.back()["id"] = function.value(value).id;
  }
  return {{"op", operation.op}, {"arguments", arguments}, {"results", results}};
}

json ToJson(const std::string& name, const mil::Function& function, const VectorFile& file) {
  json inputs = json::array();
  for (mil::ValueId value : function.inputs) {
    const mil::Value& input = function.value(value);
    inputs.push_back(ToJson(input.type));
    inputs.back()["id"] = input.id;
    inputs.back()["values"] = file.inputs.at(input.id);
  }
  json operations = json::array();
  for (const mil::Operation& operation : function.operations) {
    operations.push_back(ToJson(function, operation));
  }
  json expected = json::object();
  for (const auto& [id, values] : file.expected) {
    const auto finite = [](double value) { return std::isfinite(value); };
    if (std::ranges::all_of(values, finite)) expected[id] = values;
  }
  return {{"name", name}, {"inputs", inputs}, {"operations", operations}, {"expected", expected}};
}

TEST(CoremltoolsTest, InfersTheTypesAndValuesOfTheVectors) {
  if (!testing::PythonImports("coremltools")) {
    GTEST_SKIP() << "MILLWRIGHT_PYTHON names no Python with coremltools";
  }
  json programs = json::array();
  for (const mil::OpDef* op : mil::AllOps()) {
    const std::string name(op->name);
    const auto file = ReadVectorFile(std::filesystem::path("tests/mil") / (name + ".mil"));
    ASSERT_TRUE(file) << file.error().message;
    const auto program = mil::Parse(file->text, name);
    ASSERT_TRUE(program) << program.error().message;
    programs.push_back(ToJson(name, program->main(), *file));
  }
  const std::string path = ::testing::TempDir() + "millwright_mil_programs.json";
  std::ofstream(path) << programs;
  const json verdict = testing::RunPythonJudge({"tests/mil/judge_ops.py", path});
  ASSERT_FALSE(verdict.is_null()) << "the judge failed";
  for (const json& difference : verdict["differences"]) ADD_FAILURE() << difference;
  EXPECT_EQ(verdict["typed"].size(), mil::AllOps().size());
  // It has no value inference for convolutions, pools, resizing and what moves blocks or slices.
  EXPECT_GE(verdict["valued"].size(), mil::AllOps().size() * 3 / 4);
}

}  // namespace
}  // namespace millwright
