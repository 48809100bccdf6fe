#include "checkpoint/training_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "base/atomic_file.h"
#include "base/folder.h"
#include "base/mapped_file.h"
#include "base/read_file.h"

namespace millwright::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kWeights = "weights.safetensors";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr const char* kStateJson = "state.json";
constexpr const char* kChecksums = "checksums";
constexpr const char* kLatest = "LATEST";
constexpr std::string_view kPrefix = "state-";
constexpr std::string_view kFormat = "millwright-state";
constexpr int kVersion = 1;
constexpr size_t kKeptStates = 2;

using Digests = std::map<std::string, FileDigest>;

std::string ChecksumText(const Digests& digests) {
  std::string text;
  for (const auto& [name, digest] : digests) {
    text += fmt::format("{} {} {:016x}\n", name, digest.size, digest.hash);
  }
  return text;
}

// The step of a folder name such as "state-100", or nothing.
std::optional<int64_t> StepOf(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  int64_t step = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (error != std::errc() || end != name.data() + name.size() || step < 0) return std::nullopt;
  if (fmt::to_string(step) != name) return std::nullopt;  // no leading zeros
  return step;
}

bool IsLeftover(std::string_view name) {
  return name.starts_with(kPrefix) && (name.ends_with(".tmp") || name.ends_with(".previous"));
}

// Names in a folder, sorted; empty if it cannot be read.
std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

Status RemoveLeftovers(const std::string& run_dir) {
  for (const auto& name : NamesIn(run_dir)) {
    if (!IsLeftover(name)) continue;
    if (auto status = RemoveAll(run_dir + "/" + name); !status) return status;
  }
  return {};
}

// Renamed first: a removal that is cut off must not leave half a state under a state's name.
Status RemoveState(const std::string& run_dir, int64_t step) {
  const std::string path = StatePath(run_dir, step);
  const std::string doomed = path + ".tmp";
  std::error_code error;
  fs::rename(path, doomed, error);
  if (error) return Failed("{}: cannot be removed: {}", path, error.message());
  return RemoveAll(doomed);
}

Status Prune(const std::string& run_dir, int64_t step, std::optional<int64_t> best_step) {
  std::vector<int64_t> states = ListStates(run_dir);
  std::erase_if(states, [&](int64_t state) { return state > step; });
  for (size_t i = 0; i + kKeptStates < states.size(); ++i) {
    if (states[i] == best_step) continue;
    if (auto status = RemoveState(run_dir, states[i]); !status) return status;
  }
  return {};
}

std::vector<TensorInfo> Infos(std::span<const NamedTensor> tensors) {
  std::vector<TensorInfo> infos;
  for (const auto& tensor : tensors) {
    const bool bf16 = std::holds_alternative<std::span<const Bf16>>(tensor.data);
    infos.push_back({tensor.name, bf16 ? DType::kBf16 : DType::kFp32, tensor.shape});
  }
  return infos;
}

Result<std::string> StateText(int64_t step, const json& meta) {
  const json state = {{"format", kFormat}, {"version", kVersion}, {"step", step}, {"meta", meta}};
  try {
    return state.dump(1) + "\n";
  } catch (const json::exception& error) {  // the only check that the library has for this
    return BadInput("the state's settings hold text that is not UTF-8: {}", error.what());
  }
}

Status CheckNames(std::span<const NamedTensor> weights, std::span<const NamedTensor> optimizer) {
  std::set<std::string_view> names;
  for (const auto& list : {weights, optimizer}) {
    for (const auto& tensor : list) {
      if (!names.insert(tensor.name).second) {
        return BadInput("training state: two tensors are named '{}'", tensor.name);
      }
      const size_t elements = std::visit([](auto data) { return data.size(); }, tensor.data);
      if (static_cast<int64_t>(elements) != NumElements(tensor.shape)) {
        return BadInput("training state: tensor '{}' of shape {} has {} elements", tensor.name,
                        ShapeToString(tensor.shape), elements);
      }
    }
  }
  return {};
}

Result<FileDigest> WriteTensors(const std::string& path, std::span<const NamedTensor> tensors) {
  auto writer = SafetensorsWriter::Create(path, Infos(tensors), {{"format", "millwright"}});
  if (!writer) return writer.error();
  for (const auto& tensor : tensors) {
    auto status = std::visit([&](auto data) { return writer->Append(data); }, tensor.data);
    if (!status) return status.error();
  }
  return writer->Finish();
}

Status WriteFiles(const FolderWriter& folder, const std::string& state_text,
                  std::span<const NamedTensor> weights, std::span<const NamedTensor> optimizer) {
  Digests digests;
  auto digest = WriteTensors(folder.File(kWeights), weights);
  if (!digest) return digest.error();
  digests[kWeights] = *digest;
  digest = WriteTensors(folder.File(kOptimizer), optimizer);
  if (!digest) return digest.error();
  digests[kOptimizer] = *digest;
  if (auto status = WriteFile(folder.File(kStateJson), state_text, &digests[kStateJson]); !status) {
    return status;
  }
  return WriteFile(folder.File(kChecksums), ChecksumText(digests));
}

// The sizes and checksums of a state's files; `checksums` itself must be exactly as WriteState
// wrote it.
Result<Digests> ReadChecksums(const std::string& state_dir) {
  const std::string path = state_dir + "/" + kChecksums;
  const auto text = ReadFile(path);
  if (!text) return text.error().In(fmt::format("{}: not a training state", state_dir));
  Digests digests;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const size_t first = std::min(line.find(' '), line.size());
    const size_t second = std::min(line.find(' ', first + 1), line.size());
    FileDigest digest;
    std::from_chars(line.data() + std::min(first + 1, line.size()), line.data() + second,
                    digest.size);
    std::from_chars(line.data() + std::min(second + 1, line.size()), line.data() + line.size(),
                    digest.hash, 16);
    digests[std::string(line.substr(0, first))] = digest;
  }
  bool complete = digests.size() == 3;
  for (const char* name : {kWeights, kOptimizer, kStateJson}) complete &= digests.contains(name);
  if (!complete || ChecksumText(digests) != *text) {
    return BadInput("{}: damaged, or not written by Millwright", path);
  }
  return digests;
}

Status Verify(const std::string& path, std::span<const std::byte> bytes, const FileDigest& digest) {
  if (bytes.size() != digest.size) {
    return BadInput("{}: damaged: {} bytes expected, {} found", path, digest.size, bytes.size());
  }
  const uint64_t hash = HashBytes(bytes);
  if (hash == digest.hash) return {};
  return BadInput("{}: damaged: checksum {:016x} expected, {:016x} found", path, digest.hash, hash);
}

// Verifies before parsing: a flipped byte in a header is reported as damage.
Result<Safetensors> OpenTensors(const std::string& path, const FileDigest& digest) {
  auto file = MappedFile::Open(path);
  if (!file) return file.error();
  if (auto status = Verify(path, (*file)->bytes(), digest); !status) return status.error();
  return Safetensors::Open(path);
}

struct StateJson {
  int64_t step;
  json meta;
};

Result<StateJson> OpenStateJson(const std::string& path, const FileDigest& digest) {
  const auto text = ReadFile(path);
  if (!text) return text.error();
  if (auto status = Verify(path, std::as_bytes(std::span(*text)), digest); !status) {
    return status.error();
  }
  const json state = json::parse(*text, nullptr, false);
  if (!state.is_object() || state.value("format", json()) != kFormat) {
    return BadInput("{}: not a training state", path);
  }
  if (state.value("version", json()) != kVersion) {
    return BadInput("{}: version {} expected, {} found", path, kVersion,
                    state.value("version", json()).dump());
  }
  if (!state.contains("meta") || !state.value("step", json()).is_number_integer()) {
    return BadInput("{}: step or meta is missing", path);
  }
  return StateJson{state["step"].get<int64_t>(), state["meta"]};
}

// What the user can do when LATEST is of no use: the newest good state other than `broken`.
std::string Advice(const std::string& run_dir, const std::string& broken) {
  std::vector<int64_t> steps = ListStates(run_dir);
  std::ranges::reverse(steps);
  for (int64_t step : steps) {
    const std::string path = StatePath(run_dir, step);
    if (path == run_dir + "/" + broken || !StateReader::Open(path)) continue;
    return fmt::format("; {} is complete: to go on from it, write state-{} into {}/{}", path, step,
                       run_dir, kLatest);
  }
  for (const auto& name : NamesIn(run_dir)) {
    if (!IsLeftover(name) || !StateReader::Open(run_dir + "/" + name)) continue;
    return fmt::format("; {}/{} is complete: to go on from it, rename it to {}", run_dir, name,
                       name.substr(0, name.find('.')));
  }
  return "; there is no other complete state";
}

}  // namespace

std::string StatePath(const std::string& run_dir, int64_t step) {
  return fmt::format("{}/{}{}", run_dir, kPrefix, step);
}

std::vector<int64_t> ListStates(const std::string& run_dir) {
  std::vector<int64_t> steps;
  for (const auto& name : NamesIn(run_dir)) {
    if (const auto step = StepOf(name)) steps.push_back(*step);
  }
  std::ranges::sort(steps);
  return steps;
}

uint64_t StateBytes(const json& meta, std::span<const NamedTensor> weights,
                    std::span<const NamedTensor> optimizer) {
  constexpr uint64_t kSlack = 64 << 10;  // checksums, LATEST, folders, blocks not filled
  const std::string text = meta.dump(1, ' ', false, json::error_handler_t::replace);
  const SafetensorsMetadata metadata = {{"format", "millwright"}};
  return SafetensorsBytes(Infos(weights), metadata) + SafetensorsBytes(Infos(optimizer), metadata) +
         2 * text.size() + kSlack;
}

Status WriteState(const std::string& run_dir, int64_t step, const json& meta,
                  std::span<const NamedTensor> weights, std::span<const NamedTensor> optimizer,
                  std::optional<int64_t> best_step) {
  if (step < 0) return BadInput("training state: step {} is negative", step);
  if (auto status = CheckNames(weights, optimizer); !status) return status;
  const auto text = StateText(step, meta);
  if (!text) return text.error();

  std::error_code error;
  fs::create_directories(run_dir, error);
  if (error) return Failed("{}: cannot be created: {}", run_dir, error.message());
  if (auto status = RemoveLeftovers(run_dir); !status) return status;
  const uint64_t bytes = StateBytes(meta, weights, optimizer);
  if (auto status = CheckFreeSpace(run_dir, bytes); !status) return status;

  const std::string path = StatePath(run_dir, step);
  auto folder = FolderWriter::Create(path);
  if (!folder) return folder.error();
  if (auto status = WriteFiles(*folder, *text, weights, optimizer); !status) return status;
  if (auto status = folder->Commit(); !status) return status;
  const std::string latest = run_dir + "/" + kLatest;
  const std::string name = fs::path(path).filename().string() + "\n";
  if (auto status = WriteFileAtomically(latest, name); !status) return status;
  if (auto status = SyncFolder(run_dir); !status) return status;
  return Prune(run_dir, step, best_step);
}

Result<StateReader> StateReader::Open(const std::string& state_dir) {
  const auto digests = ReadChecksums(state_dir);
  if (!digests) return digests.error();
  const auto path = [&](const char* name) { return state_dir + "/" + name; };
  auto state = OpenStateJson(path(kStateJson), digests->at(kStateJson));
  if (!state) return state.error();
  auto weights = OpenTensors(path(kWeights), digests->at(kWeights));
  if (!weights) return weights.error();
  auto optimizer = OpenTensors(path(kOptimizer), digests->at(kOptimizer));
  if (!optimizer) return optimizer.error();
  StateReader reader(state_dir, std::move(*weights), std::move(*optimizer));
  reader.step_ = state->step;
  reader.meta_ = std::move(state->meta);
  return reader;
}

Result<StateReader> StateReader::OpenLatest(const std::string& run_dir) {
  const std::string latest = run_dir + "/" + kLatest;
  auto text = ReadFile(latest);
  if (!text) {
    return BadInput("{}: no training state to resume from: {}{}", run_dir, text.error().message,
                    Advice(run_dir, ""));
  }
  std::string name = *std::move(text);
  if (name.ends_with('\n')) name.pop_back();
  if (!StepOf(name)) {
    return BadInput("{}: expected the name of a state, such as state-100, found {}{}", latest,
                    json(name).dump(-1, ' ', true, json::error_handler_t::replace),
                    Advice(run_dir, ""));
  }
  auto reader = Open(run_dir + "/" + name);
  if (reader) return reader;
  return BadInput("{} names {}, which cannot be resumed: {}{}", latest, name,
                  reader.error().message, Advice(run_dir, name));
}

Status StateReader::Read(const std::string& name, const Shape& shape, std::span<float> out) const {
  const bool in_weights = weights_.Find(name) != nullptr;
  return (in_weights ? weights_ : optimizer_).Read(name, shape, out);
}

Status StateReader::Read(const std::string& name, const Shape& shape, std::span<Bf16> out) const {
  const bool in_weights = weights_.Find(name) != nullptr;
  return (in_weights ? weights_ : optimizer_).Read(name, shape, out);
}

Status RemoveStates(const std::string& run_dir) {
  if (auto status = RemoveAll(run_dir + "/" + kLatest); !status) return status;
  for (int64_t step : ListStates(run_dir)) {
    if (auto status = RemoveState(run_dir, step); !status) return status;
  }
  return RemoveLeftovers(run_dir);
}

}  // namespace millwright::checkpoint
