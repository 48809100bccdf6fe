// The device, on the emulator: what it computes, what it reports, what it survives.
#include "device/ane/ane_device.h"

#include <gmock/gmock.h>

#include "device/ane/test_emulator.h"
#include "device/ane/test_program.h"
#include "device/reference/reference_device.h"

namespace millwright::device::ane {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// What the reference makes of the program in the engine's arithmetic.
std::vector<Values> Expected(const mil::Builder::Built& built, const std::vector<Values>& inputs) {
  auto reference = OpenReferenceDevice({.precision = Precision::kAne});
  EXPECT_TRUE(reference.ok());
  auto outputs = RunProgram(**reference, built, inputs);
  EXPECT_TRUE(outputs.ok());
  return *outputs;
}

const AnePath kPaths[] = {AnePath::kInMemory, AnePath::kE5rt};

// The order of ports (by name, or by size on an M1), their unequal sizes and the dialects stay
// inside the device.
TEST(AneDevice, ComputesTheSameOnEveryChip) {
  const auto built = SmallProgram();
  const auto inputs = RandomInputs(built.program.main());
  const auto expected = Expected(built, inputs);
  for (const AnePath path : kPaths) {
    for (const auto& [chip, macos] : {std::pair("m1", "14.4"),
                                      {"m1", "26.1"},
                                      {"m2 max", "15.5"},
                                      {"m3 ultra", "15.5"},
                                      {"m4", "15.5"},
                                      {"m5", "27.0"}}) {
      const Emulator emulator(chip, macos);
      const auto device = emulator.Open(path);
      const auto outputs = RunProgram(*device, built, inputs);
      ASSERT_TRUE(outputs.ok()) << chip << ": " << outputs.error().message;
      EXPECT_EQ(*outputs, expected) << chip << " " << macos;
    }
  }
}

TEST(AneDevice, RunsAgainWithOtherInputs) {
  const Emulator emulator;
  const auto device = emulator.Open();
  const auto built = SmallProgram();
  auto bound = BindProgram(*device, built);
  ASSERT_TRUE(bound.ok()) << bound.error().message;
  for (uint64_t seed : {1, 2, 3}) {
    const auto inputs = RandomInputs(built.program.main(), seed);
    const auto outputs = RunBound(*bound, inputs);
    ASSERT_TRUE(outputs.ok()) << outputs.error().message;
    EXPECT_EQ(*outputs, Expected(built, inputs));
  }
}

// A surface that belongs to two calls grows when the second one needs it larger; the first follows.
TEST(AneDevice, SharedSurfacesGrow) {
  const Emulator emulator;
  const auto device = emulator.Open();
  const auto double_it = [](int64_t rows) {
    mil::Builder b;
    const auto small = b.Input("small", {DType::kFp16, {1, 1, 32, 64}});
    const auto other = b.Input("other", {DType::kFp16, {1, 1, rows, 64}});
    const auto sum = b.Add("sum", small, small);
    const auto twice = b.Add("twice", other, other);
    return *std::move(b).Finish({sum, twice});
  };
  const auto built = double_it(32), large = double_it(2048);
  auto first = BindProgram(*device, built);
  ASSERT_TRUE(first.ok()) << first.error().message;
  auto executable = device->Compile(large.program, large.weights);
  ASSERT_TRUE(executable.ok()) << executable.error().message;
  auto more = device->NewSurface({DType::kFp16, {1, 1, 2048, 64}});
  auto result = device->NewSurface({DType::kFp16, {1, 1, 2048, 64}});
  ASSERT_TRUE(more.ok() && result.ok());
  ASSERT_TRUE(Fill(*first->inputs[0], Values(2048, 3.0)).ok());
  Surface* inputs[] = {first->inputs[0].get(), more->get()};
  Surface* outputs[] = {first->outputs[0].get(), result->get()};
  auto second = (*executable)->Bind(inputs, outputs);
  ASSERT_TRUE(second.ok()) << second.error().message;
  ASSERT_TRUE((*second)->Run().ok());
  EXPECT_EQ(*Contents(*first->outputs[0]), Values(2048, 6.0));
  const Status again = first->call->Run();
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*Contents(*first->outputs[0]), Values(2048, 6.0));
}

// The output of one program is the input of the next without a copy.
TEST(AneDevice, SurfacesFeedTheNextProgram) {
  const Emulator emulator;
  const auto device = emulator.Open();
  mil::Builder b;
  const auto x = b.Input("x", {DType::kFp16, {1, 32, 1, 64}});
  const auto y = b.Add("y", x, x);
  const auto built = *std::move(b).Finish({y});
  auto first = BindProgram(*device, built);
  auto last = device->NewSurface({DType::kFp16, {1, 32, 1, 64}});
  ASSERT_TRUE(first.ok() && last.ok());
  Surface* inputs[] = {first->outputs[0].get()};
  Surface* outputs[] = {last->get()};
  auto second = first->executable->Bind(inputs, outputs);
  ASSERT_TRUE(second.ok()) << second.error().message;
  ASSERT_TRUE(Fill(*first->inputs[0], Values(2048, 1.5)).ok());
  ASSERT_TRUE(first->call->Run().ok());
  ASSERT_TRUE((*second)->Run().ok());
  EXPECT_EQ(*Contents(**last), Values(2048, 6.0));
}

TEST(AneDevice, FailedRunsLeaveNothingToRead) {
  for (const AnePath path : kPaths) {
    const Emulator emulator;
    const auto device = emulator.Open(path);
    const auto built = SmallProgram();
    const auto inputs = RandomInputs(built.program.main());
    auto bound = BindProgram(*device, built);
    ASSERT_TRUE(RunBound(*bound, inputs).ok());
    const char* entry = path == AnePath::kInMemory
                            ? "-[_ANEInMemoryModel evaluateWithQoS:options:request:error:]"
                            : "e5rt_execution_stream_execute_sync";
    for (const int fault : {MWEMU_FAIL, MWEMU_FAIL_MUTELY, MWEMU_ERROR_YES, MWEMU_LIE}) {
      emulator.inject(entry, 1, fault);
      const Status status = bound->call->Run();
      ASSERT_FALSE(status.ok()) << "fault " << fault;
      for (const auto& output : bound->outputs) {
        const auto read = Contents(*output);
        ASSERT_FALSE(read.ok());
        EXPECT_THAT(read.error().message, HasSubstr("holds no result"));
      }
      // Nor may another program read them.
      Surface* used[] = {bound->inputs[0].get(), bound->outputs[1].get(), bound->inputs[2].get()};
      auto scratch = BindProgram(*device, built);
      ASSERT_TRUE(scratch.ok());
      Surface* results[] = {scratch->outputs[0].get(), scratch->outputs[1].get()};
      auto next = bound->executable->Bind(used, results);
      ASSERT_TRUE(next.ok()) << next.error().message;
      EXPECT_THAT((*next)->Run().error().message, HasSubstr("holds no result"));
      // The next good run makes them readable.
      ASSERT_TRUE(RunBound(*bound, inputs).ok());
    }
  }
}

TEST(AneDevice, ErrorsAreExplained) {
  const Emulator emulator;
  const auto device = emulator.Open();
  const auto built = SmallProgram();
  emulator.set_limits(1000, 16);
  EXPECT_THAT(BindProgram(*device, built).error().message,
              ::testing::AllOf(HasSubstr("loadWithQoS"), HasSubstr("0x20004"),
                               HasSubstr("out of the engine's memory")));
  emulator.set_limits(0, 1 << 30);
  emulator.inject("-[_ANEInMemoryModel compiledModelExists]", 0, MWEMU_FAIL);
  EXPECT_THAT(BindProgram(*device, built).error().message, HasSubstr("CompilationFailure"));
}

TEST(AneDevice, RefusesWhatTheConstraintsSpeakAgainst) {
  const Emulator emulator("m1");
  const auto device = emulator.Open();
  mil::Builder b;
  const auto x = b.Input("x", {DType::kFp16, {1, 4, 1, 20}});
  const auto y = b.Add("y", x, x);
  const auto built = *std::move(b).Finish({y});
  const auto executable = device->Compile(built.program, built.weights);
  ASSERT_FALSE(executable.ok());
  EXPECT_THAT(executable.error().message, HasSubstr("B6"));
  EXPECT_EQ(executable.error().kind, ErrorKind::kBadInput);
  EXPECT_EQ(emulator.compilations(), 0);
}

// Equal programs are one model: freeing one leaves the other, and a later one is not compiled.
TEST(AneDevice, EqualProgramsAreCompiledOnce) {
  const Emulator emulator;
  const auto device = emulator.Open();
  const auto built = SmallProgram();
  const auto inputs = RandomInputs(built.program.main());
  auto first = BindProgram(*device, built), second = BindProgram(*device, built);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(emulator.compilations(), 1);
  EXPECT_EQ(emulator.loaded_programs(), 1);
  first = Bound();
  ASSERT_TRUE(RunBound(*second, inputs).ok());
  second = Bound();
  EXPECT_EQ(emulator.loaded_programs(), 0);
  ASSERT_TRUE(RunProgram(*device, built, inputs).ok());
  EXPECT_EQ(emulator.compilations(), 1);
  // Other weights are another program.
  const auto outputs = RunProgram(*device, SmallProgram(0.25), inputs);
  ASSERT_TRUE(outputs.ok());
  EXPECT_EQ(emulator.compilations(), 2);
  EXPECT_EQ(*outputs, Expected(SmallProgram(0.25), inputs));
}

TEST(AneDevice, KeepsTheCompileBudget) {
  const Emulator emulator;
  DeviceOptions options = emulator.Options();
  options.ane.compile_budget = CompilationsOfProcess() + 2;
  auto device = OpenAneDevice(options);
  ASSERT_TRUE(device.ok());
  EXPECT_EQ((*device)->caps().compile_budget, options.ane.compile_budget);
  EXPECT_TRUE(BindProgram(**device, SmallProgram(1)).ok());
  EXPECT_TRUE(BindProgram(**device, SmallProgram(2)).ok());
  EXPECT_THAT(BindProgram(**device, SmallProgram(3)).error().message,
              HasSubstr("compile budget of this process is spent"));
  EXPECT_TRUE(BindProgram(**device, SmallProgram(1)).ok());  // known to the system
  EXPECT_EQ(emulator.compilations(), 2);
  options.ane.compile_budget = 0;
  EXPECT_EQ((*OpenAneDevice(options))->caps().compile_budget, kSafeCompilations);
}

TEST(AneDevice, ReportsWhatTheMachineHas) {
  const Emulator emulator("M3 Ultra", "26.1");
  emulator.remove("+[_ANEDeviceInfo numANEs]");
  const auto report = emulator.Open()->Describe();
  EXPECT_THAT(report, Contains("macOS 26.1"));
  EXPECT_THAT(report, Contains("chip Apple M3 Ultra, architecture h15g, treated as m3-ultra"));
  EXPECT_THAT(report, Contains("engines unknown, cores 16"));
  EXPECT_THAT(report, Contains("found   IOSurfaceCreate"));
  EXPECT_THAT(report, Contains("found   -[_ANEInMemoryModel unloadWithQoS:error:]"));
  EXPECT_THAT(report, Contains("MISSING +[_ANEDeviceInfo numANEs] (optional)"));
  EXPECT_THAT(report, Contains(HasSubstr("applies A29")));
}

TEST(AneDevice, SaysWhatIsMissing) {
  const Emulator emulator;
  emulator.remove("+[_ANEIOSurfaceObject objectWithIOSurface:]");
  emulator.remove("-[_ANEInMemoryModel loadWithQoS:options:error:]");
  const auto device = OpenAneDevice(emulator.Options());
  ASSERT_FALSE(device.ok());
  EXPECT_THAT(device.error().message,
              ::testing::AllOf(HasSubstr("+[_ANEIOSurfaceObject objectWithIOSurface:]"),
                               HasSubstr("-[_ANEInMemoryModel loadWithQoS:options:error:]")));
  emulator.reset();
  emulator.inject("+[_ANEDeviceInfo hasANE]", 1, MWEMU_FAIL);
  EXPECT_THAT(OpenAneDevice(emulator.Options()).error().message, HasSubstr("no Neural Engine"));
}

TEST(AneDevice, SaysHowToGetOne) {
  DeviceOptions options{.precision = Precision::kAne};
  options.ane.libraries = {"/no/such/library.so"};
  EXPECT_THAT(OpenAneDevice(options).error().message,
              ::testing::AllOf(HasSubstr("/no/such/library.so"), HasSubstr("--ane-library")));
  options.precision = Precision::kFp32;
  EXPECT_THAT(OpenAneDevice(options).error().message, HasSubstr("--precision fp32"));
}

TEST(AneDevice, WantsSurfacesOfItsOwn) {
  const Emulator emulator;
  const auto device = emulator.Open();
  const auto built = SmallProgram();
  auto bound = BindProgram(*device, built);
  ASSERT_TRUE(bound.ok());
  auto reference = OpenReferenceDevice({.precision = Precision::kAne});
  auto foreign = (*reference)->NewSurface(bound->inputs[0]->desc().type);
  Surface* inputs[] = {foreign->get(), bound->inputs[1].get(), bound->inputs[2].get()};
  Surface* outputs[] = {bound->outputs[0].get(), bound->outputs[1].get()};
  EXPECT_THAT(bound->executable->Bind(inputs, outputs).error().message,
              HasSubstr("surfaces of its own"));
}

}  // namespace
}  // namespace millwright::device::ane
