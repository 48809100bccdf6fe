#!/usr/bin/env python3
"""The loss of a llama2.c model on a token shard, in numpy and from the formulas: an opinion on
`millwright eval` that shares no code with it.

  python3 tools/llama2c_loss.py MODEL.bin TOKENS.bin [--seq N] [--tokens N] [--documents BOS]

MODEL.bin is llama2.c's legacy format: seven i32 (dim, hidden_dim, layers, heads, kv_heads, vocab,
seq; a negative vocab: a classifier of its own), then fp32 tensors, each for all layers: embedding,
attention norms, wq, wk, wv, wo, FFN norms, w1, w2, w3, final norm, two unused rotary tables, and
the classifier where it is separate. Rotary pairs are (2i, 2i+1), theta 10,000; norms add 1e-5.
TOKENS.bin holds little-endian u16. Windows follow each other, each predicting its own next tokens;
a last short one is dropped. With --documents each one (a token BOS and what follows it) stands
alone, long ones in windows. --tokens ends before the window that would predict more than N.
"""

import argparse

import numpy as np


def read_model(path):
    header = np.fromfile(path, np.int32, 7)
    dim, hidden, layers, heads, kv_heads, vocab, seq = (int(x) for x in header)
    data = np.fromfile(path, np.float32, offset=28).astype(np.float64)
    at = 0

    def take(*shape):
        nonlocal at
        count = int(np.prod(shape))
        tensor = data[at : at + count].reshape(shape)
        at += count
        return tensor

    head_dim = dim // heads
    kv_dim = kv_heads * head_dim
    model = {"heads": heads, "kv_heads": kv_heads, "head_dim": head_dim, "seq": seq}
    model["embedding"] = take(abs(vocab), dim)
    for name, shape in [("attn_norm", (dim,)), ("wq", (dim, dim)), ("wk", (kv_dim, dim)),
                        ("wv", (kv_dim, dim)), ("wo", (dim, dim)), ("ffn_norm", (dim,)),
                        ("w1", (hidden, dim)), ("w2", (dim, hidden)), ("w3", (hidden, dim))]:
        model[name] = take(layers, *shape)
    model["final_norm"] = take(dim)
    take(2, seq, head_dim // 2)
    model["classifier"] = model["embedding"] if vocab > 0 else take(-vocab, dim)
    return model


def norm(x, weight):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weight


def rotate(x):
    """x: [heads, positions, head_dim]; turns pair i at position t by t / 10000^(2i / head_dim)."""
    _, positions, size = x.shape
    angle = np.arange(positions)[:, None] / 10000.0 ** (np.arange(0, size, 2) / size)
    even, odd = x[..., 0::2], x[..., 1::2]
    out = np.empty_like(x)
    out[..., 0::2] = even * np.cos(angle) - odd * np.sin(angle)
    out[..., 1::2] = odd * np.cos(angle) + even * np.sin(angle)
    return out


def losses(m, ids):
    """-log p of every token but the first, given those before it."""
    heads, kv_heads, size = m["heads"], m["kv_heads"], m["head_dim"]
    inputs = len(ids) - 1
    mask = np.triu(np.full((inputs, inputs), -np.inf), 1)
    x = m["embedding"][ids[:-1]]
    for layer in range(len(m["wq"])):
        h = norm(x, m["attn_norm"][layer])
        q, k, v = ((h @ m[name][layer].T).reshape(inputs, -1, size).transpose(1, 0, 2)
                   for name in ("wq", "wk", "wv"))
        q, k = rotate(q), rotate(k)
        k, v = (np.repeat(t, heads // kv_heads, 0) for t in (k, v))
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(size) + mask
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        x = x + (scores @ v).transpose(1, 0, 2).reshape(inputs, -1) @ m["wo"][layer].T
        h = norm(x, m["ffn_norm"][layer])
        gate = h @ m["w1"][layer].T
        x = x + (gate / (1 + np.exp(-gate)) * (h @ m["w3"][layer].T)) @ m["w2"][layer].T
    logits = norm(x, m["final_norm"]) @ m["classifier"].T
    top = logits.max(-1)
    return np.log(np.exp(logits - top[:, None]).sum(-1)) + top - logits[np.arange(inputs), ids[1:]]


def windows(ids, seq, bos):
    if bos is None:
        return [ids[i : i + seq + 1] for i in range(0, len(ids) - seq, seq)]
    starts = [*np.flatnonzero(ids == bos), len(ids)]
    return [ids[i : min(i + seq + 1, end)] for begin, end in zip(starts, starts[1:])
            for i in range(begin, end - 1, seq)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--seq", type=int)
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--documents", type=int, metavar="BOS")
    args = parser.parse_args()
    model = read_model(args.model)
    ids = np.fromfile(args.data, "<u2").astype(np.int64)
    total, count = 0.0, 0
    for window in windows(ids, args.seq or model["seq"], args.documents):
        if args.tokens and count + len(window) - 1 > args.tokens:
            break
        total += losses(model, window).sum()
        count += len(window) - 1
    print(f"loss={total / count:.6f} ppl={np.exp(total / count):.5f} tokens={count}")


if __name__ == "__main__":
    main()
