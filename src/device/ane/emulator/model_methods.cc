// _ANEInMemoryModelDescriptor and _ANEInMemoryModel: created, compiled, loaded, evaluated,
// unloaded.
#include <algorithm>
#include <filesystem>

#include "device/ane/emulator/classes.h"
#include "device/ane/emulator/entry.h"
#include "device/ane/emulator/machine.h"
#include "device/ane/emulator/methods.h"
#include "device/ane/emulator/program_table.h"

namespace millwright::device::ane::emulator {
namespace {

// Codes of errors of the client. The texts carry the codes of compiler and engine.
constexpr long kCompilerCode = 1, kLoadCode = 4, kRequestCode = 8;

// FNV-1a, 64 bits.
uint64_t Hash(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

// The first object of each inner dictionary, in the order of the outer keys (fact C10).
std::optional<std::string> WeightBytes(const Dictionary& weights) {
  std::map<std::string, std::string> files;
  for (const auto& [key, value] : weights.entries) {
    const auto* path = dynamic_cast<const String*>(key.get());
    const auto* inner = dynamic_cast<const Dictionary*>(value.get());
    if (path == nullptr || inner == nullptr || inner->entries.empty()) return std::nullopt;
    const auto* data = dynamic_cast<const Data*>(inner->entries.front().second.get());
    if (data == nullptr) return std::nullopt;
    files[path->text] = data->bytes;
  }
  std::string all;
  for (const auto& [path, bytes] : files) all += path + fmt::format("{:x}", Hash(bytes));
  return all;
}

// The faults that every BOOL method can have.
struct Outcome {
  Fault fault;
  Id* error;
  long code;
  std::string name;

  bool stops() const { return fault != Fault::kNone && fault != Fault::kErrorYes; }
  bool Stop() const {
    if (fault == Fault::kLie) return true;
    if (fault == Fault::kFailMutely) return false;
    return Fail(error, code, name + ": an injected fault");
  }
  bool Done() const {
    if (fault == Fault::kErrorYes) Fail(error, code, name + ": done, and an injected error");
    return true;
  }
};

Outcome Begin(Entry entry, long code, Id* error) {
  return {Enter(entry), error, code, std::string(EntryName(entry))};
}

}  // namespace

Model::~Model() {
  if (loaded != nullptr) UnloadProgram();
}

std::string Model::Folder() const { return TemporaryFolder() + "/" + identifier; }

namespace methods {

// The text must be NSData and the weights a dictionary (facts A1, A2).
Id make_descriptor(Id, Selector, Id text, Id weights, Id options) {
  if (Enter(Entry::make_descriptor) != Fault::kNone) return nullptr;
  const auto* data = As<Data>(text);
  const auto* files = As<Dictionary>(weights);
  if (data == nullptr || files == nullptr) return nullptr;
  const auto bytes = WeightBytes(*files);
  if (!bytes) return nullptr;
  const auto* plist = As<Data>(options);
  auto* descriptor = new Descriptor;
  descriptor->identifier = fmt::format("{:016X}_{:016X}_{:016X}", Hash(data->bytes), Hash(*bytes),
                                       Hash(plist == nullptr ? "" : plist->bytes));
  return Autorelease(descriptor);
}

Id make_model(Id, Selector, Id descriptor) {
  if (Enter(Entry::make_model) != Fault::kNone) return nullptr;
  const auto* from = As<Descriptor>(descriptor);
  return from == nullptr ? nullptr : Autorelease(new Model(from->identifier));
}

Id hex_identifier(Id self, Selector) {
  if (Enter(Entry::hex_identifier) != Fault::kNone) return nullptr;
  return Autorelease(new String(As<Model>(self)->identifier));
}

bool compiled_model_exists(Id self, Selector) {
  if (Enter(Entry::compiled_model_exists) != Fault::kNone) return false;
  return FindProgram(As<Model>(self)->identifier) != nullptr;
}

// Reads the staged files, not the descriptor's (fact A3).
bool compile(Id self, Selector, unsigned, Id, Id* error) {
  const Outcome outcome = Begin(Entry::compile, kCompilerCode, error);
  if (outcome.stops()) return outcome.Stop();
  const auto* model = As<Model>(self);
  auto program = CompileProgram(model->identifier, model->Folder() + "/model.mil");
  if (!program) return Fail(error, kCompilerCode, program.error().message);
  return outcome.Done();
}

// By identifier if the program is compiled, whatever lies in the folder; else compiles (fact C2).
bool load(Id self, Selector, unsigned, Id, Id* error) {
  const Outcome outcome = Begin(Entry::load, kLoadCode, error);
  if (outcome.stops()) return outcome.Stop();
  auto* model = As<Model>(self);
  if (model->loaded != nullptr) return outcome.Done();
  std::shared_ptr<EngineProgram> program = FindProgram(model->identifier);
  if (program == nullptr) {
    auto compiled = CompileProgram(model->identifier, model->Folder() + "/model.mil");
    if (!compiled) return Fail(error, kLoadCode, compiled.error().message);
    program = *std::move(compiled);
  }
  if (Status status = LoadProgram(*program); !status) {
    return Fail(error, kLoadCode, status.error().message);
  }
  model->loaded = std::move(program);
  return outcome.Done();
}

bool evaluate(Id self, Selector, unsigned, Id, Id request, Id* error) {
  const Outcome outcome = Begin(Entry::evaluate, kRequestCode, error);
  if (outcome.stops()) return outcome.Stop();
  const auto* model = As<Model>(self);
  const auto* object = As<RequestObject>(request);
  if (model->loaded == nullptr) return Fail(error, kRequestCode, "the model is not loaded");
  if (object == nullptr) return Fail(error, kRequestCode, "no request");
  if (const EngineStatus failed = RunRequest(*model->loaded, *object)) {
    return Fail(error, failed->code, failed->text);
  }
  return outcome.Done();
}

// Removes the folder, whatever is in it (fact C3).
bool unload(Id self, Selector, unsigned, Id* error) {
  const Outcome outcome = Begin(Entry::unload, kLoadCode, error);
  if (outcome.stops()) return outcome.Stop();
  auto* model = As<Model>(self);
  if (model->loaded == nullptr) return Fail(error, kLoadCode, "the model is not loaded");
  model->loaded = nullptr;
  UnloadProgram();
  std::error_code ignored;
  std::filesystem::remove_all(model->Folder(), ignored);
  return outcome.Done();
}

Id inner_model(Id self, Selector) {
  if (Enter(Entry::inner_model) != Fault::kNone) return nullptr;
  const auto* model = As<Model>(self);
  return model->loaded == nullptr ? nullptr : Autorelease(new InnerModel(model->loaded));
}

Id input_symbols(Id self, Selector, unsigned procedure) {
  if (Enter(Entry::input_symbols) != Fault::kNone || procedure != 0) return nullptr;
  return Autorelease(new IndexSet(As<InnerModel>(self)->program->input_order().size()));
}

Id output_symbols(Id self, Selector, unsigned procedure) {
  if (Enter(Entry::output_symbols) != Fault::kNone || procedure != 0) return nullptr;
  return Autorelease(new IndexSet(As<InnerModel>(self)->program->output_order().size()));
}

unsigned long count(Id self, Selector) {
  return Enter(Entry::count) != Fault::kNone ? 0 : As<IndexSet>(self)->indices.size();
}

unsigned long first_index(Id self, Selector) {
  Enter(Entry::first_index);
  return *As<IndexSet>(self)->indices.begin();
}

// NSNotFound beyond the last.
unsigned long index_after(Id self, Selector, unsigned long index) {
  Enter(Entry::index_after);
  const auto& indices = As<IndexSet>(self)->indices;
  const auto next = indices.upper_bound(index);
  return next == indices.end() ? static_cast<unsigned long>(INT64_MAX) : *next;
}

bool has_ane(Id, Selector) { return Enter(Entry::has_ane) == Fault::kNone; }

Id architecture(Id, Selector) {
  if (Enter(Entry::architecture) != Fault::kNone) return nullptr;
  return Autorelease(new String(Architecture()));
}

unsigned cores(Id, Selector) { return Enter(Entry::cores) == Fault::kNone ? 16 : 0; }
unsigned engines(Id, Selector) { return Enter(Entry::engines) == Fault::kNone ? 1 : 0; }

}  // namespace methods
}  // namespace millwright::device::ane::emulator
