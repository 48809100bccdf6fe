#include "app/kernel_files.h"

#include <filesystem>
#include <set>

#include "base/atomic_file.h"
#include "base/folder.h"
#include "base/rng.h"
#include "mil/text.h"

namespace millwright::app {
namespace {

namespace fs = std::filesystem;

using kernels::KernelProgram;
using kernels::Operand;

constexpr double kInitStd = 0.02;

// The blob of a weight operand: its matrix, or its transpose.
std::vector<std::byte> RandomBlob(const Operand& operand, bool transposed, DType dtype,
                                  uint64_t seed) {
  const Rng rng(seed, StreamId(operand.name.c_str()));
  const auto rows = static_cast<size_t>(operand.rows),
             columns = static_cast<size_t>(operand.columns);
  std::vector<std::byte> data(rows * columns * DTypeSize(dtype));
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < columns; ++c) {
      const double value = rows == 1 ? 1.0 : kInitStd * rng.Normal(r * columns + c);
      StoreElement(dtype, data.data(), transposed ? c * rows + r : r * columns + c, value);
    }
  }
  mil::BlobWriter writer;
  writer.Add(dtype, data);
  return std::move(writer).Finish();
}

// Writes one kernel below `folder`; `written` holds the weight files that are there.
Status EmitKernel(const KernelProgram& program, const kernels::Operands& operands, DType dtype,
                  size_t number, uint64_t seed, const std::string& folder,
                  std::set<std::string>* written) {
  const std::string file = fmt::format("{}/{:02}_{}.mil", folder, number, program.name);
  if (auto status = WriteFileAtomically(file, mil::Print(program.program)); !status) return status;
  mil::WeightStore store = program.constants;
  for (const kernels::WeightBlob& blob : program.blobs) {
    const std::string path = "@model_path/weights/" + blob.file;
    if (written->contains(path)) continue;
    store.Put(path, RandomBlob(*operands.Find(blob.operand), blob.transposed, dtype, seed));
  }
  for (const auto& [path, bytes] : store.files()) written->insert(path);
  return mil::SaveWeights(store, folder);
}

}  // namespace

kernels::KernelSpec AneSpec(const model::ModelConfig& config, kernels::Binding binding) {
  return {
      .config = config,
      .binding = binding,
      .target = {.dtype = DType::kFp16, .fused_attention_backward = false, .width_multiple = 32}};
}

Result<EmittedKernels> EmitKernels(const kernels::KernelSpec& spec, uint64_t seed,
                                   const std::string& dir) {
  if (auto status = RequireNewOrEmpty("--emit", dir); !status) return status.error();
  std::vector<std::pair<const kernels::KernelDef*, KernelProgram>> programs;
  for (const kernels::KernelDef* kernel : kernels::TrainingKernels()) {
    if (kernel->operands(spec).outputs.empty()) continue;
    auto program = kernels::Generate(*kernel, spec);
    if (!program) return program.error();
    programs.emplace_back(kernel, std::move(*program));
  }
  auto writer = FolderWriter::Create(dir);
  if (!writer) return writer.error();
  const std::string folder = fs::path(writer->File("x")).parent_path().string();
  std::set<std::string> written;
  for (const auto& [kernel, program] : programs) {
    const size_t number = static_cast<size_t>(kernel->id) + 1;
    auto status = EmitKernel(program, kernel->operands(spec), spec.target.dtype, number, seed,
                             folder, &written);
    if (!status) return status.error();
  }
  if (auto status = writer->Commit(); !status) return status.error();
  return EmittedKernels{static_cast<int64_t>(programs.size()),
                        static_cast<int64_t>(written.size())};
}

}  // namespace millwright::app
