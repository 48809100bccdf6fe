// What a network does with the rows of its vocabulary: classifier, loss, and the embedding's
// gradient.
#include <algorithm>

#include "base/clock.h"
#include "math/cross_entropy.h"
#include "math/embedding.h"
#include "train/network.h"

namespace millwright::train {
namespace {

using kernels::KernelId;
using model::TensorRole;

}  // namespace

template <class T>
Status Network<T>::PrepareClassifier() {
  const kernels::Offload& offload = options_.offload;
  T* logits = logits_.data();
  if (offload.classifier) {
    T* weight = parameters_->Get(model::ClassifierRole(options_.config)).value.data();
    const int64_t all = offload.classes, rows = kernels::ClassifierRows(session_->spec());
    std::map<std::string, runtime::OperandSource, std::less<>> from_norm;
    if (offload.rmsnorm) from_norm["x_final"] = {KernelId::kFinalRmsnorm, "x_final"};
    for (int64_t first = 0; first < all; first += rows) {
      const int64_t row = std::min(first, all - rows);
      auto launch = session_->Prepare(KernelId::kClassifierFwd, options_.config.layers,
                                      {{"x_final", buffers_.at("x_final").data()},
                                       {"classifier", weight + row * options_.config.dim},
                                       {"logits", logits + row * positions()}},
                                      {.from = from_norm, .stays = {}});
      if (!launch) return launch.error();
      classifier_launches_.push_back(*launch);
    }
  }
  if (!offload.softmax || !options_.gradients) return {};
  probabilities_ = AlignedBuffer<T>(logits_.size());
  runtime::OperandFlow flow;
  if (classifier_launches_.size() == 1) {
    flow.from["logits_in"] = {KernelId::kClassifierFwd, "logits"};
  }
  auto launch =
      session_->Prepare(KernelId::kSoftmaxVocab, options_.config.layers,
                        {{"logits_in", logits}, {"probs_vocab", probabilities_.data()}}, flow);
  if (!launch) return launch.error();
  softmax_launch_ = *launch;
  return {};
}

template <class T>
Status Network<T>::ClassifierForward() {
  const Stopwatch watch;
  for (const LaunchId launch : classifier_launches_) {
    auto status = session_->Run(launch);
    if (!status) return status;
  }
  if (!classifier_launches_.empty()) {
    times_.classifier_ms += watch.ms();
    return {};
  }
  const auto shape = math::DenseGemm(vocab_.rows(), positions(), options_.config.dim, false, false);
  gemm_->Run(shape, parameters_->Get(model::ClassifierRole(options_.config)).value.data(),
             buffers_.at("x_final").data(), logits_.data());
  times_.classifier_ms += watch.ms();
  return {};
}

// The loss; the logits, or the probabilities where the device has made them, become its gradient.
template <class T>
Result<double> Network<T>::CrossEntropy(std::span<const int32_t> targets, double scale) {
  const Stopwatch watch;
  double loss = 0;
  if (softmax_launch_) {
    auto status = session_->Run(*softmax_launch_);
    if (!status) return status.error();
    // Half of the smallest number above 0.
    const double floor = session_->spec().target.dtype == DType::kFp16 ? 0x1p-25 : 0x1p-150;
    loss = math::CrossEntropyOfProbabilities(vocab_.rows(), positions(), targets, floor, scale,
                                             probabilities_.data());
  } else {
    loss = math::CrossEntropy(vocab_.rows(), positions(), targets, vocab_.LastRowBias(), scale,
                              logits_.data());
  }
  times_.classifier_ms += watch.ms();
  return loss;
}

// The embedding's gradient: rows that occur. A tied classifier has written the whole table before;
// else what the last update left in it goes first.
template <class T>
void Network<T>::EmbeddingBackward(std::span<const int32_t> rows) {
  Parameter<T>& embedding = parameters_->Get(TensorRole::kEmbedding);
  if (!embedding.trained) return;
  const Stopwatch watch;
  const bool written = model::ClassifierRole(options_.config) == TensorRole::kEmbedding;
  T* gradient = written ? embedding.grad.data() : GradientToAddTo(embedding);
  math::EmbedBackward(options_.config.dim, rows, buffers_.at("dy").data(), gradient);
  times_.embedding_ms += watch.ms();
}

// Where a step that can only add puts its gradient.
template <class T>
T* Network<T>::GradientToAddTo(Parameter<T>& p) const {
  if (!parameters_->has_gradients()) std::fill_n(p.grad.data(), p.grad.size(), T(0));
  return p.grad.data();
}

// dW = dy x^T of a matrix, or dW += dy x^T.
template <class T>
math::GemmShape Network<T>::GradientGemm(const Parameter<T>& p) const {
  return math::DenseGemm(p.rows, p.columns, positions(), false, true, parameters_->has_gradients());
}

template <class T>
void Network<T>::ClassifierBackward() {
  const Stopwatch watch;
  const int64_t rows = vocab_.rows(), dim = options_.config.dim;
  Parameter<T>& classifier = parameters_->Get(model::ClassifierRole(options_.config));
  const T* gradient = softmax_launch_ ? probabilities_.data() : logits_.data();
  gemm_->Run(math::DenseGemm(dim, positions(), rows, true, false), classifier.value.data(),
             gradient, buffers_.at("dx_final").data());
  if (classifier.trained) {
    gemm_->Run(GradientGemm(classifier), gradient, buffers_.at("x_final").data(),
               classifier.grad.data());
  }
  times_.classifier_ms += watch.ms();
}

template Status Network<float>::PrepareClassifier();
template Status Network<float>::ClassifierForward();
template Result<double> Network<float>::CrossEntropy(std::span<const int32_t>, double);
template void Network<float>::ClassifierBackward();
template void Network<float>::EmbeddingBackward(std::span<const int32_t>);
template float* Network<float>::GradientToAddTo(Parameter<float>&) const;
template math::GemmShape Network<float>::GradientGemm(const Parameter<float>&) const;
template Status Network<double>::PrepareClassifier();
template Status Network<double>::ClassifierForward();
template Result<double> Network<double>::CrossEntropy(std::span<const int32_t>, double);
template void Network<double>::ClassifierBackward();
template void Network<double>::EmbeddingBackward(std::span<const int32_t>);
template double* Network<double>::GradientToAddTo(Parameter<double>&) const;
template math::GemmShape Network<double>::GradientGemm(const Parameter<double>&) const;

}  // namespace millwright::train
