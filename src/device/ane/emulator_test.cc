// The emulator does what the hardware does: what it refuses, and what it gets wrong without a word.
// Here nothing checks a program first.
#include <gmock/gmock.h>

#include <cstring>
#include <fstream>

#include "device/ane/api.h"
#include "device/ane/in_memory_model.h"
#include "device/ane/in_memory_path.h"
#include "device/ane/io_surface.h"
#include "device/ane/test_emulator.h"
#include "device/ane/test_program.h"
#include "mil/text.h"

namespace millwright::device::ane {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Path A without the device.
struct Raw {
  explicit Raw(const Emulator& emulator, const Target& target = {})
      : api(*Api::Load(emulator.Options().ane)), path(MakeInMemoryPath(api, target, 1 << 30)) {}

  Result<std::shared_ptr<LoadedProgram>> Compile(const mil::Builder::Built& built,
                                                 const std::string& text) const {
    return path->Compile(
        {.function = &built.program.main(), .text = text, .weights = &built.weights});
  }
  std::unique_ptr<Memory> Allocate(size_t bytes) const { return *path->Allocate(bytes); }

  std::shared_ptr<const Api> api;
  std::shared_ptr<Path> path;
};

void Write(Memory& memory, const Values& values) {
  auto data = memory.Lock(Access::kWrite);
  for (size_t i = 0; i < values.size(); ++i) StoreElement(DType::kFp16, *data, i, values[i]);
  EXPECT_TRUE(memory.Unlock(Access::kWrite).ok());
}

Values Read(Memory& memory, size_t count) {
  Values values;
  auto data = memory.Lock(Access::kRead);
  for (size_t i = 0; i < count; ++i) values.push_back(LoadElement(DType::kFp16, *data, i));
  EXPECT_TRUE(memory.Unlock(Access::kRead).ok());
  return values;
}

// y = x + x.
mil::Builder::Built Doubling(const Shape& shape) {
  mil::Builder b;
  const auto x = b.Input("x", {DType::kFp16, shape});
  const auto y = b.Add("y", x, x);
  return *std::move(b).Finish({y});
}

TEST(Emulator, RefusesProgramsAsTheCompilerDoes) {
  const auto refusal = [](const char* chip, const mil::Builder::Built& built,
                          const std::string& text) {
    const Emulator emulator(chip);
    return Raw(emulator).Compile(built, text).error().message;
  };
  const auto built = Doubling({1, 32, 1, 32});
  EXPECT_THAT(refusal("m4", built, "program(1.3) {"), HasSubstr("InvalidMILProgram"));
  EXPECT_THAT(refusal("m1", built, mil::Print(built.program)),
              AllOf(HasSubstr("InvalidMILProgram"), HasSubstr("program(1.0)")));
  mil::Builder b;
  const auto x = b.Input("x", {DType::kFp32, {1, 32, 1, 32}});
  const auto half = b.Op("cast", "half", {{"x", x}, {"dtype", b.Text("fp16")}});
  const auto y = b.Add("y", half, half);
  const auto cast = *std::move(b).Finish({y});
  EXPECT_THAT(refusal("m1", cast, mil::PrintVerbose(cast.program)),
              AllOf(HasSubstr("InvalidMILProgram"), HasSubstr("A13")));
  const Emulator emulator("m4");
  EXPECT_TRUE(Raw(emulator).Compile(cast, mil::Print(cast.program)).ok());
}

TEST(Emulator, UnalignedWidthScattersData) {
  const Emulator emulator;
  const Raw raw(emulator);
  for (const int64_t width : {20, 32}) {
    const auto built = Doubling({1, 4, 1, width});
    const auto program = raw.Compile(built, mil::Print(built.program));
    ASSERT_TRUE(program.ok()) << program.error().message;
    const auto in = raw.Allocate(1), out = raw.Allocate(1);
    Values values(static_cast<size_t>(4 * width)), twice = values;
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i + 1);
    for (size_t i = 0; i < values.size(); ++i) twice[i] = 2 * values[i];
    Write(*in, values);
    Memory* inputs[] = {in.get()};
    Memory* outputs[] = {out.get()};
    ASSERT_TRUE((*(*program)->Bind(inputs, outputs))->Evaluate().ok());
    if (width == 32) {
      EXPECT_EQ(Read(*out, values.size()), twice);
    } else {
      EXPECT_NE(Read(*out, values.size()), twice);
    }
  }
}

TEST(Emulator, AttentionIgnoresItsMask) {
  const Emulator emulator;
  const Raw raw(emulator);
  std::vector<Values> results;
  for (const bool masked : {false, true}) {
    mil::Builder b;
    const auto q = b.Input("q", {DType::kFp16, {1, 1, 32, 32}});
    const auto mask = b.Const(
        mil::Constant::Tensor({DType::kFp16, {1, 1, 32, 32}}, Values(32 * 32, masked ? -100 : 0)));
    std::vector<mil::Builder::Arg> arguments = {{"query", q}, {"key", q}, {"value", q}};
    arguments.emplace_back("attn_mask", mask);
    const auto y = b.Op("scaled_dot_product_attention", "y", std::move(arguments));
    const auto built = *std::move(b).Finish({y});
    const auto program = raw.Compile(built, mil::Print(built.program));
    ASSERT_TRUE(program.ok()) << program.error().message;
    const auto in = raw.Allocate(1), out = raw.Allocate(1);
    Write(*in, RandomInputs(built.program.main())[0]);
    Memory* inputs[] = {in.get()};
    Memory* outputs[] = {out.get()};
    ASSERT_TRUE((*(*program)->Bind(inputs, outputs))->Evaluate().ok());
    results.push_back(Read(*out, 32 * 32));
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST(Emulator, WeightFilesAreReadOnce) {
  const Emulator emulator;
  const auto api = *Api::Load(emulator.Options().ane);
  mil::Builder b;
  const auto x = b.Input("x", {DType::kFp16, {1, 1, 1, 32}});
  const auto w = b.Weights("w.bin", {DType::kFp16, {1, 1, 1, 32}}, Values(32, 3.0));
  const auto y = b.Mul("y", x, w);
  const auto built = *std::move(b).Finish({y});
  const Source source{&built.program.main(), mil::Print(built.program), &built.weights};
  auto model = InMemoryModel::Create(api, source);
  ASSERT_TRUE(model.ok() && (*model)->Compile(source, 1 << 30).ok());
  // Other weights in the place of the staged ones, before the program is loaded.
  const AutoreleasePool pool(api->c);
  const std::string folder = *TextOf(api->c, api->c.NSTemporaryDirectory());
  const std::string file = folder + "/" + (*model)->identifier() + "/weights/w.bin";
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  ASSERT_TRUE(stream.good()) << file;
  stream.seekp(128);
  stream.write("\0\0\0\0", 4);
  stream.close();
  ASSERT_TRUE((*model)->Load().ok());
  auto in = IoSurface::Create(api, 64), out = IoSurface::Create(api, 64);
  Write(**in, Values(32, 1.0));
  const auto path = MakeInMemoryPath(api, {}, 1 << 30);
  auto program = path->Compile(source);
  ASSERT_TRUE(program.ok());
  Memory* inputs[] = {in->get()};
  Memory* outputs[] = {out->get()};
  ASSERT_TRUE((*(*program)->Bind(inputs, outputs))->Evaluate().ok());
  EXPECT_EQ(Read(**out, 32), Values(32, 3.0));
}

TEST(Emulator, FailedRunsLeaveTheOldOutput) {
  const Emulator emulator;
  const Raw raw(emulator);
  const auto built = Doubling({1, 1, 1, 32});
  const auto program = raw.Compile(built, mil::Print(built.program));
  const auto in = raw.Allocate(1), out = raw.Allocate(1);
  Memory* inputs[] = {in.get()};
  Memory* outputs[] = {out.get()};
  auto request = (*program)->Bind(inputs, outputs);
  Write(*in, Values(32, 1.0));
  ASSERT_TRUE((*request)->Evaluate().ok());
  Write(*in, Values(32, 5.0));
  emulator.inject("-[_ANEInMemoryModel evaluateWithQoS:options:request:error:]", 1, MWEMU_FAIL);
  EXPECT_FALSE((*request)->Evaluate().ok());
  EXPECT_EQ(Read(*out, 32), Values(32, 2.0));
}

// An IOSurface that is smaller than the device makes them.
Ref SmallSurface(const CFunctions& c, int64_t bytes) {
  std::vector<std::pair<Ref, Ref>> entries;
  for (const auto& [key, value] : {std::pair(*c.kIOSurfaceWidth, bytes),
                                   {*c.kIOSurfaceHeight, int64_t{1}},
                                   {*c.kIOSurfaceBytesPerElement, int64_t{1}},
                                   {*c.kIOSurfaceBytesPerRow, bytes},
                                   {*c.kIOSurfaceAllocSize, bytes}}) {
    entries.emplace_back(Ref::Retain(c, key), *MakeNumber(c, value));
  }
  return Ref::Adopt(c, c.IOSurfaceCreate(MakeDictionary(c, entries)->get()));
}

// A request of single surfaces with a symbol number.
Status EvaluateByHand(const Api& api, const InMemoryModel& model, Id in, Id out, int64_t symbol) {
  const CFunctions& c = api.c;
  const AutoreleasePool pool(c);
  const auto array = [&](Id object) {
    std::vector<Ref> elements;
    elements.push_back(Ref::Retain(c, object));
    return *MakeArray(c, elements);
  };
  const Ref number = *MakeNumber(c, symbol), zero = *MakeNumber(c, 0);
  const Ref inputs = array(api.methods.wrap_surface(in)), input_indices = array(number.get());
  const Ref outputs = array(api.methods.wrap_surface(out)), output_indices = array(zero.get());
  return model.Evaluate(api.methods.make_request(inputs.get(), input_indices.get(), outputs.get(),
                                                 output_indices.get(), nullptr, nullptr,
                                                 zero.get()));
}

TEST(Emulator, RequestsThatDoNotFit) {
  const Emulator emulator;
  const Raw raw(emulator);
  const auto small = SmallProgram();
  const auto program = raw.Compile(small, mil::Print(small.program));
  ASSERT_TRUE(program.ok()) << program.error().message;
  // Inputs of unequal sizes; outputs of unequal sizes; a locked surface.
  const auto a = raw.Allocate(1), b = raw.Allocate(1), c = raw.Allocate(1), d = raw.Allocate(1);
  const auto e = raw.Allocate(1), large = raw.Allocate(100000);
  const auto evaluate = [&](Memory* third, Memory* fifth) {
    Memory* inputs[] = {a.get(), b.get(), third};
    Memory* outputs[] = {d.get(), fifth};
    const Status status = (*(*program)->Bind(inputs, outputs))->Evaluate();
    return status ? std::string() : status.error().message;
  };
  EXPECT_EQ(evaluate(c.get(), e.get()), "");
  EXPECT_THAT(evaluate(large.get(), e.get()), AllOf(HasSubstr("0x1d"), HasSubstr("B9")));
  EXPECT_THAT(evaluate(c.get(), large.get()), HasSubstr("0x1d"));
  ASSERT_TRUE(c->Lock(Access::kWrite).ok());
  EXPECT_THAT(evaluate(c.get(), e.get()), HasSubstr("0x9"));
  EXPECT_FALSE(c->Unlock(Access::kRead).ok());  // no such lock
  EXPECT_TRUE(c->Unlock(Access::kWrite).ok());

  const auto doubling = Doubling({1, 1, 1, 32});
  const Source source{&doubling.program.main(), mil::Print(doubling.program), &doubling.weights};
  auto model = InMemoryModel::Create(raw.api, source);
  ASSERT_TRUE((*model)->Compile(source, 1 << 30).ok());
  const Id in = static_cast<IoSurface&>(*a).get(), out = static_cast<IoSurface&>(*d).get();
  EXPECT_THAT(EvaluateByHand(*raw.api, **model, in, out, 0).error().message,
              HasSubstr("not loaded"));
  ASSERT_TRUE((*model)->Load().ok());
  EXPECT_TRUE(EvaluateByHand(*raw.api, **model, in, out, 0).ok());
  EXPECT_THAT(EvaluateByHand(*raw.api, **model, in, out, 1).error().message,
              AllOf(HasSubstr("0x2"), HasSubstr("D2")));
  const Ref tiny = SmallSurface(raw.api->c, 16384);
  EXPECT_THAT(EvaluateByHand(*raw.api, **model, tiny.get(), out, 0).error().message,
              AllOf(HasSubstr("0x9"), HasSubstr("B8")));
}

}  // namespace
}  // namespace millwright::device::ane
