#!/usr/bin/env python3
"""Writes tests/training/goldens: what PyTorch computes for two tiny models, to compare ours with.

    python3 tools/make_goldens.py [--out DIR]      needs torch and numpy
    python3 tools/make_goldens.py --check          recomputes and compares with the committed files

Everything is computed in float64 from first weights rounded to float32. See the README there.
"""

import argparse
import json
import math
import pathlib
import struct
import sys

import numpy as np
import torch

import torch_model

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "training" / "goldens"

TRAINING = {
    "updates": 20,
    "accum": 2,
    "lr": 3e-3,
    "warmup": 6,
    "beta1": 0.9,
    "beta2": 0.95,
    "eps": 1e-8,
    "weight_decay": 0.1,
    "residual_alpha": 1.0,
}

CONFIGS = {
    "tiny_mha": {
        "dim": 32, "hidden_dim": 48, "layers": 2, "heads": 4, "kv_heads": 4, "head_dim": 8,
        "seq": 16, "vocab": 64, "rope_theta": 1e4, "rms_norm_eps": 1e-5,
        "rotary": "interleaved", "qk_norm": False, "tied_embeddings": True,
    },
    "tiny_gqa": {
        "dim": 32, "hidden_dim": 40, "layers": 2, "heads": 4, "kv_heads": 2, "head_dim": 12,
        "seq": 16, "vocab": 64, "rope_theta": 1e6, "rms_norm_eps": 1e-6,
        "rotary": "half_split", "qk_norm": True, "tied_embeddings": True,
    },
}


# The norms are 4 to 9: one golden clips every update, the other some of them.
CLIP = {"tiny_mha": 1.0, "tiny_gqa": 6.0}


def first_weights(config, seed):
    """Matrices normal(0, 1/sqrt(columns)), embedding normal(0, 0.3), norms uniform(0.5, 1.5); float32."""
    rng = np.random.Generator(np.random.PCG64(seed))
    weights = {}
    for name, shape, _, _ in torch_model.tensor_table(config):
        if len(shape) == 1:
            values = rng.uniform(0.5, 1.5, shape)
        else:
            std = 0.3 if "embed" in name else 1.0 / math.sqrt(shape[1])
            values = rng.normal(0.0, std, shape)
        weights[name] = values.astype(np.float32)
    return weights


def token_windows(config, seed):
    """[micro-steps, seq + 1]: token t is followed by 5t + 3 mod vocab, one time in four by any other."""
    rng = np.random.Generator(np.random.PCG64(seed))
    windows = np.zeros((TRAINING["updates"] * TRAINING["accum"], config["seq"] + 1), dtype=np.int64)
    windows[:, 0] = rng.integers(config["vocab"], size=len(windows))
    for position in range(config["seq"]):
        usual = (5 * windows[:, position] + 3) % config["vocab"]
        other = rng.integers(config["vocab"], size=len(windows))
        windows[:, position + 1] = np.where(rng.random(len(windows)) < 0.25, other, usual)
    return windows


def run(config, first, windows, clip, dtype):
    """Trains; returns (losses, gradient norms, rates, gradients of the first micro-step, last weights)."""
    t = TRAINING
    weights = {n: torch.tensor(w, dtype=dtype, requires_grad=True) for n, w in first.items()}
    optimizer = torch_model.make_optimizer(config, weights, t["weight_decay"])
    losses, norms, rates, first_gradients = [], [], [], None
    for step, window in enumerate(torch.tensor(windows)):
        value = torch_model.loss(config, weights, window[None], t["residual_alpha"])
        value.backward()
        losses.append(float(value.detach()))
        if step == 0:
            first_gradients = {n: w.grad.detach().numpy().copy() for n, w in weights.items()}
        if (step + 1) % t["accum"] == 0:
            rates.append(torch_model.learning_rate(step, len(windows), t["warmup"], t["lr"]))
            norms.append(torch_model.update(weights, optimizer, t["accum"], clip, rates[-1]))
    return losses, norms, rates, first_gradients, weights


def write_safetensors(path, tensors):
    """Float32 tensors: u64 header length, JSON header padded with spaces to 8 bytes, data."""
    header, offset = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape),
                        "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    data = b"".join(np.ascontiguousarray(a, dtype="<f4").tobytes() for a in tensors.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def make(name, config, seed):
    """(the JSON object, the tensors) of one golden."""
    first, windows = first_weights(config, seed), token_windows(config, seed + 1)
    losses, norms, rates, gradients, last = run(config, first, windows, CLIP[name], torch.float64)
    single = run(config, first, windows, CLIP[name], torch.float32)[0]
    tensors = {f"init.{n}": w for n, w in first.items()}
    tensors |= {f"grad.{n}": g.astype(np.float32) for n, g in gradients.items()}
    golden = {
        "name": name,
        "made_by": f"tools/make_goldens.py, torch {torch.__version__}",
        "computed_in": "float64",
        "config": {"name": name} | config,
        "training": TRAINING | {"clip": CLIP[name], "total_micro_steps": len(windows)},
        "windows": windows.tolist(),
        "loss": losses,
        "grad_norm": norms,
        "lr": rates,
        "last_weight_norm": {n: float(w.detach().norm()) for n, w in last.items()},
        "float32_deviation": max(abs(a - b) for a, b in zip(losses, single)),
    }
    return golden, tensors


def write_json(path, golden):
    """One key a line, one token window a line: small, and a diff can be read."""
    lines = []
    for key, value in golden.items():
        if key == "windows":
            rows = ",\n    ".join(json.dumps(row, separators=(",", ":")) for row in value)
            lines.append(f'  "windows": [\n    {rows}\n  ]')
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def check(name, golden, folder):
    """Compares with the committed JSON. float64 sums in another order differ in the last digits only."""
    committed = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    for key in ("config", "training", "windows"):
        if committed[key] != golden[key]:
            return f"{name}: {key} differs from the committed golden"
    for key in ("loss", "grad_norm", "lr"):
        worst = max(abs(a - b) / abs(b) for a, b in zip(committed[key], golden[key], strict=True))
        if worst > 1e-9:
            return f"{name}: {key} differs by {worst:.1e} relative"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=FOLDER)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    problems = []
    for seed, (name, config) in enumerate(CONFIGS.items()):
        golden, tensors = make(name, config, seed=100 + 10 * seed)
        print(f"{name}: loss {golden['loss'][0]:.4f} -> {golden['loss'][-1]:.4f}, gradient norm "
              f"{min(golden['grad_norm']):.3f} to {max(golden['grad_norm']):.3f}, float32 deviates "
              f"by {golden['float32_deviation']:.1e}")
        if options.check:
            problems += filter(None, [check(name, golden, options.out)])
        else:
            options.out.mkdir(parents=True, exist_ok=True)
            write_json(options.out / f"{name}.json", golden)
            write_safetensors(options.out / f"{name}.safetensors", tensors)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
