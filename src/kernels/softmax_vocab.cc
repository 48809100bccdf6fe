#include "kernels/emitter.h"
#include "kernels/offload_formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  if (!spec.offload.softmax) return {};
  const int64_t classes = spec.offload.classes, columns = spec.columns();
  return {.inputs = {{.name = "logits_in", .rows = classes, .columns = columns}},
          .outputs = {{.name = "probs_vocab", .rows = classes, .columns = columns}}};
}

void Emit(const KernelSpec& spec, Emitter& e) {
  Emitter::Value logits = e.Activation("logits_in");
  if (spec.offload.last_class_bias != 0) {
    std::vector<double> bias(static_cast<size_t>(spec.offload.classes), 0.0);
    bias.back() = spec.offload.last_class_bias;
    logits = e.b().Add("logits_biased", logits,
                       e.Table("class_bias.bin", {1, spec.offload.classes, 1, 1}, bias));
  }
  e.Output("probs_vocab", e.b().Softmax("class_probs", logits, 1));
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  OffloadFormula<T>(spec, values).SoftmaxVocab();
}

}  // namespace

const KernelDef kSoftmaxVocab = {
    .id = KernelId::kSoftmaxVocab,
    .name = "softmaxVocab",
    .doc = "Probabilities of all words.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
