#include "app/train_flags.h"

#include <cmath>
#include <cstdlib>

namespace millwright::app {
namespace {

void AddModelFlags(CLI::App& command, TrainFlags& f) {
  command.add_option("--seq", f.seq, "Tokens a sequence (default: the model's)");
  command.add_option("--qk-norm", f.qk_norm, "on|off: RMSNorm of queries and keys per head");
  command.add_option("--act-clip", f.options.act_clip,
                     "Scale activations down so that none exceeds this after a layer (0: off)");
  command.add_option("--residual-alpha", f.residual_alpha,
                     "Factor of the residual branches, or auto for 1/sqrt(2 layers) (default: 1)");
}

void AddOptimizerFlags(CLI::App& command, TrainFlags& f) {
  train::TrainOptions& o = f.options;
  command.add_option("--steps", o.steps, "Micro-steps in all")->capture_default_str();
  command.add_option("--lr", o.lr, "Highest learning rate")->capture_default_str();
  command.add_option("--accum", o.accum, "Micro-steps an update")->capture_default_str();
  command.add_option("--warmup", o.warmup, "Micro-steps of linear warm-up")->capture_default_str();
  command.add_option("--clip", o.clip, "Largest gradient norm (0: off)")->capture_default_str();
  command.add_option("--weight-decay", o.weight_decay, "Of matrices and embedding")
      ->capture_default_str();
  command.add_option("--batch", o.batch, "Sequences a micro-step")->capture_default_str();
  command.add_option("--seed", o.seed, "Of first weights and of the order of data")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--loss-scale", o.loss_scale,
                     "Factor on the loss in backward (default: 256 on fp16 devices, 1 on fp32)");
}

void AddDataFlags(CLI::App& command, TrainFlags& f) {
  train::TrainOptions& o = f.options;
  command.add_option(
      "--data", o.data,
      "Token shard, or with --tokenizer text, to train on (default: the embedded stories)");
  command.add_option("--val", o.val, "Token shard or text to validate on");
  command.add_option("--tokenizer", o.tokenizer,
                     "Encodes --data and --val where they are text (.txt, .jsonl); kept in --out");
  command.add_option("--split", o.split,
                     "What ends a document of text, like '\\n<|endoftext|>\\n' (default: none)");
  command.add_option("--text-field", o.text_field,
                     "Text is JSON objects, one a line, with a document in this field (default for "
                     ".jsonl: text)");
  command.add_option("--val-every", o.val_every, "Micro-steps between validations")
      ->capture_default_str();
  command.add_option("--val-windows", o.val_windows, "Windows a validation")->capture_default_str();
  command.add_option("--vocab", f.vocab,
                     "exact|active|full: which words get a row (default: exact; full with --from)");
}

void AddRunFlags(CLI::App& command, TrainFlags& f) {
  train::TrainOptions& o = f.options;
  command.add_option("--out", f.out, "Run folder (default: runs/<model>)");
  command.add_option("--save-every", o.save_every, "Micro-steps between saved states")
      ->capture_default_str();
  command.add_flag("--overwrite", f.overwrite, "Start over in a folder that holds a run");
  command.add_option("--device", o.device, "cpu|reference|null")->capture_default_str();
  command.add_option("--binding", f.binding, "packed|separate|constant (default: separate)");
  command.add_option("--precision", o.precision, "fp32|fp16|ane")->capture_default_str();
  command.add_option("--threads", o.threads, "Threads (0: all cores)")->capture_default_str();
}

Status FinishBinding(TrainFlags& f) {
  if (f.binding.empty()) return {};
  for (auto binding :
       {kernels::Binding::kPacked, kernels::Binding::kSeparate, kernels::Binding::kConstant}) {
    if (kernels::BindingName(binding) != f.binding) continue;
    f.options.binding = binding;
    return {};
  }
  return BadInput("--binding {}: expected packed, separate or constant", f.binding);
}

Status FinishVocab(TrainFlags& f) {
  if (f.vocab.empty()) {
    if (!f.from.empty()) f.options.vocab = data::VocabMode::kFull;
    return {};
  }
  const auto mode = data::VocabModeFromName(f.vocab);
  if (!mode) return BadInput("--vocab {}: expected exact, active or full", f.vocab);
  if (!f.from.empty() && *mode != data::VocabMode::kFull) {
    return BadInput(
        "--vocab {}: a loaded model has a row of its own for every word, and a compacted run would "
        "lose "
        "those outside the data; --from trains with full",
        f.vocab);
  }
  f.options.vocab = *mode;
  return {};
}

Status FinishModel(TrainFlags& f) {
  model::ModelConfig& config = f.options.config;
  if (f.given.contains("seq")) config.seq = f.seq;
  if (!f.qk_norm.empty()) {
    if (f.qk_norm != "on" && f.qk_norm != "off") {
      return BadInput("--qk-norm {}: expected on or off", f.qk_norm);
    }
    config.qk_norm = f.qk_norm == "on";
  }
  if (f.residual_alpha.empty()) return {};
  if (f.residual_alpha == "auto") {
    f.options.residual_alpha = 1.0 / std::sqrt(2.0 * static_cast<double>(config.layers));
    return {};
  }
  char* end = nullptr;
  f.options.residual_alpha = std::strtod(f.residual_alpha.c_str(), &end);
  if (*end != 0) return BadInput("--residual-alpha {}: not a number or auto", f.residual_alpha);
  return {};
}

}  // namespace

std::shared_ptr<TrainFlags> AddTrainFlags(CLI::App& command, const model::ModelConfig& config) {
  auto flags = std::make_shared<TrainFlags>();
  flags->options.config = config;
  command.add_flag("--scratch", flags->scratch, "Start from random weights");
  command.add_flag("--resume", flags->resume, "Go on where the run in --out stopped");
  command.add_option("--from", flags->from,
                     "Start from the weights of a Hugging Face or run folder");
  AddDataFlags(command, *flags);
  AddOptimizerFlags(command, *flags);
  AddModelFlags(command, *flags);
  AddRunFlags(command, *flags);
  return flags;
}

Status FinishTrainFlags(const CLI::App& command, TrainFlags& flags) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() > 0) flags.given.insert(option->get_lnames().front());
  }
  const int modes = flags.scratch + flags.resume + (flags.from.empty() ? 0 : 1);
  if (modes != 1) {
    return BadInput("train needs exactly one of --scratch, --resume and --from, not {}", modes);
  }
  if (flags.resume && flags.overwrite) {
    return BadInput("--overwrite: starts over, which --resume does not");
  }
  if (flags.out.empty()) flags.out = fmt::format("runs/{}", flags.options.config.name);
  for (Status (*finish)(TrainFlags&) : {FinishBinding, FinishVocab, FinishModel}) {
    auto status = finish(flags);
    if (!status) return status;
  }
  return {};
}

}  // namespace millwright::app
