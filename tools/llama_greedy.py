#!/usr/bin/env python3
"""Greedy continuation by a llama2.c model (version 0), in NumPy and from the formulas: the judge of
generation with real weights. Nothing here is shared with the C++ code, so that the two can disagree.

    llama_greedy.py MODEL.bin COUNT TOKEN... > tests/app/goldens/<name>.json

Everything is computed anew for every token, in double, and only the arguments' tokens and the drawn
ones are written, with the smallest lead of a drawn token's logit over the next: a program that rounds
to fp32 must draw the same ones as long as it errs by less than half of that.

Sources: Touvron et al., "LLaMA", 2023 (the block); Su et al., "RoFormer", 2021 (rotary); Ainslie et
al., "GQA", 2023; docs/formats.md (the file).
"""

import json
import sys

import numpy as np

EPS, THETA = 1e-5, 10000.0


def read_model(path):
    """The header as a dict and the tensors, each with a leading layer axis where it has one."""
    sizes = np.fromfile(path, np.int32, 7)
    dim, hidden, layers, heads, kv_heads, vocab, seq = (int(v) for v in sizes)
    shared = vocab > 0
    vocab = abs(vocab)
    head_dim = dim // heads
    kv_dim = kv_heads * head_dim
    data = np.fromfile(path, np.float32, offset=28).astype(np.float64)
    tensors, at = {}, 0
    for name, shape in [
        ("embedding", (vocab, dim)),
        ("attn_norm", (layers, dim)),
        ("wq", (layers, dim, dim)),
        ("wk", (layers, kv_dim, dim)),
        ("wv", (layers, kv_dim, dim)),
        ("wo", (layers, dim, dim)),
        ("ffn_norm", (layers, dim)),
        ("w1", (layers, hidden, dim)),
        ("w2", (layers, dim, hidden)),
        ("w3", (layers, hidden, dim)),
        ("final_norm", (dim,)),
        ("rotary", (seq * head_dim,)),  # tables that nobody reads any more
        ("classifier", (vocab, dim)),
    ]:
        if name == "classifier" and shared:
            tensors[name] = tensors["embedding"]
            continue
        size = int(np.prod(shape))
        tensors[name] = data[at : at + size].reshape(shape)
        at += size
    return {"layers": layers, "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim, "seq": seq}, tensors


def norm(x, weight):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPS) * weight


def rotate(x, head_dim):
    """x [positions, heads, head_dim]: channels (2i, 2i + 1) turn by position * THETA^(-2i/head_dim)."""
    pairs = np.arange(head_dim // 2)
    angle = np.arange(x.shape[0])[:, None] * THETA ** (-2.0 * pairs / head_dim)
    turn = np.exp(1j * angle)[:, None, :]
    turned = (x[..., 0::2] + 1j * x[..., 1::2]) * turn
    out = np.empty_like(x)
    out[..., 0::2], out[..., 1::2] = turned.real, turned.imag
    return out


def logits_after(config, t, tokens):
    positions, head_dim = len(tokens), config["head_dim"]
    x = t["embedding"][tokens]
    hidden_keys = np.triu(np.full((positions, positions), -np.inf), 1)
    for layer in range(config["layers"]):
        normed = norm(x, t["attn_norm"][layer])
        q, k, v = (
            (normed @ t[name][layer].T).reshape(positions, -1, head_dim) for name in ("wq", "wk", "wv")
        )
        q, k = rotate(q, head_dim), rotate(k, head_dim)
        group = config["heads"] // config["kv_heads"]
        k, v = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
        scores = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(head_dim) + hidden_keys
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        attended = np.einsum("hqk,khd->qhd", weights, v).reshape(positions, -1)
        x = x + attended @ t["wo"][layer].T
        normed = norm(x, t["ffn_norm"][layer])
        gate = normed @ t["w1"][layer].T
        x = x + (gate / (1 + np.exp(-gate)) * (normed @ t["w3"][layer].T)) @ t["w2"][layer].T
    return t["classifier"] @ norm(x[-1], t["final_norm"])


def main():
    path, count, tokens = sys.argv[1], int(sys.argv[2]), [int(token) for token in sys.argv[3:]]
    config, tensors = read_model(path)
    drawn, lead = [], float("inf")
    for _ in range(count):
        logits = logits_after(config, tensors, tokens + drawn)
        second, first = np.argsort(logits)[-2:]
        drawn.append(int(first))
        lead = min(lead, float(logits[first] - logits[second]))
    print(json.dumps({"context": tokens, "drawn": drawn, "smallest_lead": round(lead, 6)}))


if __name__ == "__main__":
    main()
