// millwright mil export, import, and run --explain.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "checkpoint/test_folder.h"
#include "tests/app/run_command.h"
#include "tests/training/tiny_models.h"

namespace millwright::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kProgram =
    "program(1.3) { func main<ios18>(tensor<fp16, [2, 3]> a, tensor<fp16, [3, 2]> b) { "
    "tensor<fp16, [3, 2]> t = transpose(x=a, perm=[1, 0]); "
    "tensor<fp16, [3, 2]> m = mul(x=t, y=b); tensor<fp16, [3, 2]> s = sigmoid(x=m); } -> (s); }";

class MilPackageCommand : public ::testing::Test {
 protected:
  void SetUp() override { checkpoint::WriteBytes(File("p.mil"), kProgram); }
  std::string File(const std::string& name) const { return folder_.File(name); }
  static CommandResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "mil");
    return RunCommand(TinyMha(), std::move(arguments));
  }

 private:
  checkpoint::TestFolder folder_;
};

TEST_F(MilPackageCommand, ExportsAndImports) {
  const CommandResult exported = Run({"export", File("p.mil"), File("p.mlpackage")});
  ASSERT_EQ(exported.exit_code, 0) << exported.err;
  EXPECT_THAT(exported.out, HasSubstr("specification version 9"));
  EXPECT_TRUE(fs::exists(File("p.mlpackage/Data/com.apple.CoreML/model.mlmodel")));
  const CommandResult printed = Run({"import", File("p.mlpackage")});
  ASSERT_EQ(printed.exit_code, 0) << printed.err;
  EXPECT_THAT(printed.out, HasSubstr("tensor<fp16, [3, 2]> m = mul(x = t, y = b)"));
  EXPECT_THAT(printed.err, HasSubstr("weights: --weights"));
  const CommandResult written = Run({"import", File("p.mlpackage"), File("q.mil")});
  ASSERT_EQ(written.exit_code, 0) << written.err;
  EXPECT_EQ(checkpoint::ReadBytes(File("q.mil")), printed.out);
  EXPECT_EQ(Run({"check", File("q.mil")}).exit_code, 0);
}

TEST_F(MilPackageCommand, RefusesInOneLineAndWritesNothing) {
  fs::create_directory(File("there"));
  const CommandResult existing = Run({"export", File("p.mil"), File("there")});
  EXPECT_EQ(existing.exit_code, 2);
  EXPECT_THAT(existing.err, HasSubstr("there: exists"));
  checkpoint::WriteBytes(File("bad.mil"),
                         "program(1.3) { func main<ios18>(tensor<fp16, [2]> a) { "
                         "tensor<fp16, [3]> b = relu(x=a); } -> (b); }");
  EXPECT_EQ(Run({"export", File("bad.mil"), File("bad.mlpackage")}).exit_code, 2);
  EXPECT_FALSE(fs::exists(File("bad.mlpackage")));
  const CommandResult over = Run({"import", File("there"), File("p.mil")});
  EXPECT_EQ(over.exit_code, 2);
  EXPECT_THAT(over.err, HasSubstr("p.mil: exists"));
  EXPECT_EQ(Run({"import", File("there")}).exit_code, 2);
}

TEST_F(MilPackageCommand, ExplainsWhatTheCompilerDoes) {
  const CommandResult text = Run({"run", File("p.mil"), "--explain"});
  ASSERT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("a view: the axes in another order"));
  EXPECT_THAT(text.out, HasSubstr("with s; part of an elementwise group"));
  EXPECT_THAT(text.out, HasSubstr("bytes for buffers"));
  const CommandResult json = Run({"run", File("p.mil"), "--explain", "--json"});
  ASSERT_EQ(json.exit_code, 0) << json.err;
  const auto report = nlohmann::json::parse(json.out);
  ASSERT_EQ(report["operations"].size(), 3u);
  EXPECT_EQ(report["operations"][1]["computed_with"], "s");
  EXPECT_EQ(report["operations"][1]["rules"][0], "FuseElementwise");
  EXPECT_EQ(report["steps"].size(), 1u);
  EXPECT_EQ(Run({"run", File("p.mil"), "--explain", "--device", "reference"}).exit_code, 2);
}

}  // namespace
}  // namespace millwright::testing
