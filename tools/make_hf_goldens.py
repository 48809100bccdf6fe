#!/usr/bin/env python3
"""Writes tests/formats/goldens: tiny random models as transformers saves them, and what it computes.

    python3 tools/make_hf_goldens.py [--out DIR]      needs torch, transformers and safetensors

<name>/ is the folder that save_pretrained writes; <name>.json holds the tokens and the loss,
<name>.safetensors the logits [seq, vocab] and the gradient of the loss for every tensor ("grad.<name>"),
all in float32. The loss is the mean cross-entropy of predicting targets[t] after tokens[..t].
"""

import argparse
import json
import pathlib

import torch
import transformers
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "formats" / "goldens"
SEQ = 12

SIZES = {"vocab_size": 41, "hidden_size": 16, "intermediate_size": 28, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 32,
         "bos_token_id": 1, "eos_token_id": 2}


def llama(tied):
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(
        **SIZES, rms_norm_eps=1e-5, tie_word_embeddings=tied,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}))


def qwen3(tied):
    """head_dim is not hidden_size / heads."""
    return transformers.Qwen3ForCausalLM(transformers.Qwen3Config(
        **SIZES, head_dim=6, rms_norm_eps=1e-6, tie_word_embeddings=tied,
        rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}))


# A golden's place is its seed: append.
GOLDENS = (("llama_untied", llama, False), ("qwen3_tied", qwen3, True),
           ("llama_tied", llama, True), ("qwen3_untied", qwen3, False))


def randomize(model):
    """Far from linear, so that a wrong layout, factor or epsilon shows; norms other than 1."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.uniform_(0.5, 1.5)
            else:
                parameter.normal_(0.0, 0.3)


def make(name, model, out):
    randomize(model)
    model.eval()
    folder = out / name
    model.save_pretrained(folder)
    tokens = torch.randint(SIZES["vocab_size"], (SEQ + 1,))
    logits = model(tokens[None, :-1]).logits[0]
    loss = torch.nn.functional.cross_entropy(logits, tokens[1:])
    loss.backward()
    tensors = {"logits": logits.detach().contiguous()}
    for tensor, parameter in model.named_parameters():
        tensors[f"grad.{tensor}"] = parameter.grad.contiguous()
    save_file(tensors, out / f"{name}.safetensors")
    golden = {"made_by": f"tools/make_hf_goldens.py, transformers {transformers.__version__}, "
                         f"torch {torch.__version__}",
              "tokens": tokens[:-1].tolist(), "targets": tokens[1:].tolist(), "loss": float(loss)}
    (out / f"{name}.json").write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")
    print(f"{name}: loss {float(loss):.6f}, {sum(p.numel() for p in model.parameters())} parameters")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=FOLDER)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for seed, (name, family, tied) in enumerate(GOLDENS):
        torch.manual_seed(seed)
        make(name, family(tied), options.out)


if __name__ == "__main__":
    main()
