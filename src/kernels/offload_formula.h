// The kernels of offload.h by definition, as formula.h has the others.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/formula.h"

namespace millwright::kernels {

template <class T>
class OffloadFormula {
 public:
  using Array = std::vector<T>;

  OffloadFormula(const KernelSpec& spec, OperandValues<T>& values)
      : spec_(spec), values_(values), columns_(spec.columns()) {}

  void FinalRmsnorm() {
    const Array &x = In("x_last"), &weight = In("final_norm");
    Array normed(x.size()), inv_rms;
    for (int64_t s = 0; s < columns_; ++s) {
      T sum(0);
      for (int64_t c = 0; c < spec_.config.dim; ++c) sum += x[At(c, s)] * x[At(c, s)];
      const T mean = sum * ProgramConstant(spec_, 1.0 / static_cast<double>(spec_.config.dim));
      inv_rms.push_back(1.0 / std::sqrt(mean + ProgramConstant(spec_, spec_.config.rms_norm_eps)));
      for (int64_t c = 0; c < spec_.config.dim; ++c) {
        normed[At(c, s)] = x[At(c, s)] * inv_rms.back() * weight[static_cast<size_t>(c)];
      }
    }
    values_["x_final"] = normed;
    values_["inv_rms"] = inv_rms;
  }

  // dx = r (w dy - x^ mean(w dy x^)) with x^ = x r.
  void RmsnormBwd() {
    const Array &dy = In("dnormed"), &x = In("x_in"), &weight = In("norm"), &r = In("inv_rms");
    Array dx(x.size());
    for (int64_t s = 0; s < columns_; ++s) {
      const T inverse = r[static_cast<size_t>(s)];
      const auto pulled = [&](int64_t c) { return weight[static_cast<size_t>(c)] * dy[At(c, s)]; };
      T sum(0);
      for (int64_t c = 0; c < spec_.config.dim; ++c) sum += pulled(c) * x[At(c, s)] * inverse;
      const T mean = sum * ProgramConstant(spec_, 1.0 / static_cast<double>(spec_.config.dim));
      for (int64_t c = 0; c < spec_.config.dim; ++c) {
        dx[At(c, s)] = inverse * (pulled(c) - x[At(c, s)] * inverse * mean);
      }
    }
    values_["dx_norm"] = dx;
  }

  void ClassifierFwd() {
    const Array &x = In("x_final"), &weight = In("classifier");
    const int64_t rows = ClassifierRows(spec_), dim = spec_.config.dim;
    Array logits(static_cast<size_t>(rows * columns_), T(0));
    for (int64_t v = 0; v < rows; ++v) {
      for (int64_t c = 0; c < dim; ++c) {
        const T w = weight[static_cast<size_t>(v * dim + c)];
        for (int64_t s = 0; s < columns_; ++s) logits[At(v, s)] += w * x[At(c, s)];
      }
    }
    values_["logits"] = logits;
  }

  void SoftmaxVocab() {
    const int64_t classes = spec_.offload.classes;
    Array p = In("logits_in");
    for (int64_t s = 0; s < columns_; ++s) {
      p[At(classes - 1, s)] += ProgramConstant(spec_, spec_.offload.last_class_bias);
      double highest = -std::numeric_limits<double>::infinity();
      for (int64_t v = 0; v < classes; ++v) highest = std::max(highest, RealPart(p[At(v, s)]));
      T sum(0);
      for (int64_t v = 0; v < classes; ++v) {
        sum += p[At(v, s)] = std::exp(p[At(v, s)] - highest);
      }
      for (int64_t v = 0; v < classes; ++v) p[At(v, s)] /= sum;
    }
    values_["probs_vocab"] = p;
  }

 private:
  size_t At(int64_t row, int64_t column) const {
    return static_cast<size_t>(row * columns_ + column);
  }
  const Array& In(std::string_view name) const { return values_.find(name)->second; }

  const KernelSpec& spec_;
  OperandValues<T>& values_;
  int64_t columns_;
};

}  // namespace millwright::kernels
