#include "kernels/emitter.h"
#include "kernels/offload_formula.h"

namespace millwright::kernels {
namespace {

Operands OperandsOf(const KernelSpec& spec) {
  if (!spec.offload.classifier) return {};
  const int64_t rows = ClassifierRows(spec), dim = spec.config.dim, columns = spec.columns();
  return {.inputs = {{.name = "x_final", .rows = dim, .columns = columns},
                     {.name = "classifier",
                      .rows = rows,
                      .columns = dim,
                      .weight = true,
                      .packed_transposed = true}},
          .outputs = {{.name = "logits", .rows = rows, .columns = columns}}};
}

void Emit(const KernelSpec& /*spec*/, Emitter& e) {
  e.Output("logits", e.Project("class_scores", "classifier", e.Activation("x_final"), false));
}

template <class T>
void Evaluate(const KernelSpec& spec, OperandValues<T>& values) {
  OffloadFormula<T>(spec, values).ClassifierFwd();
}

}  // namespace

const KernelDef kClassifierFwd = {
    .id = KernelId::kClassifierFwd,
    .name = "classifierFwd",
    .doc = "Logits of all words, or of a part of them.",
    .operands = OperandsOf,
    .emit = Emit,
    .formula = Evaluate<double>,
    .formula_complex = Evaluate<std::complex<double>>,
};

}  // namespace millwright::kernels
