// millwright convert: a model from one format to another.
#include <algorithm>
#include <filesystem>

#include "app/command.h"
#include "app/stored_model.h"
#include "base/folder.h"
#include "checkpoint/llama2c.h"
#include "train/options.h"

namespace millwright::app {
namespace {

namespace fs = std::filesystem;

enum class Format { kHf, kLlama2c, kLlama2cV1, kLlama2cV2, kBlzt };

struct FormatInfo {
  std::string_view name;   // what --format calls it
  std::string_view title;  // what the result is called
};

// Indexed by Format.
constexpr FormatInfo kFormats[] = {
    {"hf", "Hugging Face folder"},        {"llama2c", "llama2.c version 0"},
    {"llama2c-v1", "llama2.c version 1"}, {"llama2c-v2", "llama2.c version 2"},
    {"blzt", "BLZT version 4"},
};

const FormatInfo& InfoOf(Format format) { return kFormats[static_cast<size_t>(format)]; }

struct ConvertOptions {
  std::string from, to, format, dtype;
  uint64_t max_shard_bytes = checkpoint::HfExport().max_shard_bytes;
  bool overwrite = false;
};

// What --format says, or what --to looks like.
Result<Format> TargetFormat(const ConvertOptions& options) {
  const auto* named = std::ranges::find(kFormats, options.format, &FormatInfo::name);
  if (named != std::end(kFormats)) return static_cast<Format>(named - std::begin(kFormats));
  if (!options.format.empty()) {
    return BadInput("--format {}: expected hf, llama2c, llama2c-v1, llama2c-v2 or blzt",
                    options.format);
  }
  std::error_code ignored;
  const fs::path to(options.to);
  if (fs::is_directory(to, ignored) || !to.has_extension()) return Format::kHf;
  if (to.extension() == ".bin") return Format::kBlzt;
  return BadInput("--to {}: cannot tell the format from the name; name one with --format",
                  options.to);
}

// What --dtype says; nothing where it is left to the source.
Result<std::optional<DType>> TargetDType(const ConvertOptions& options, Format format) {
  if (options.dtype.empty()) return std::optional<DType>();
  auto dtype = train::ExportDTypeFromName(options.dtype);
  if (!dtype) return BadInput("--dtype {}: expected fp32, bf16 or fp16", options.dtype);
  if (format == Format::kLlama2cV2) {
    return BadInput("--dtype {}: {} holds integers of 8 bits", options.dtype, InfoOf(format).title);
  }
  if (format != Format::kHf && *dtype != DType::kFp32) {
    return BadInput("--dtype {}: {} holds fp32 only", options.dtype, InfoOf(format).title);
  }
  return dtype;
}

bool HoldsHfModel(const fs::path& dir) {
  return Exists(dir / "config.json") &&
         (Exists(dir / "model.safetensors") || Exists(dir / "model.safetensors.index.json"));
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
  const std::string parent = ParentFolder(options.to);
  if (!fs::is_directory(parent, error)) {
    return BadInput("--to {}: there is no folder {}", options.to, parent);
  }
  if (!fs::exists(options.to, error)) return {};
  if (fs::equivalent(options.from, options.to, error)) {
    return BadInput("--to {}: is what --from names", options.to);
  }
  if (format == Format::kHf) return CheckExistingFolder(options);
  if (!fs::is_regular_file(options.to, error)) {
    return BadInput("--to {}: is a folder; {} is a file", options.to, InfoOf(format).title);
  }
  if (options.overwrite) return {};
  return BadInput("--to {}: the file exists; --overwrite replaces it", options.to);
}

// Every tensor keeps its dtype where the flag is not given.
Status WriteHf(const StoredModel& model, const ConvertOptions& options,
               std::optional<DType> dtype) {
  checkpoint::HfExport out = {.dtype = dtype.value_or(model.dtype),
                              .tokens = model.tokens,
                              .extra_files = model.tokenizer_files,
                              .repeat_tied_classifier = model.repeats_tied_classifier,
                              .max_shard_bytes = options.max_shard_bytes};
  if (!dtype) out.other_dtypes = model.other_dtypes;
  const std::string parent = ParentFolder(options.to);
  const uint64_t bytes = checkpoint::HfFolderBytes(model.config, out);
  if (auto status = millwright::CheckFreeSpace(parent, bytes); !status) return status;
  return checkpoint::WriteHfFolder(options.to, model.config, OrdinaryWeights(model), out);
}

Status Write(const StoredModel& model, const ConvertOptions& options, Format format,
             std::optional<DType> dtype) {
  if (format == Format::kHf) return WriteHf(model, options, dtype);
  if (format == Format::kBlzt) {
    return checkpoint::WriteBlzt(options.to, model.config, model.residual_alpha, model.progress,
                                 model.read);
  }
  const int version = static_cast<int>(format) - static_cast<int>(Format::kLlama2c);
  return checkpoint::WriteLlama2c(options.to, model.config, version, OrdinaryWeights(model));
}

// "bf16", "Q8_0", "fp32, moments zero".
std::string Holds(const StoredModel& model, Format format, std::optional<DType> dtype) {
  if (format == Format::kLlama2cV2) return "Q8_0";
  if (format == Format::kBlzt)
    return model.has_moments ? "fp32, with moments" : "fp32, moments zero";
  if (format != Format::kHf) return "fp32";
  return std::string(DTypeName(dtype.value_or(model.dtype)));
}

Status RunConvert(ConvertOptions options) {
  while (options.to.size() > 1 && options.to.back() == '/') options.to.pop_back();
  auto format = TargetFormat(options);
  if (!format) return format.error();
  auto dtype = TargetDType(options, *format);
  if (!dtype) return dtype.error();
  auto model = OpenStoredModel(options.from);
  if (!model) return model.error().In("--from");
  fmt::print(stderr, "{}", ActClipWarning(*model));
  if (auto status = CheckTarget(options, *format); !status) return status;
  if (auto status = Write(*model, options, *format, *dtype); !status) return status;
  fmt::print("{}: {}, {:.1f}M parameters, {}, from the {} {}\n", options.to, InfoOf(*format).title,
             static_cast<double>(model->config.params()) / 1e6, Holds(*model, *format, *dtype),
             model->format, model->path);
  return {};
}

}  // namespace

void AddConvertCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<ConvertOptions>();
  CLI::App* command = app.add_subcommand(
      "convert",
      "Writes a model in another format: a Hugging Face folder, a llama2.c or BLZT file");
  command
      ->add_option("--from", options->from,
                   "A run folder, a training state, a Hugging Face folder, a BLZT or llama2.c file")
      ->required();
  command->add_option("--to", options->to, "The folder or file to write")->required();
  command->add_option("--format", options->format,
                      "hf|llama2c|llama2c-v1|llama2c-v2|blzt (default: blzt where --to ends in "
                      ".bin, hf for a folder)");
  command->add_option("--dtype", options->dtype, "fp32|bf16|fp16 (default: the source's)");
  command
      ->add_option("--max-shard-size", options->max_shard_bytes,
                   "Split a Hugging Face folder's weights into files of at most so many bytes, "
                   "e.g. 200MB (default: 5GB)")
      ->transform(CLI::AsSizeValue(true))
      ->check(CLI::PositiveNumber);
  command->add_flag("--overwrite", options->overwrite, "Replace a model that is already there");
  command->callback([options, &context] {
    context.action = [options] {
      const Status status = RunConvert(*options);
      return status ? kExitDone : Report(status.error());
    };
  });
}

}  // namespace millwright::app
