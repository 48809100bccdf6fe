#include "device/ane/in_memory_path.h"

#include <map>
#include <mutex>

#include "device/ane/in_memory_model.h"
#include "device/ane/io_surface.h"
#include "device/ane/port_order.h"

namespace millwright::device::ane {
namespace {

class InMemoryRequest final : public Request {
 public:
  InMemoryRequest(const InMemoryModel& model, Ref request)
      : model_(model), request_(std::move(request)) {}
  Status Evaluate() override { return model_.Evaluate(request_.get()); }

 private:
  const InMemoryModel& model_;
  Ref request_;
};

// A program of ours on a model, which programs that are equal share: their ports lie in the same
// order, for the text is the same.
class InMemoryProgram final : public LoadedProgram {
 public:
  static Result<std::shared_ptr<LoadedProgram>> Create(std::shared_ptr<const Api> api,
                                                       std::shared_ptr<InMemoryModel> model,
                                                       const mil::Function& function,
                                                       const Target& target) {
    auto program = std::make_shared<InMemoryProgram>(std::move(api), std::move(model));
    for (const Side side : {Side::kInputs, Side::kOutputs}) {
      PortMap& ports = side == Side::kInputs ? program->inputs_ : program->outputs_;
      ports.order = PortOrder(function, side, target);
      auto symbols = program->model_->Symbols(side == Side::kInputs, ports.order.size());
      if (!symbols) return symbols.error();
      ports.symbols = *std::move(symbols);
    }
    return std::shared_ptr<LoadedProgram>(std::move(program));
  }

  InMemoryProgram(std::shared_ptr<const Api> api, std::shared_ptr<InMemoryModel> model)
      : api_(std::move(api)), model_(std::move(model)) {}

  Result<std::unique_ptr<Request>> Bind(std::span<Memory* const> inputs,
                                        std::span<Memory* const> outputs) override {
    const CFunctions& c = api_->c;
    const AutoreleasePool pool(c);
    auto in = MakeSide(inputs_, inputs);
    if (!in) return in.error();
    auto out = MakeSide(outputs_, outputs);
    if (!out) return out.error();
    auto procedure = MakeNumber(c, 0);
    if (!procedure) return procedure.error();
    Ref request = Ref::Retain(
        c, api_->methods.make_request(in->surfaces.get(), in->indices.get(), out->surfaces.get(),
                                      out->indices.get(), nullptr, nullptr, procedure->get()));
    if (!request) return Failed("requestWithInputs:... returned nothing");
    return std::unique_ptr<Request>(std::make_unique<InMemoryRequest>(*model_, std::move(request)));
  }

 private:
  struct PortMap {
    std::vector<size_t> order;     // order[k]: the port that is the k-th symbol
    std::vector<int64_t> symbols;  // its number
  };
  struct RequestSide {
    Ref surfaces, indices;
  };

  Result<RequestSide> MakeSide(const PortMap& ports, std::span<Memory* const> memory) const {
    const CFunctions& c = api_->c;
    std::vector<Ref> surfaces, indices;
    for (size_t k = 0; k < ports.order.size(); ++k) {
      const auto* surface = static_cast<const IoSurface*>(memory[ports.order[k]]);
      surfaces.push_back(Ref::Retain(c, api_->methods.wrap_surface(surface->get())));
      if (!surfaces.back()) return Failed("objectWithIOSurface: returned nothing");
      auto index = MakeNumber(c, ports.symbols[k]);
      if (!index) return index.error();
      indices.push_back(*std::move(index));
    }
    auto surface_array = MakeArray(c, surfaces);
    if (!surface_array) return surface_array.error();
    auto index_array = MakeArray(c, indices);
    if (!index_array) return index_array.error();
    return RequestSide{*std::move(surface_array), *std::move(index_array)};
  }

  std::shared_ptr<const Api> api_;
  std::shared_ptr<InMemoryModel> model_;
  PortMap inputs_, outputs_;
};

class InMemoryPath final : public Path {
 public:
  InMemoryPath(std::shared_ptr<const Api> api, const Target& target, int compile_budget)
      : api_(std::move(api)), target_(target), compile_budget_(compile_budget) {}

  Result<std::shared_ptr<LoadedProgram>> Compile(const Source& source) override {
    auto model = InMemoryModel::Create(api_, source);
    if (!model) return model.error();
    auto shared = Loaded(*std::move(model), source);
    if (!shared) return shared.error();
    return InMemoryProgram::Create(api_, *std::move(shared), *source.function, target_);
  }

  Result<std::unique_ptr<Memory>> Allocate(size_t bytes) override {
    return IoSurface::Create(api_, bytes);
  }

  bool wants_equal_sizes() const override { return true; }

 private:
  // The model with that identifier that is loaded already, or `model`, compiled and loaded.
  Result<std::shared_ptr<InMemoryModel>> Loaded(std::unique_ptr<InMemoryModel> model,
                                                const Source& source) {
    const std::lock_guard lock(mutex_);
    std::erase_if(models_, [](const auto& entry) { return entry.second.expired(); });
    std::weak_ptr<InMemoryModel>& known = models_[model->identifier()];
    if (auto found = known.lock()) return found;
    if (Status status = model->Compile(source, compile_budget_); !status) return status.error();
    if (Status status = model->Load(); !status) return status.error();
    std::shared_ptr<InMemoryModel> shared = std::move(model);
    known = shared;
    return shared;
  }

  std::shared_ptr<const Api> api_;
  Target target_;
  int compile_budget_;
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<InMemoryModel>> models_;
};

}  // namespace

std::shared_ptr<Path> MakeInMemoryPath(std::shared_ptr<const Api> api, const Target& target,
                                       int compile_budget) {
  return std::make_shared<InMemoryPath>(std::move(api), target, compile_budget);
}

}  // namespace millwright::device::ane
