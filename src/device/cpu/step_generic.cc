#include <fmt/format.h>

#include "device/cpu/steps.h"
#include "device/cpu/view_walk.h"

namespace millwright::device::cpu {
namespace {

class ScatterStep final : public Step {
 public:
  ScatterStep(View from, View to) : from_(std::move(from)), to_(std::move(to)) {
    ForEachOffset(from_, [&](int64_t offset) { offsets_.push_back(offset); });
  }

  Status Run(const RunContext& context) const override {
    const float* from = context.buffers[static_cast<size_t>(from_.buffer)];
    float* to = context.buffers[static_cast<size_t>(to_.buffer)];
    const int64_t* offset = offsets_.data();
    ForEachOffset(to_, [&](int64_t at) { to[at] = from[*offset++]; });
    return {};
  }

  std::string Describe() const override {
    return fmt::format("copy by element, {} elements", to_.elements());
  }

  std::vector<int> Buffers() const override { return {from_.buffer, to_.buffer}; }

 private:
  View from_, to_;
  std::vector<int64_t> offsets_;
};

class GenericStep final : public Step {
 public:
  GenericStep(const mil::OpDef* def, std::string id, std::vector<GenericArgument> arguments,
              std::vector<mil::Type> types, std::vector<View> outputs, Numerics numerics)
      : def_(def),
        id_(std::move(id)),
        arguments_(std::move(arguments)),
        types_(std::move(types)),
        outputs_(std::move(outputs)),
        numerics_(numerics) {}

  Status Run(const RunContext& context) const override {
    std::vector<std::shared_ptr<const mil::Array>> owned;
    std::vector<mil::CallArgument> arguments;
    for (const GenericArgument& argument : arguments_) {
      mil::CallArgument& call = arguments.emplace_back();
      call.key = argument.key;
      call.types = argument.types;
      call.text = argument.text;
      call.tuple = argument.tuple;
      call.arrays.assign(argument.types.size(), nullptr);
      for (size_t i = 0; i < argument.views.size(); ++i) {
        auto array = std::make_shared<mil::Array>(mil::Array{argument.types[i], {}});
        array->data.resize(static_cast<size_t>(argument.types[i].elements()));
        GatherView(argument.views[i],
                   context.buffers[static_cast<size_t>(argument.views[i].buffer)],
                   array->data.data());
        call.arrays[i] = array.get();
        owned.push_back(std::move(array));
      }
    }
    const mil::Call call(def_->name, id_, std::move(arguments), std::move(owned));
    auto results = def_->evaluate(call, types_, numerics_);
    if (!results) return results.error();
    for (size_t i = 0; i < outputs_.size(); ++i) {
      for (double& x : (*results)[i].data) x = numerics_.Round(x, types_[i].dtype);
      ScatterView(outputs_[i], (*results)[i].data.data(),
                  context.buffers[static_cast<size_t>(outputs_[i].buffer)]);
    }
    return {};
  }

  std::string Describe() const override { return fmt::format("evaluate {} ({})", def_->name, id_); }

  std::vector<int> Buffers() const override {
    std::vector<int> buffers;
    for (const GenericArgument& argument : arguments_) {
      for (const View& view : argument.views) buffers.push_back(view.buffer);
    }
    for (const View& view : outputs_) buffers.push_back(view.buffer);
    return buffers;
  }

 private:
  const mil::OpDef* def_;
  std::string id_;
  std::vector<GenericArgument> arguments_;
  std::vector<mil::Type> types_;
  std::vector<View> outputs_;
  Numerics numerics_;
};

}  // namespace

void GatherView(const View& view, const float* base, double* to) {
  ForEachOffset(view, [&](int64_t offset) { *to++ = static_cast<double>(base[offset]); });
}

void ScatterView(const View& view, const double* from, float* base) {
  ForEachOffset(view, [&](int64_t offset) { base[offset] = static_cast<float>(*from++); });
}

std::unique_ptr<Step> MakeScatterStep(View from, View to) {
  return std::make_unique<ScatterStep>(std::move(from), std::move(to));
}

std::unique_ptr<Step> MakeGenericStep(const mil::OpDef* def, std::string id,
                                      std::vector<GenericArgument> arguments,
                                      std::vector<mil::Type> types, std::vector<View> outputs,
                                      Numerics numerics) {
  return std::make_unique<GenericStep>(def, std::move(id), std::move(arguments), std::move(types),
                                       std::move(outputs), numerics);
}

}  // namespace millwright::device::cpu
