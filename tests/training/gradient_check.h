// The gradient of a network's loss, three ways: by its own backward step, by complex step through
// the scalar model, by central differences through its own forward step.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/open_device.h"
#include "tests/training/scalar_model.h"
#include "tests/training/tiny_models.h"
#include "train/network.h"

namespace millwright::testing {

struct GradientCase {
  model::ModelConfig config;
  kernels::Binding binding = kernels::Binding::kSeparate;
  std::string device = "reference";
  Precision precision = Precision::kExact;
  double residual_alpha = 1.0;
  double act_clip = 0.0;
  bool fuse_attention_backward = true;
  std::vector<std::string> freeze = {};
  model::LoraConfig lora = {};
  int64_t batch = 1;
  bool recompute = false;
  kernels::Offload offload = {};
  // Puts another device around the one that is opened.
  std::function<std::unique_ptr<device::Device>(std::unique_ptr<device::Device>)> wrap = {};
};

using Gradients = std::map<std::string, std::vector<double>>;

// A network of the case with parameters from FillForGradients, and the windows of one step.
template <class T>
class GradientRun {
 public:
  explicit GradientRun(const GradientCase& test)
      : rows(RandomRows(test.config, 1, test.batch)),
        targets(RandomRows(test.config, 2, test.batch)) {
    auto opened = app::OpenDevice(test.device, {.precision = test.precision});
    EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : opened.error().message);
    device = test.wrap ? test.wrap(std::move(*opened)) : std::move(*opened);
    auto created =
        train::Network<T>::Create(*device,
                                  {.config = test.config,
                                   .binding = test.binding,
                                   .batch = test.batch,
                                   .residual_alpha = test.residual_alpha,
                                   .act_clip = test.act_clip,
                                   .moments = train::Moments::kNone,
                                   .recompute = test.recompute,
                                   .freeze = test.freeze,
                                   .lora = test.lora,
                                   .fuse_attention_backward = test.fuse_attention_backward,
                                   .offload = test.offload},
                                  FullVocab(test.config));
    EXPECT_TRUE(created.ok()) << (created.ok() ? "" : created.error().message);
    network = std::move(*created);
    FillForGradients(network->parameters(), 11);
    Stage();
  }

  void Stage() {
    const auto staged = network->StageWeights();
    ASSERT_TRUE(staged.ok()) << staged.error().message;
  }

  double Loss() {
    auto loss = network->Loss(rows, targets);
    EXPECT_TRUE(loss.ok()) << (loss.ok() ? "" : loss.error().message);
    return loss.ok() ? *loss : std::nan("");
  }

  // `scale` is undone: the gradients are those of the loss.
  Gradients Backward(double scale = 1.0) {
    network->parameters().ClearGradients();
    auto loss = network->LossAndGradient(rows, targets, scale);
    EXPECT_TRUE(loss.ok()) << (loss.ok() ? "" : loss.error().message);
    Gradients gradients;
    for (const auto& p : network->parameters().all()) {
      if (!p.trained) continue;
      auto& gradient = gradients[p.spec.name];
      for (const T& g : p.grad.span()) gradient.push_back(static_cast<double>(g) / scale);
    }
    return gradients;
  }

  std::unique_ptr<device::Device> device;
  std::unique_ptr<train::Network<T>> network;
  std::vector<int32_t> rows, targets;
};

// Parameters of a network as the scalar model takes them.
template <class T, class Network>
void CopyParameters(Network& network, ScalarModel<T>* model) {
  for (const auto& p : network.parameters().all()) {
    model->parameters[p.spec.name].assign(p.value.span().begin(), p.value.span().end());
  }
}

// d loss / d p = Im loss(p + ih) / h, exact to rounding for any small h.
inline Gradients ComplexStep(ScalarModel<std::complex<double>>& model,
                             const std::vector<int32_t>& rows,
                             const std::vector<int32_t>& targets) {
  constexpr double kStep = 1e-100;
  Gradients gradients;
  for (auto& [name, values] : model.parameters) {
    for (auto& value : values) {
      const std::complex<double> before = value;
      value += std::complex<double>(0, kStep);
      gradients[name].push_back(model.Loss(rows, targets).imag() / kStep);
      value = before;
    }
  }
  return gradients;
}

}  // namespace millwright::testing
