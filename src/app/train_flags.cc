#include "app/train_flags.h"

#include <cmath>
#include <cstdlib>

#include "app/binding_flag.h"
#include "app/open_device.h"
#include "app/text_data.h"

namespace millwright::app {
namespace {

void AddModelFlags(CLI::App& command, TrainFlags& f) {
  command.add_option("--seq", f.seq, "Tokens a sequence (default: the model's)");
  command.add_option("--qk-norm", f.qk_norm, "on|off: RMSNorm of queries and keys per head");
  command.add_flag(
      "--recompute", f.options.recompute,
      "Keep only the input of each layer and compute the rest again: less memory, more "
      "time, the same numbers");
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
  command.add_option("--beta1", o.beta1, "What AdamW's first moment keeps of itself at an update")
      ->capture_default_str();
  command
      .add_option("--beta2", o.beta2,
                  "The same for the second: nearer to 1 for updates of few tokens")
      ->capture_default_str();
  command.add_option("--moments", o.moments, "fp32|bf16: what AdamW's two moments are kept in")
      ->capture_default_str();
  command.add_option("--batch", o.batch, "Sequences a micro-step")->capture_default_str();
  command.add_option("--seed", o.seed, "Of first weights and of the order of data")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--loss-scale", f.loss_scale,
                     "Factor on the loss in backward, or dynamic: doubled after 200 good updates "
                     "in a row, halved at each overflow (default: 65536 in the ANE's arithmetic, "
                     "256 on fp16 devices, 1 on fp32)");
}

void AddDataFlags(CLI::App& command, TrainFlags& f) {
  train::TrainOptions& o = f.options;
  command.add_option("--data", o.data,
                     "Token shard, or with --tokenizer text, to train on (default: the embedded "
                     "stories; with --from only where the model has their tokenizer)");
  command.add_option("--val", o.val, "Token shard or text to validate on");
  command.add_option("--tokenizer", o.tokenizer,
                     "Encodes --data and --val where they are text (.txt, .jsonl); kept in --out "
                     "(default: that of "
                     "--from)");
  AddTextFlags(command, o);
  command.add_option("--val-every", o.val_every, "Micro-steps between validations")
      ->capture_default_str();
  command.add_option("--val-windows", o.val_windows, "Windows a validation")->capture_default_str();
  command.add_option("--vocab", f.vocab,
                     "exact|active|full: which words get a row (default: exact; full with --from)");
}

void AddFineTuningFlags(CLI::App& command, TrainFlags& f) {
  command
      .add_option("--freeze", f.options.freeze,
                  "Leave tensors as they are, by Hugging Face name: 'model.embed_tokens*' "
                  "(repeatable; * ? [0-9])")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--lora-rank", f.options.lora.rank,
                     "Train adapters of this rank beside the projections, and nothing else");
  command.add_option("--lora-alpha", f.options.lora.alpha,
                     "Adapters count alpha / rank times (default: twice the rank)");
  command.add_option("--lora-targets", f.lora_targets,
                     "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj, or some of them "
                     "(default: q_proj,v_proj)");
  command.add_option("--export-dtype", f.export_dtype,
                     "fp32|bf16|fp16: of model/ (default: those of --from's tensors, else fp32)");
}

void AddRunFlags(CLI::App& command, TrainFlags& f) {
  train::TrainOptions& o = f.options;
  command.add_option("--out", f.out, "Run folder (default: runs/<model>)");
  command.add_option("--save-every", o.save_every, "Micro-steps between saved states")
      ->capture_default_str();
  command
      .add_option("--sample-every", o.sample_every,
                  "Micro-steps between texts from the weights as they are (0: none)")
      ->capture_default_str();
  command.add_option("--sample-prompt", o.sample_prompt, "What these texts go on from")
      ->capture_default_str();
  command
      .add_option("--tensor-stats-every", o.tensor_stats_every,
                  "Updates between measurements of all weights and gradients (0: none)")
      ->capture_default_str();
  command.add_flag("--tensorboard", o.tensorboard,
                   "Write event files for TensorBoard in OUT/tensorboard, beside metrics.jsonl");
  command.add_flag("--overwrite", f.overwrite, "Start over in a folder that holds a run");
  command.add_option("--device", o.device, "cpu|ane|reference|null")->capture_default_str();
  AddAneFlags(command, f.ane);
  command.add_option("--binding", f.binding, "packed|separate|constant (default: separate)");
  command.add_option("--offload", o.offload,
                     "What else the device does: rmsnorm (the final one), classifier, softmax, "
                     "rmsnorm-bwd, with commas between them, or all (default: none)");
  command.add_option("--precision", o.precision,
                     "fp32|fp16|bf16|int8|ane (default: fp32; ane on the device of that name)");
  command.add_option("--ane-rules", o.ane_rules, kAneRulesHelp);
  command.add_flag("--count-products", f.count_products,
                   "With --precision ane: report at the end how many products of each kernel "
                   "vanished, and how many sums overflowed");
  command
      .add_option("--gemm-table", f.gemm_table,
                  "fixed|tuned|FILE: which implementation carries out which product; tuned is what "
                  "bench gemm --tune found on this machine")
      ->capture_default_str();
  command.add_option("--threads", o.threads, "Threads (0: all cores)")->capture_default_str();
}

Status FinishBinding(TrainFlags& f) {
  if (f.binding.empty()) return {};
  const auto binding = BindingFromFlag(f.binding);
  if (!binding) return binding.error();
  f.options.binding = *binding;
  return {};
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

Status FinishExport(TrainFlags& f) {
  if (f.export_dtype.empty()) return {};
  const auto dtype = train::ExportDTypeFromName(f.export_dtype);
  if (!dtype) return BadInput("--export-dtype {}: expected fp32, bf16 or fp16", f.export_dtype);
  f.options.export_dtype = *dtype;
  return {};
}

Status FinishLora(TrainFlags& f) {
  model::LoraConfig& lora = f.options.lora;
  if (!f.given.contains("lora-rank")) {
    for (const char* flag : {"lora-alpha", "lora-targets"}) {
      if (f.given.contains(flag) && !f.resume) return BadInput("--{}: needs --lora-rank", flag);
    }
  } else if (lora.rank < 1) {
    return BadInput("--lora-rank {}: expected 1 or more", lora.rank);
  }
  if (f.scratch && lora.enabled()) {
    return BadInput("--lora-rank {}: adapts a trained model; --scratch has none", lora.rank);
  }
  if (!f.given.contains("lora-alpha")) lora.alpha = 2 * static_cast<double>(lora.rank);
  if (f.lora_targets.empty() && lora.enabled()) f.lora_targets = "q_proj,v_proj";
  if (f.lora_targets.empty()) return {};
  auto targets = model::ParseLoraTargets(f.lora_targets);
  if (!targets) return targets.error().In("--lora-targets");
  lora.targets = std::move(*targets);
  return {};
}

// A loaded network is what it is.
Status CheckNetworkFlags(const TrainFlags& f) {
  if (f.from.empty()) return {};
  if (!f.qk_norm.empty()) {
    return BadInput("--qk-norm {}: is for --scratch; with --from the model says it", f.qk_norm);
  }
  if (f.options.residual_alpha != 1.0) {
    return BadInput("--residual-alpha {}: is for --scratch; it would change the model of --from",
                    f.residual_alpha);
  }
  return {};
}

Status FinishLossScale(TrainFlags& f) {
  if (f.loss_scale.empty()) return {};
  f.options.dynamic_loss_scale = f.loss_scale == "dynamic";
  if (f.options.dynamic_loss_scale) return {};
  char* end = nullptr;
  f.options.loss_scale = std::strtod(f.loss_scale.c_str(), &end);
  if (*end != 0) return BadInput("--loss-scale {}: not a number or dynamic", f.loss_scale);
  return {};
}

// In one spelling, so that a resumed run may use another. A resumed run's precision is the state's.
Status FinishAneRules(TrainFlags& f) {
  const bool ane = f.resume || f.options.precision == PrecisionName(Precision::kAne);
  if (f.count_products && !ane) return BadInput("--count-products: needs --precision ane");
  const auto rules =
      AneRulesFromFlag(f.options.ane_rules, ane ? Precision::kAne : Precision::kFp32);
  if (!rules) return rules.error();
  f.options.ane_rules = ToString(*rules);
  return {};
}

// In one spelling, so that a resumed run may use another.
Status FinishOffload(TrainFlags& f) {
  const auto offload = kernels::ParseOffload(f.options.offload);
  if (!offload) return offload.error().In("--offload");
  f.options.offload = kernels::OffloadNames(*offload);
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
  command.add_option(
      "--from", flags->from,
      "Start from the weights of a Hugging Face folder, a run, or a llama2.c or BLZT file");
  AddDataFlags(command, *flags);
  AddOptimizerFlags(command, *flags);
  AddModelFlags(command, *flags);
  AddFineTuningFlags(command, *flags);
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
  if (flags.resume && flags.given.contains("gemm-table")) {
    return BadInput(
        "--gemm-table: a resumed run goes on with the products that it was started with");
  }
  if (!flags.given.contains("precision")) {
    flags.options.precision = DefaultPrecision(flags.options.device);
  }
  if (flags.out.empty()) flags.out = fmt::format("runs/{}", flags.options.config.name);
  for (Status (*finish)(TrainFlags&) :
       {FinishBinding, FinishVocab, FinishExport, FinishLora, FinishLossScale, FinishAneRules,
        FinishOffload, FinishModel}) {
    auto status = finish(flags);
    if (!status) return status;
  }
  return CheckNetworkFlags(flags);
}

}  // namespace millwright::app
