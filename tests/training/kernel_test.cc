// Every kernel against its formula, in every binding; the backward formulas against derivatives of
// the forward ones; and proof that the comparison notices a broken kernel.
#include "tests/training/kernel_check.h"

namespace millwright::testing {
namespace {

struct KernelCase {
  model::ModelConfig config;
  kernels::Binding binding;
  model::LoraConfig lora = {};
  int64_t batch = 1;
};

std::string NameOfKernel(const ::testing::TestParamInfo<KernelCase>& info) {
  return ConfigName(info.param.config) + "_" + std::string(BindingName(info.param.binding)) +
         (info.param.lora.enabled() ? "_lora" : "") +
         (info.param.batch > 1 ? "_batch" + std::to_string(info.param.batch) : "");
}

std::vector<KernelCase> AllKernelCases() {
  std::vector<KernelCase> cases;
  for (const model::ModelConfig& config : TinyConfigs()) {
    for (kernels::Binding binding : kBindings) {
      cases.push_back({config, binding});
      cases.push_back({config, binding, LoraEverywhere()});
      cases.push_back({config, binding, {}, 3});
    }
  }
  return cases;
}

runtime::SessionOptions OptionsOf(const KernelCase& test) {
  return {.config = test.config,
          .binding = test.binding,
          .residual_alpha = 0.5,
          .lora = test.lora,
          .batch = test.batch,
          .cache = test.batch == 1 ? 5 : 0,
          .offload = OffloadEverything(29)};
}

// Sums of up to `longest` products in double.
double ExactTolerance(const model::ModelConfig& config) {
  return 8 * Gamma(DType::kFp64, config.hidden_dim + config.q_dim() + config.seq);
}

class Kernel : public ::testing::TestWithParam<KernelCase> {
 protected:
  void CompareAll(const std::string& device_name, Precision precision, double tolerance) {
    auto device = app::OpenDevice(device_name, {.precision = precision});
    ASSERT_TRUE(device.ok()) << device.error().message;
    const runtime::SessionOptions options = OptionsOf(GetParam());
    const kernels::KernelSpec spec = runtime::MakeSpec(**device, options);
    for (const kernels::KernelDef* kernel : kernels::AllKernels()) {
      if (kernel->operands(spec).outputs.empty()) continue;
      kernels::OperandValues<double> values = RandomOperands(spec, *kernel);
      const auto actual = RunKernel(**device, options, *kernel, values);
      kernel->formula(spec, values);
      for (const auto& [name, output] : actual) {
        const auto& expected = values.at(name);
        ASSERT_GT(Norm2(std::span(expected)), 0.0) << kernel->name << " " << name;
        EXPECT_LE(NormError(std::span(output), std::span(expected)), tolerance)
            << kernel->name << " " << name << " on " << device_name;
      }
    }
  }
};

TEST_P(Kernel, EqualsItsFormulaOnReference) {
  CompareAll("reference", Precision::kExact, ExactTolerance(GetParam().config));
}

TEST_P(Kernel, EqualsItsFormulaOnCpu) {
  const model::ModelConfig& c = GetParam().config;
  CompareAll("cpu", Precision::kFp32, 16 * Gamma(DType::kFp32, c.hidden_dim + c.q_dim() + c.seq));
}

INSTANTIATE_TEST_SUITE_P(All, Kernel, ::testing::ValuesIn(AllKernelCases()), NameOfKernel);

using Complex = std::complex<double>;

// sum(weights * forward outputs) differentiated by complex step, against the backward formulas fed
// with those weights.
class AttentionFormula : public ::testing::TestWithParam<KernelCase> {};

TEST_P(AttentionFormula, BackwardIsTheDerivativeOfForward) {
  kernels::KernelSpec spec = {.config = GetParam().config,
                              .target = {.fused_attention_backward = true}};
  // Attention from q, k and v on, written once more: the projections and rotations before it are
  // other kernels' and other tests' business.
  const kernels::KernelDef& backward = kernels::Get(kernels::KernelId::kSdpaBwd1);
  kernels::OperandValues<double> values = RandomOperands(spec, backward);
  backward.formula(spec, values);
  const auto& c = spec.config;
  const auto attend = [&](const std::vector<Complex>& q, const std::vector<Complex>& k,
                          const std::vector<Complex>& v) {
    const double scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(c.head_dim)));
    const auto at = [&](int64_t row, int64_t t) { return static_cast<size_t>(row * c.seq + t); };
    Complex total = 0;
    for (int64_t h = 0; h < c.heads; ++h) {
      const int64_t kv = h / (c.heads / c.kv_heads);
      for (int64_t query = 0; query < c.seq; ++query) {
        std::vector<Complex> p;
        Complex sum = 0;
        for (int64_t key = 0; key <= query; ++key) {
          Complex score = 0;
          for (int64_t i = 0; i < c.head_dim; ++i) {
            score += scale * q[at(h * c.head_dim + i, query)] * k[at(kv * c.head_dim + i, key)];
          }
          p.push_back(std::exp(score));
          sum += p.back();
        }
        for (int64_t key = 0; key <= query; ++key) {
          for (int64_t i = 0; i < c.head_dim; ++i) {
            total += values.at("dattn")[at(h * c.head_dim + i, query)] *
                     p[static_cast<size_t>(key)] / sum * v[at(kv * c.head_dim + i, key)];
          }
        }
      }
    }
    return total;
  };
  std::map<std::string, std::vector<Complex>> in;
  for (const char* name : {"q", "k", "v"}) {
    in[name].assign(values.at(name).begin(), values.at(name).end());
  }
  for (const auto& [name, gradient] : {std::pair{"q", "dq"}, {"k", "dk"}, {"v", "dv"}}) {
    std::vector<double> numeric;
    for (Complex& value : in[name]) {
      value += Complex(0, 1e-100);
      numeric.push_back(attend(in["q"], in["k"], in["v"]).imag() / 1e-100);
      value = value.real();
    }
    EXPECT_LE((NormError<double, double>(values.at(gradient), numeric)), ExactTolerance(c))
        << gradient;
  }
}

INSTANTIATE_TEST_SUITE_P(All, AttentionFormula,
                         ::testing::Values(KernelCase{TinyMha(), kernels::Binding::kSeparate},
                                           KernelCase{TinyGqa(model::RotaryLayout::kHalfSplit),
                                                      kernels::Binding::kSeparate}),
                         NameOfKernel);

// Broken on purpose: the comparison above must see each of these.
class BrokenKernel : public ::testing::Test {
 protected:
  // The outputs of a program on the reference device, as one list.
  static std::vector<double> Outputs(const kernels::KernelProgram& program,
                                     const kernels::OperandValues<double>& values) {
    auto device = app::OpenDevice("reference", {.precision = Precision::kExact});
    auto executable = (*device)->Compile(program.program, program.constants);
    EXPECT_TRUE(executable.ok()) << executable.error().message;
    std::vector<std::unique_ptr<device::Surface>> surfaces;
    std::vector<device::Surface*> inputs, outputs;
    for (const auto* ports : {&program.inputs, &program.outputs}) {
      for (const kernels::Port& port : *ports) {
        surfaces.push_back(std::move(*(*device)->NewSurface(port.type)));
        (ports == &program.inputs ? inputs : outputs).push_back(surfaces.back().get());
        if (ports != &program.inputs) continue;
        const auto mapping = surfaces.back()->Map(device::Access::kWrite);
        const auto& data = values.at(port.name);
        std::copy(data.begin(), data.end(), mapping->as<double>().begin());
      }
    }
    auto call = (*executable)->Bind(inputs, outputs);
    EXPECT_TRUE((*call)->Run().ok());
    std::vector<double> all;
    for (device::Surface* output : outputs) {
      const auto mapping = output->Map(device::Access::kRead);
      for (double value : mapping->as<double>()) all.push_back(value);
    }
    return all;
  }

  static double Difference(const kernels::KernelDef& kernel, const model::ModelConfig& config,
                           void (*damage)(mil::Function&)) {
    const kernels::KernelSpec spec = {.config = config, .binding = kernels::Binding::kSeparate};
    auto program = kernels::Generate(kernel, spec);
    EXPECT_TRUE(program.ok());
    const auto values = RandomOperands(spec, kernel);
    const std::vector<double> whole = Outputs(*program, values);
    damage(program->program.functions.front());
    return NormError(std::span<const double>(Outputs(*program, values)),
                     std::span<const double>(whole));
  }
};

TEST_F(BrokenKernel, TransposedWeightIsNoticed) {
  // q_dim equals dim here, so the transposed product has the right shape and only the values tell.
  const double difference =
      Difference(kernels::Get(kernels::KernelId::kQBwd), TinyMha(), [](mil::Function& function) {
        for (mil::Operation& operation : function.operations) {
          if (operation.op != "const") continue;
          for (mil::Attribute& attribute : operation.attributes) {
            const mil::Constant& constant = attribute.value;
            if (attribute.key == "val" && constant.type().dtype == DType::kBool &&
                constant.as_bool()) {
              attribute.value = mil::Constant::Bool(false);
            }
          }
        }
      });
  EXPECT_GT(difference, 0.1);
}

TEST_F(BrokenKernel, WrongHeadMapIsNoticed) {
  // Query head h on kv head h mod kv_heads: the map that trains garbage.
  const double difference =
      Difference(kernels::Get(kernels::KernelId::kSdpaFwd),
                 TinyGqa(model::RotaryLayout::kHalfSplit), [](mil::Function& function) {
                   for (mil::Operation& operation : function.operations) {
                     if (operation.op != "concat") continue;
                     for (mil::Argument& argument : operation.arguments) {
                       auto* heads = std::get_if<std::vector<mil::ValueId>>(&argument.value);
                       if (heads != nullptr && heads->size() == 4)
                         std::swap((*heads)[1], (*heads)[2]);
                     }
                   }
                 });
  EXPECT_GT(difference, 0.1);
}

}  // namespace
}  // namespace millwright::testing
