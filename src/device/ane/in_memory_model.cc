#include "device/ane/in_memory_model.h"

#include <chrono>
#include <thread>

#include "device/ane/compile_budget.h"
#include "device/ane/errors.h"
#include "device/ane/stage.h"

namespace millwright::device::ane {
namespace {

constexpr std::chrono::milliseconds kLoadRetryDelay(100);

// A method's outcome: NO is an error, and so is YES with an NSError.
Status Outcome(const CFunctions& c, std::string_view method, bool done, Id error) {
  if (done && error == nullptr) return {};
  return MethodError(c, method, error);
}

// {path: {"data": bytes}} for every weight file, in the order of their paths; empty where there are
// none, not null (fact A2). One entry a file, whose inner dictionary has one key (fact C10).
Result<Ref> WeightDictionary(const CFunctions& c, const mil::WeightStore& weights) {
  std::vector<std::pair<Ref, Ref>> files;
  for (const auto& [path, file] : weights.files()) {
    auto key = MakeString(c, path);
    if (!key) return key.error();
    auto name = MakeString(c, "data");
    if (!name) return name.error();
    auto data = MakeData(c, file.bytes);
    if (!data) return data.error();
    std::vector<std::pair<Ref, Ref>> entry;
    entry.emplace_back(*std::move(name), *std::move(data));
    auto inner = MakeDictionary(c, entry);
    if (!inner) return inner.error();
    files.emplace_back(*std::move(key), *std::move(inner));
  }
  return MakeDictionary(c, files);
}

// The text as NSData, not NSString (fact A1).
Result<Ref> Descriptor(const Api& api, const Source& source) {
  auto text = MakeData(api.c, std::as_bytes(std::span(source.text)));
  if (!text) return text.error();
  auto weights = WeightDictionary(api.c, *source.weights);
  if (!weights) return weights.error();
  Ref descriptor =
      Ref::Retain(api.c, api.methods.make_descriptor(text->get(), weights->get(), nullptr));
  if (!descriptor) return Failed("modelWithMILText:weights:optionsPlist: returned nothing");
  return descriptor;
}

}  // namespace

Result<std::unique_ptr<InMemoryModel>> InMemoryModel::Create(std::shared_ptr<const Api> api,
                                                             const Source& source) {
  const CFunctions& c = api->c;
  const AutoreleasePool pool(c);
  std::unique_ptr<InMemoryModel> model(new InMemoryModel(api));
  auto descriptor = Descriptor(*api, source);
  if (!descriptor) return descriptor.error();
  model->model_ = Ref::Retain(c, api->methods.make_model(descriptor->get()));
  if (!model->model_) return Failed("inMemoryModelWithDescriptor: returned nothing");
  auto options = MakeDictionary(c, {});
  if (!options) return options.error();
  model->options_ = *std::move(options);
  auto identifier = TextOf(c, api->methods.hex_identifier(model->model_.get()));
  if (!identifier) return identifier.error().In("hexStringIdentifier");
  model->identifier_ = *std::move(identifier);
  auto temporary = TextOf(c, c.NSTemporaryDirectory());
  if (!temporary) return temporary.error().In("NSTemporaryDirectory");
  model->folder_ = *std::move(temporary) + "/" + model->identifier_;
  return model;
}

InMemoryModel::~InMemoryModel() {
  const AutoreleasePool pool(api_->c);
  // There is nobody to tell of a failure, and nothing left to do about one.
  Id error = nullptr;
  if (loaded_) api_->methods.unload(model_.get(), kQualityOfService, &error);
  if (staged_) RemoveStaged(folder_);
}

Status InMemoryModel::CallCompile() const {
  Id error = nullptr;
  const bool done = api_->methods.compile(model_.get(), kQualityOfService, options_.get(), &error);
  return Outcome(api_->c, "compileWithQoS:options:error:", done, error);
}

Status InMemoryModel::Compile(const Source& source, int budget) {
  const AutoreleasePool pool(api_->c);
  const Methods& methods = api_->methods;
  // The files are staged in any case: a system that forgot the program compiles it when loading.
  staged_ = true;
  if (Status status = StageFiles(source, folder_); !status) return status;
  if (methods.compiled_model_exists && methods.compiled_model_exists(model_.get())) return {};
  if (Status status = SpendCompilation(budget); !status) return status;
  return CallCompile();
}

Status InMemoryModel::CallLoad() const {
  Id error = nullptr;
  const bool done = api_->methods.load(model_.get(), kQualityOfService, options_.get(), &error);
  return Outcome(api_->c, "loadWithQoS:options:error:", done, error);
}

Status InMemoryModel::Load() {
  const AutoreleasePool pool(api_->c);
  Status status = CallLoad();
  if (!status) {
    std::this_thread::sleep_for(kLoadRetryDelay);
    status = CallLoad();
  }
  loaded_ = status.ok();
  return status;
}

Status InMemoryModel::Evaluate(Id request) const {
  const AutoreleasePool pool(api_->c);
  Id error = nullptr;
  const bool done =
      api_->methods.evaluate(model_.get(), kQualityOfService, options_.get(), request, &error);
  return Outcome(api_->c, "evaluateWithQoS:options:request:error:", done, error);
}

Result<std::vector<int64_t>> InMemoryModel::Symbols(bool inputs, size_t count) const {
  const AutoreleasePool pool(api_->c);
  const Methods& m = api_->methods;
  const auto& method = inputs ? m.input_symbols : m.output_symbols;
  std::vector<int64_t> symbols;
  if (m.inner_model && method && m.count && m.first_index && m.index_after) {
    const Id inner = m.inner_model(model_.get());
    const Id set = inner == nullptr ? nullptr : method(inner, 0);
    if (set != nullptr && m.count(set) > 0) {
      if (m.count(set) != count) {
        return Failed("the loaded program has {} {}, expected {}", m.count(set),
                      inputs ? "inputs" : "outputs", count);
      }
      unsigned long index = m.first_index(set);
      for (size_t i = 0; i < count; ++i, index = m.index_after(set, index)) {
        symbols.push_back(static_cast<int64_t>(index));
      }
      return symbols;
    }
  }
  for (size_t i = 0; i < count; ++i) symbols.push_back(static_cast<int64_t>(i));
  return symbols;
}

}  // namespace millwright::device::ane
