// millwright convert: a model from one format to another.
#include <filesystem>

#include "app/command.h"
#include "app/stored_model.h"
#include "checkpoint/folder.h"

namespace millwright::app {
namespace {

namespace fs = std::filesystem;

enum class Format { kHf, kBlzt };

struct ConvertOptions {
  std::string from, to, format, dtype;
  bool overwrite = false;
};

// What --format says, or what --to looks like.
Result<Format> TargetFormat(const ConvertOptions& options) {
  if (options.format == "hf") return Format::kHf;
  if (options.format == "blzt") return Format::kBlzt;
  if (!options.format.empty()) {
    return BadInput("--format {}: expected hf or blzt", options.format);
  }
  std::error_code ignored;
  const fs::path to(options.to);
  if (fs::is_directory(to, ignored) || !to.has_extension()) return Format::kHf;
  if (to.extension() == ".bin") return Format::kBlzt;
  return BadInput("--to {}: cannot tell the format from the name; give --format hf or blzt",
                  options.to);
}

Result<DType> TargetDType(const ConvertOptions& options, Format format) {
  if (options.dtype.empty()) return DType::kFp32;
  for (DType dtype : {DType::kFp32, DType::kBf16, DType::kFp16}) {
    if (DTypeName(dtype) != options.dtype) continue;
    if (format == Format::kBlzt && dtype != DType::kFp32) {
      return BadInput("--dtype {}: a BLZT file holds fp32 only", options.dtype);
    }
    return dtype;
  }
  return BadInput("--dtype {}: expected fp32, bf16 or fp16", options.dtype);
}

bool HoldsHfModel(const fs::path& dir) {
  std::error_code ignored;
  return fs::exists(dir / "config.json", ignored) &&
         (fs::exists(dir / "model.safetensors", ignored) ||
          fs::exists(dir / "model.safetensors.index.json", ignored));
}

// A model may be replaced where the user says so; anything else never.
Status CheckExistingFolder(const ConvertOptions& options) {
  std::error_code error;
  if (!fs::is_directory(options.to, error)) {
    return BadInput("--to {}: is a file; a Hugging Face model is a folder", options.to);
  }
  if (fs::is_empty(options.to, error)) return {};
  if (!HoldsHfModel(options.to)) {
    return BadInput("--to {}: the folder exists and holds something else than a model", options.to);
  }
  if (options.overwrite) return {};
  return BadInput("--to {}: holds a model; --overwrite replaces it", options.to);
}

Status CheckTarget(const ConvertOptions& options, Format format) {
  std::error_code error;
  const std::string parent = checkpoint::ParentFolder(options.to);
  if (!fs::is_directory(parent, error)) {
    return BadInput("--to {}: there is no folder {}", options.to, parent);
  }
  if (!fs::exists(options.to, error)) return {};
  if (fs::equivalent(options.from, options.to, error)) {
    return BadInput("--to {}: is what --from names", options.to);
  }
  if (format == Format::kHf) return CheckExistingFolder(options);
  if (!fs::is_regular_file(options.to, error)) {
    return BadInput("--to {}: is a folder; a BLZT model is a file", options.to);
  }
  if (options.overwrite) return {};
  return BadInput("--to {}: the file exists; --overwrite replaces it", options.to);
}

Status Write(const StoredModel& model, const ConvertOptions& options, Format format, DType dtype) {
  const uint64_t bytes = format == Format::kHf ? checkpoint::HfFolderBytes(model.config, dtype)
                                               : checkpoint::BlztBytes(model.config);
  const std::string parent = checkpoint::ParentFolder(options.to);
  if (auto status = checkpoint::CheckFreeSpace(parent, bytes); !status) return status;
  if (format == Format::kBlzt) {
    return checkpoint::WriteBlzt(options.to, model.config, model.residual_alpha, model.progress,
                                 model.read);
  }
  const auto weights = [&](const model::TensorSpec& spec, std::span<float> out) {
    return model.read(spec, checkpoint::BlztPart::kWeight, out);
  };
  return checkpoint::WriteHfFolder(options.to, model.config, weights,
                                   {.dtype = dtype,
                                    .residual_alpha = model.residual_alpha,
                                    .tokens = model.tokens,
                                    .extra_files = model.tokenizer_files});
}

Status RunConvert(ConvertOptions options) {
  while (options.to.size() > 1 && options.to.back() == '/') options.to.pop_back();
  auto format = TargetFormat(options);
  if (!format) return format.error();
  auto dtype = TargetDType(options, *format);
  if (!dtype) return dtype.error();
  auto model = OpenStoredModel(options.from);
  if (!model) return model.error().In("--from");
  if (auto status = CheckTarget(options, *format); !status) return status;
  if (auto status = Write(*model, options, *format, *dtype); !status) return status;
  fmt::print("{}: {}, {:.1f}M parameters, {}{}, from the {} {}\n", options.to,
             *format == Format::kHf ? "Hugging Face folder" : "BLZT version 4",
             static_cast<double>(model->config.params()) / 1e6, DTypeName(*dtype),
             *format == Format::kHf ? ""
             : model->has_moments   ? ", with moments"
                                    : ", moments zero",
             model->format, model->path);
  return {};
}

}  // namespace

void AddConvertCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<ConvertOptions>();
  CLI::App* command = app.add_subcommand(
      "convert", "Writes a model in another format: a Hugging Face folder or a BLZT file");
  command
      ->add_option(
          "--from", options->from,
          "A run folder, a training state, a Hugging Face folder, a BLZT or a llama2.c file")
      ->required();
  command->add_option("--to", options->to, "The folder or file to write")->required();
  command->add_option("--format", options->format,
                      "hf|blzt (default: blzt where --to ends in .bin, hf for a folder)");
  command->add_option("--dtype", options->dtype, "fp32|bf16|fp16 (default: fp32)");
  command->add_flag("--overwrite", options->overwrite, "Replace a model that is already there");
  command->callback([options, &context] {
    context.action = [options] {
      const Status status = RunConvert(*options);
      return status ? kExitDone : Report(status.error());
    };
  });
}

}  // namespace millwright::app
