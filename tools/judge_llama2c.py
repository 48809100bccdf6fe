#!/usr/bin/env python3
"""The judge of our llama2.c files: reads versions 0, 1 and 2, and runs the network, in NumPy.

    python3 tools/judge_llama2c.py FILE TOKENS [--greedy N]      needs numpy

TOKENS are ids with commas between. Prints JSON: {"logits": [[...] for each token]}, or with --greedy
{"tokens": [...]}, the N most probable tokens that follow. Written from the format's description and
the formulas; nothing here is shared with the C++ code, so that the two can disagree.
"""

import argparse
import json
import struct

import numpy as np

MAGIC = 0x616B3432


class Reader:
    """Consumes a file from front to back."""

    def __init__(self, data):
        self.data, self.position = data, 0

    def unpack(self, layout):
        values = struct.unpack_from("<" + layout, self.data, self.position)
        self.position += struct.calcsize("<" + layout)
        return values

    def array(self, dtype, *shape):
        count = int(np.prod(shape))
        values = np.frombuffer(self.data, dtype, count, self.position).reshape(shape)
        self.position += values.nbytes
        return values

    def floats(self, *shape):
        return self.array("<f4", *shape)

    def quantized(self, group, *shape):
        integers = self.array("i1", *shape).reshape(-1, group).astype(np.float32)
        scales = self.floats(integers.shape[0], 1)
        return (integers * scales).reshape(shape)


def read_legacy(reader, sizes, weights):
    dim, hidden, layers, heads, kv_heads, vocab, seq = sizes
    head, shared, vocab = dim // heads, vocab > 0, abs(vocab)
    weights["embedding"] = reader.floats(vocab, dim)
    shapes = (("rms_att", (dim,)), ("wq", (dim, dim)), ("wk", (kv_heads * head, dim)),
              ("wv", (kv_heads * head, dim)), ("wo", (dim, dim)), ("rms_ffn", (dim,)),
              ("w1", (hidden, dim)), ("w2", (dim, hidden)), ("w3", (hidden, dim)))
    for name, shape in shapes:
        weights[name] = reader.floats(layers, *shape)
    weights["rms_final"] = reader.floats(dim)
    weights["cos"], weights["sin"] = reader.floats(seq, head // 2), reader.floats(seq, head // 2)
    weights["classifier"] = weights["embedding"] if shared else reader.floats(vocab, dim)


def read_new(reader, version, sizes, weights):
    dim, hidden, layers, heads, kv_heads, vocab, _ = sizes
    head, (shared,) = dim // heads, reader.unpack("B")
    group = reader.unpack("i")[0] if version == 2 else None
    reader.position = 256
    for name, shape in (("rms_att", (layers, dim)), ("rms_ffn", (layers, dim)), ("rms_final", (dim,))):
        weights[name] = reader.floats(*shape)

    def matrix(*shape):
        return reader.quantized(group, *shape) if version == 2 else reader.floats(*shape)

    weights["embedding"] = matrix(vocab, dim)
    shapes = (("wq", (dim, dim)), ("wk", (kv_heads * head, dim)), ("wv", (kv_heads * head, dim)),
              ("wo", (dim, dim)), ("w1", (hidden, dim)), ("w2", (dim, hidden)), ("w3", (hidden, dim)))
    for name, shape in shapes:
        weights[name] = np.stack([matrix(*shape) for _ in range(layers)])
    weights["classifier"] = weights["embedding"] if shared else matrix(vocab, dim)


def read(path):
    """(sizes, weights) of a file, which must hold nothing more."""
    with open(path, "rb") as file:
        reader = Reader(file.read())
    weights = {}
    if reader.unpack("I")[0] == MAGIC:
        (version,) = reader.unpack("i")
        sizes = reader.unpack("7i")
        read_new(reader, version, sizes, weights)
    else:
        reader.position = 0
        sizes = reader.unpack("7i")
        read_legacy(reader, sizes, weights)
    if reader.position != len(reader.data):
        raise SystemExit(f"{path}: {len(reader.data) - reader.position} bytes are left over")
    return sizes, weights


def norm(x, weight):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5) * weight


def rotate(x, positions):
    """Channels (2i, 2i+1) of [seq, heads, head] by position * 10000^(-2i/head)."""
    head = x.shape[-1]
    frequency = 10000.0 ** (-np.arange(0, head, 2) / head)
    angle = (positions[:, None] * frequency)[:, None, :]
    a, b = x[..., 0::2], x[..., 1::2]
    return np.stack((a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)),
                    axis=-1).reshape(x.shape)


def attention(q, k, v):
    """Causal, on [seq, heads, head]; query head h reads kv head h // (heads / kv_heads)."""
    group = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
    scores = np.einsum("thc,shc->hts", q, k) / np.sqrt(q.shape[-1])
    scores = np.where(np.tril(np.ones(scores.shape[1:], bool)), scores, -np.inf)
    p = np.exp(scores - scores.max(-1, keepdims=True))
    return np.einsum("hts,shc->thc", p / p.sum(-1, keepdims=True), v)


def logits(sizes, weights, tokens):
    """[seq, vocab], in float64."""
    dim, _, layers, heads, kv_heads, _, _ = sizes
    w = {name: array.astype(np.float64) for name, array in weights.items()}
    x, positions, seq = w["embedding"][tokens], np.arange(len(tokens)), len(tokens)
    for layer in range(layers):
        h = norm(x, w["rms_att"][layer])
        q = rotate((h @ w["wq"][layer].T).reshape(seq, heads, -1), positions)
        k = rotate((h @ w["wk"][layer].T).reshape(seq, kv_heads, -1), positions)
        v = (h @ w["wv"][layer].T).reshape(seq, kv_heads, -1)
        x = x + attention(q, k, v).reshape(seq, dim) @ w["wo"][layer].T
        h = norm(x, w["rms_ffn"][layer])
        gate = h @ w["w1"][layer].T
        x = x + (gate / (1 + np.exp(-gate)) * (h @ w["w3"][layer].T)) @ w["w2"][layer].T
    return norm(x, w["rms_final"]) @ w["classifier"].T


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("tokens")
    parser.add_argument("--greedy", type=int, default=0)
    options = parser.parse_args()
    tokens = [int(t) for t in options.tokens.split(",")]
    sizes, weights = read(options.file)
    if options.greedy == 0:
        print(json.dumps({"logits": logits(sizes, weights, tokens).tolist()}))
        return
    new = []
    while len(new) < options.greedy:
        new.append(int(np.argmax(logits(sizes, weights, tokens + new)[-1])))
    print(json.dumps({"tokens": new}))


if __name__ == "__main__":
    main()
