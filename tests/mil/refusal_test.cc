// Calls that the type rules refuse, and why; surfaces that do not fit; indices outside of a tensor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device/null/null_device.h"
#include "device/reference/reference_device.h"
#include "mil/text.h"
#include "mil/verify.h"
#include "tests/mil/program_runner.h"

namespace millwright {
namespace {

using ::testing::HasSubstr;

// A program of one operation on x [2, 3, 4] and y [4, 5], fp16, and i, int32 [2].
std::string ProgramOf(std::string_view declared, std::string_view call) {
  return fmt::format(
      "program(1.3)\n[buildInfo = dict<string, string>({{{{\"coremltools-version\", \"9.0\"}}}})]\n"
      "{{\n func main<ios18>(tensor<fp16, [2, 3, 4]> x, tensor<fp16, [4, 5]> y, "
      "tensor<int32, [2]> i) {{\n  {} z = {}[name=string(\"z\")];\n }} -> (z);\n}}\n",
      declared, call);
}

struct Refusal {
  std::string call;
  std::string message;
};

class MilRefusals : public ::testing::TestWithParam<Refusal> {};

// "matmul_5": the operation and which of its refusals.
std::string NameOf(const ::testing::TestParamInfo<Refusal>& info) {
  const std::string& call = info.param.call;
  return call.substr(0, call.find('(')) + "_" + std::to_string(info.index);
}

TEST_P(MilRefusals, NameTheReason) {
  const auto program = mil::Parse(ProgramOf("tensor<fp16, [1]>", GetParam().call));
  ASSERT_TRUE(program) << program.error().message;
  const Status status = mil::Verify(*program);
  ASSERT_FALSE(status) << GetParam().call;
  EXPECT_THAT(status.error().message, HasSubstr(GetParam().message)) << GetParam().call;
  EXPECT_EQ(status.error().kind, ErrorKind::kBadInput);
}

INSTANTIATE_TEST_SUITE_P(
    Ops, MilRefusals,
    ::testing::Values(
        Refusal{"add(x=x, y=y)", "does not broadcast"}, Refusal{"add(x=x, y=i)", "one dtype"},
        Refusal{"real_div(x=i, y=i)", "must be fp16 or fp32"},
        Refusal{"sigmoid(x=i)", "must be fp16 or fp32"},
        Refusal{"matmul(x=y, y=y)", "5 columns meet 4 rows"},
        Refusal{"matmul(x=x, y=fp16(1))", "must be tensors"},
        Refusal{"slice_by_size(x=x, begin=[0, 0, 1], size=[2, 3, 4])", "axis 2: 4 elements from 1"},
        Refusal{"slice_by_size(x=x, begin=[0, 0], size=[2, 3, 4])", "one entry for each axis"},
        Refusal{"slice_by_size(x=x, begin=[0, -1, 0], size=[2, -1, 4])", "axis 1"},
        Refusal{"slice_by_index(x=x, begin=[0, 2, 0], end=[2, 1, 4])", "axis 1: nothing"},
        Refusal{"slice_by_index(x=x, begin=[0, 0, 0], end=[2, 3, 4], stride=[1, 0, 1])",
                "not be 0"},
        Refusal{"split(x=x, num_splits=3, axis=2)", "do not split into 3"},
        Refusal{"split(x=x, split_sizes=[1, 1], axis=2)", "must sum to 4"},
        Refusal{"reshape(x=x, shape=[5, -1])", "do not fit shape"},
        Refusal{"reshape(x=x, shape=[-1, -1])", "one -1 only"},
        Refusal{"transpose(x=x, perm=[0, 1, 1])", "axis 1 twice"},
        Refusal{"transpose(x=x, perm=[0, 1])", "one entry for each axis"},
        Refusal{"squeeze(x=x, axes=[3])", "axis 3 is outside"},
        Refusal{"expand_dims(x=x, axes=[1, 1])", "an axis twice"},
        Refusal{"concat(values=(x, y), axis=0)", "does not fit beside"},
        Refusal{"tile(x=x, reps=[1, 0, 1])", "must be positive"},
        Refusal{"gather(x=x, indices=y)", "'indices' must be int32"},
        Refusal{"gather(x=x, indices=i, axis=3)", "axis 3 is outside"},
        Refusal{"reduce_sum(x=x, axes=[0, -3])", "an axis twice"},
        Refusal{"softmax(x=x, axis=-4)", "axis -4 is outside"},
        Refusal{"cast(x=x, dtype=string(\"fp8\"))", "cannot be \"fp8\""},
        Refusal{"quantize(input=x, scale=fp16(1), output_dtype=string(\"int32\"))", "\"int8\" or"},
        Refusal{"quantize(input=x, scale=tensor<fp16, [2]>([1, 2]), axis=1, "
                "output_dtype=string(\"int8\"))",
                "have shape [3]"},
        Refusal{"select(cond=x, a=x, b=x)", "'cond' must be bool"},
        Refusal{"linear(x=x, weight=tensor<fp16, [2, 3]>([1, 2, 3, 4, 5, 6]))", "[D_out, D_in]"},
        Refusal{"conv(x=x, weight=tensor<fp16, [1, 2, 1]>([1, 2]))", "has 3 in all"},
        Refusal{"conv(x=x, weight=tensor<fp16, [1, 3, 1]>([1, 2, 3]), pad_type=string(\"wide\"))",
                "'pad_type' must be"},
        Refusal{"scaled_dot_product_attention(query=x, key=x, value=y)", "rank"}),
    NameOf);

// Of every rule that the later operations have, one breach.
INSTANTIATE_TEST_SUITE_P(
    LaterOps, MilRefusals,
    ::testing::Values(
        Refusal{"read_state(input=x)", "not supported: it works on a state"},
        Refusal{"non_zero(x=x)", "not supported: the shape of its result depends on values"},
        Refusal{"random_normal(shape=[1])", "not supported: its result is random"},
        Refusal{"gelu(x=x, mode=string(\"FAST\"))", "'mode' must be EXACT"},
        Refusal{"clip(x=i, alpha=fp16(0), beta=fp16(1))", "must be fp16 or fp32"},
        Refusal{"threshold(x=i, alpha=fp16(0))", "one dtype"},
        Refusal{"logical_and(x=x, y=x)", "'x' must be bool"},
        Refusal{"equal(x=x, y=i)", "one dtype"},
        Refusal{"prelu(x=x, alpha=tensor<fp16, [2]>([1, 2]))", "'alpha' must have shape [3]"},
        Refusal{"prelu(x=x, alpha=tensor<fp16, [3]>([1, 2, 3]))", "the same for all channels"},
        Refusal{"prelu(x=y, alpha=tensor<fp16, [5]>([1, 2, 3, 4, 5]))", "rank 3, 4 or 5"},
        Refusal{"layer_norm(x=x, axes=[2], gamma=tensor<fp16, [3]>([1, 2, 3]))",
                "'gamma' must have shape [4]"},
        Refusal{"l2_norm(x=y)", "rank 3 or more"},
        Refusal{"reduce_argmax(x=x, output_dtype=string(\"int8\"))", "\"int32\" or \"uint16\""},
        Refusal{"cumsum(x=x, axis=3)", "axis 3 is outside"},
        Refusal{"topk(x=x, k=5)", "'k' is 5, axis 2 of 'x' has 4"},
        Refusal{"topk(x=x, return_indices=false, output_indices_dtype=string(\"int32\"))",
                "'return_indices' is false"},
        Refusal{"band_part(x=i)", "rank 2 or more"},
        Refusal{"fill(shape=[2, 0])", "an entry below 1"},
        Refusal{"fill(shape=[1048576, 1048576])", "too many elements"},
        Refusal{"tile(x=x, reps=[2147483647, 2147483647, 2147483647])", "too many elements"},
        Refusal{"reshape(x=x, shape=[2147483647, 2147483647, 2147483647])", "too many elements"},
        Refusal{"one_hot(indices=i, one_hot_vector_size=-1)", "an entry below 1"},
        Refusal{"range_1d(start=0, end=4, step=0)", "must not be 0"},
        Refusal{"range_1d(start=0, end=4, step=-1)", "elements"},
        Refusal{"pad(x=x, pad=[1])", "two entries for each"},
        Refusal{"pad(x=x, pad=[1, -1])", "negative entry"},
        Refusal{"pad(x=x, pad=[4, 0], mode=string(\"reflect\"))", "too short to reflect 4"},
        Refusal{"pad(x=x, pad=[4, 0], mode=string(\"wrap\"))", "constant, reflect or replicate"},
        Refusal{"stack(values=(x, y), axis=0)", "must have one type"},
        Refusal{"flatten2d(x=x, axis=4)", "axis 4 is outside"},
        Refusal{"sliding_windows(x=x, axis=2, size=5)", "no windows of 5"},
        Refusal{"reverse_sequence(x=x, lengths=i, seq_axis=0, batch_axis=0)", "are both 0"},
        Refusal{"reverse_sequence(x=x, lengths=i, seq_axis=0, batch_axis=1)", "shape [3]"},
        Refusal{"pixel_shuffle(x=x, upscale_factor=2)", "rank 4"},
        Refusal{"gather_nd(x=y, indices=i, batch_dims=1)", "behind 1 batch axes"},
        Refusal{"gather_along_axis(x=x, indices=i)", "must have the shape of 'x'"},
        Refusal{"scatter(data=x, indices=i, updates=x, axis=1)",
                "'updates' must have shape [2, 2, 4]"},
        Refusal{"scatter(data=x, indices=i, updates=x, mode=string(\"or\"))", "'mode' must be"},
        Refusal{"einsum(values=(x, x), equation=string(\"ij,jk->ik\"))", "is neither"},
        Refusal{"einsum(values=(x, x), equation=string(\"chw,whr->chr\"))", "do not fit together"},
        Refusal{"slice_update(x=x, update=y, begin=[0, 0, 0], end=[1, 1, 1])", "shape [1, 1, 1]"},
        Refusal{"slice_by_size(x=x, begin=i, size=[1, 1, 1])", "one entry for each axis"},
        Refusal{"max_pool(x=x, kernel_sizes=[5], pad_type=string(\"valid\"))", "does not fit"},
        Refusal{"max_pool(x=x, kernel_sizes=[1, 1], pad_type=string(\"valid\"))", "1 positive"},
        Refusal{"avg_pool(x=x, kernel_sizes=[2], pad_type=string(\"same\"), ceil_mode=true)",
                "'ceil_mode' needs"},
        Refusal{"conv_transpose(x=x, weight=tensor<fp16, [2, 1, 1]>([1, 2]))",
                "the same input channels"},
        Refusal{"conv(x=x, weight=tensor<fp16, [1, 3, 1]>([1, 2, 3]), strides=[0])",
                "1 positive entries"},
        Refusal{"resize_bilinear(x=x, sampling_mode=string(\"CUBIC\"))", "'sampling_mode' must be"},
        Refusal{"upsample_nearest_neighbor(x=x, scale_factor_width=fp32(0.1))", "0 columns"},
        Refusal{"crop(x=x, crop_height=[1, 1], crop_width=[0, 0])", "rank 4"},
        Refusal{"constexpr_cast(source_val=tensor<fp16, [1]>([1]), output_dtype=string(\"bf16\"))",
                "must be \"fp32\""},
        Refusal{"constexpr_blockwise_shift_scale(data=tensor<int4, [3]>([1, 2, 3]), "
                "scale=tensor<fp16, [2]>([1, 2]))",
                "do not divide"},
        Refusal{"constexpr_lut_to_dense(indices=tensor<uint2, [2]>([1, 2]), "
                "lut=tensor<fp16, [1, 2, 1]>([1, 2]))",
                "of length 4 for uint2"},
        Refusal{"constexpr_lut_to_dense(indices=tensor<uint1, [2]>([1, 0]), "
                "lut=tensor<fp16, [1, 2, 2]>([1, 2, 3, 4]))",
                "'vector_axis' is missing"},
        Refusal{"constexpr_sparse_to_dense(nonzero_data=tensor<fp16, [1]>([1]), "
                "mask=tensor<uint1, [2]>([1, 1]))",
                "'mask' has 2 ones"}),
    NameOf);

mil::Program Parsed(const std::string& text) {
  auto program = mil::Parse(text);
  if (!program) ADD_FAILURE() << program.error().message;
  return program ? *std::move(program) : mil::Program{};
}

TEST(ReferenceDeviceTest, AnIndexOutsideOfTheTensorIsAnError) {
  const mil::Program program =
      Parsed(ProgramOf("tensor<fp16, [2, 3, 4]>", "gather(x=x, indices=i, axis=0)"));
  auto device = device::OpenReferenceDevice({});
  ASSERT_TRUE(device);
  const std::vector<double> x(24, 1.0), y(20, 1.0);
  EXPECT_TRUE(RunProgram(**device, program, {}, {x, y, {1, -2}}));
  const auto outside = RunProgram(**device, program, {}, {x, y, {0, 2}});
  ASSERT_FALSE(outside);
  EXPECT_THAT(outside.error().message, HasSubstr("gather (z): index 2 is outside"));
}

TEST(ReferenceDeviceTest, CheckTellsWhatVerifySays) {
  auto device = device::OpenReferenceDevice({});
  ASSERT_TRUE(device);
  EXPECT_TRUE((*device)->Check(Parsed(ProgramOf("tensor<int32, [2]>", "add(x=i, y=i)"))).empty());
  const auto issues = (*device)->Check(Parsed(ProgramOf("tensor<int32, [2]>", "add(x=i, y=y)")));
  ASSERT_EQ(issues.size(), 1u);
  EXPECT_THAT(issues[0].message, HasSubstr("one dtype"));
}

TEST(ReferenceDeviceTest, BindRefusesWhatDoesNotFit) {
  auto device = device::OpenReferenceDevice({.precision = Precision::kFp16});
  auto wide = device::OpenReferenceDevice({.precision = Precision::kFp32});
  ASSERT_TRUE(device && wide);
  const mil::Program program = Parsed(ProgramOf("tensor<int32, [2]>", "add(x=i, y=i)"));
  auto executable = (*device)->Compile(program, {});
  ASSERT_TRUE(executable);
  const mil::Type types[] = {
      {DType::kFp16, {2, 3, 4}}, {DType::kFp16, {4, 5}}, {DType::kInt32, {2}}};
  std::vector<std::unique_ptr<device::Surface>> owned;
  for (device::Device* maker : {device->get(), wide->get()}) {
    for (const mil::Type& type : types) owned.push_back(*maker->NewSurface(type));
  }
  device::Surface *x = owned[0].get(), *y = owned[1].get(), *i = owned[2].get();
  device::Surface* fp32_x = owned[3].get();
  const auto bind = [&](std::vector<device::Surface*> in, std::vector<device::Surface*> out) {
    auto call = (*executable)->Bind(in, out);
    return call ? std::string("bound") : call.error().message;
  };
  EXPECT_EQ(bind({x, y, i}, {i}), "bound");
  EXPECT_THAT(bind({x, y}, {i}), HasSubstr("expected 3 input surfaces, found 2"));
  EXPECT_THAT(bind({x, y, i}, {}), HasSubstr("expected 1 output surfaces, found 0"));
  EXPECT_THAT(bind({y, y, i}, {i}),
              HasSubstr("'x': expected a surface of tensor<fp16, [2, 3, 4]>"));
  EXPECT_THAT(bind({fp32_x, y, i}, {i}), HasSubstr("stores fp16, found fp32"));
  EXPECT_THAT(bind({x, nullptr, i}, {i}), HasSubstr("'y': no surface"));
}

TEST(ReferenceDeviceTest, WrapsAlignedMemoryOfTheRightSize) {
  auto device = device::OpenReferenceDevice({.precision = Precision::kExact});
  ASSERT_TRUE(device);
  EXPECT_EQ((*device)->caps().storage, DType::kFp64);
  alignas(64) std::array<std::byte, 128> memory{};
  const mil::Type type{DType::kFp16, {8}};
  EXPECT_TRUE((*device)->WrapHost(type, std::span(memory).first(64)));
  EXPECT_FALSE((*device)->WrapHost(type, std::span(memory).first(16)));
  EXPECT_FALSE((*device)->WrapHost(type, std::span(memory).subspan(8, 64)));
  EXPECT_FALSE((*device)->NewSurface({DType::kString, {}}));
}

TEST(ReferenceDeviceTest, AMissingWeightFileIsNamed) {
  auto device = device::OpenReferenceDevice({});
  ASSERT_TRUE(device);
  const mil::Program program = Parsed(
      ProgramOf("tensor<fp16, [2]>",
                "identity(x=tensor<fp16, [2]>(BLOBFILE(path=string(\"@model_path/weights/w.bin\"), "
                "offset=uint64(64))))"));
  auto executable = (*device)->Compile(program, {});
  ASSERT_FALSE(executable);
  EXPECT_THAT(executable.error().message, HasSubstr("weights/w.bin"));
}

TEST(NullDeviceTest, ComputesNothingButChecks) {
  auto device = device::OpenNullDevice({.precision = Precision::kFp16});
  ASSERT_TRUE(device);
  EXPECT_FALSE((*device)->caps().computes);
  const std::vector<double> x(24, 1.0), y(20, 1.0);
  const auto zeros = RunProgram(**device, Parsed(ProgramOf("tensor<int32, [2]>", "add(x=i, y=i)")),
                                {}, {x, y, {1, 2}});
  ASSERT_TRUE(zeros) << zeros.error().message;
  EXPECT_EQ(zeros->front(), (std::vector<double>{0, 0}));
  EXPECT_FALSE((*device)->Compile(Parsed(ProgramOf("fp16", "add(x=i, y=y)")), {}));
}

}  // namespace
}  // namespace millwright
