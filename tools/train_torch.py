#!/usr/bin/env python3
"""Trains a model of models/*.h in PyTorch, for comparing runs with `millwright train`.

Same architecture, first-value scheme, optimizer, schedule and compaction (`active` or `full`); the random
numbers are PyTorch's, so two runs agree in their curves and not number by number. Needs torch, numpy.

    python3 tools/train_torch.py --model stories110m --data train.bin --val valid.bin --vocab active \\
        --steps 500 --accum 1 --lr 6e-4 --warmup 30
"""

import argparse
import json
import sys
import time

import numpy as np
import torch

import model_header
import torch_model


def read_shard(path):
    """The ids of a token shard: u16, or what the sidecar says (docs/formats.md)."""
    try:
        with open(path + ".json", encoding="utf-8") as sidecar:
            width = json.load(sidecar).get("dtype", "u16")
    except FileNotFoundError:
        width = "u16"
    return np.fromfile(path, dtype={"u16": "<u2", "u32": "<u4"}[width]).astype(np.int64)


def compact(config, train, val):
    """Renumbers the words that occur in either array: softmax over active words only."""
    active = np.unique(np.concatenate([train, val]))
    return config | {"vocab": len(active)}, np.searchsorted(active, train), np.searchsorted(active, val)


def first_weights(config, seed):
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape, std, _ in torch_model.tensor_table(config):
        values = torch.randn(shape, generator=generator) * std if std else torch.ones(shape)
        weights[name] = values.requires_grad_()
    return weights


def validate(config, weights, tokens, windows, fused):
    """Mean loss over the first `windows` consecutive windows; nothing if there are no tokens."""
    seq = config["seq"]
    count = min(windows, (len(tokens) - 1) // seq)
    if count < 1:
        return None
    with torch.no_grad():
        losses = [float(torch_model.loss(config, weights,
                                         torch.from_numpy(tokens[i * seq:(i + 1) * seq + 1])[None],
                                         fused=fused)) for i in range(count)]
    return sum(losses) / count


def parse_flags():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="stories110m", choices=sorted(model_header.all_models()))
    parser.add_argument("--data", required=True)
    parser.add_argument("--val")
    parser.add_argument("--val-windows", type=int, default=20)
    parser.add_argument("--vocab", default="active", choices=("active", "full"))
    parser.add_argument("--steps", type=int, default=500, help="micro-steps")
    parser.add_argument("--accum", type=int, default=10)
    parser.add_argument("--lr", type=float, default=3e-4)
    parser.add_argument("--warmup", type=int, default=100, help="micro-steps")
    parser.add_argument("--clip", type=float, default=1.0)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--beta1", type=float, default=0.9)
    parser.add_argument("--beta2", type=float, default=0.95)
    parser.add_argument("--seq", type=int, help="default: the model's")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's choice")
    parser.add_argument("--plain-attention", action="store_true",
                        help="by the formula instead of PyTorch's fused attention")
    return parser.parse_args()


def main():
    flags = parse_flags()
    if flags.threads:
        torch.set_num_threads(flags.threads)
    config = model_header.all_models()[flags.model]
    if flags.seq:
        config["seq"] = flags.seq
    train = read_shard(flags.data)
    val = read_shard(flags.val) if flags.val else train[:0]
    if max(train.max(), val.max(initial=0)) >= config["vocab"]:
        sys.exit(f"{flags.data} or {flags.val}: an id is not below the vocabulary, {config['vocab']}")
    if len(train) < config["seq"] + 2:
        sys.exit(f"{flags.data}: fewer than seq + 2 = {config['seq'] + 2} tokens")
    if flags.vocab == "active":
        config, train, val = compact(config, train, val)
    weights = first_weights(config, flags.seed)
    optimizer = torch_model.make_optimizer(config, weights, flags.weight_decay,
                                           (flags.beta1, flags.beta2))
    fused = not flags.plain_attention
    draw = np.random.Generator(np.random.PCG64(flags.seed))
    print(f"{flags.model}: {sum(w.numel() for w in weights.values()):,} parameters in memory, "
          f"vocabulary {config['vocab']:,}, {torch.get_num_threads()} threads", file=sys.stderr)
    losses, pending = [], 0
    for step in range(flags.steps):
        began = time.perf_counter()
        offset = int(draw.integers(len(train) - config["seq"]))
        window = torch.from_numpy(train[offset:offset + config["seq"] + 1])[None]
        value = torch_model.loss(config, weights, window, fused=fused)
        value.backward()
        losses.append(float(value.detach()))
        pending += 1
        micro_ms = (time.perf_counter() - began) * 1e3
        line = f"step {step + 1:<5} loss={losses[-1]:.4f} {micro_ms:.1f}ms/step"
        if (step + 1) % flags.accum == 0 or step + 1 == flags.steps:
            began = time.perf_counter()
            rate = torch_model.learning_rate(step, flags.steps, flags.warmup, flags.lr)
            norm = torch_model.update(weights, optimizer, pending, flags.clip, rate)
            pending = 0
            line += f" lr={rate:.3e} grad_norm={norm:.3f} update={(time.perf_counter() - began) * 1e3:.1f}ms"
        print(line, flush=True)
    print(f"mean loss of the last 20 steps: {sum(losses[-20:]) / len(losses[-20:]):.4f}")
    val_loss = validate(config, weights, val, flags.val_windows, fused)
    if val_loss is not None:
        print(f"validation loss, {flags.val_windows} windows: {val_loss:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
