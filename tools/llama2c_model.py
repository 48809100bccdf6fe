"""Reads a llama2.c model (versions 0, 1 and 2) and runs it, in NumPy, in double and from the formulas.
Nothing here is shared with the C++ code, so that the two can disagree.

Sources: docs/formats.md (the files); Touvron et al., "LLaMA", 2023 (the block); Su et al., "RoFormer",
2021 (rotary); Ainslie et al., "GQA", 2023.
"""

import collections
import os
import struct

# Threads would take longer to meet than products of small matrices take; read when NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

MAGIC = 0x616B3432
EPS, THETA = 1e-5, 10000.0

Sizes = collections.namedtuple("Sizes", "dim hidden layers heads kv_heads vocab seq")


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
    """(Sizes, weights in double) of a file, which must hold nothing more."""
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
    sizes = Sizes(*sizes)
    return sizes._replace(vocab=abs(sizes.vocab)), {k: w.astype(np.float64) for k, w in weights.items()}


def norm(x, weight):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPS) * weight


def rotate(x):
    """Channels (2i, 2i+1) of [heads, seq, head] by position * THETA^(-2i/head)."""
    _, seq, head = x.shape
    angle = np.arange(seq)[:, None] * THETA ** (-np.arange(0, head, 2) / head)
    a, b = x[..., 0::2], x[..., 1::2]
    return np.stack((a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)),
                    axis=-1).reshape(x.shape)


def attention(q, k, v):
    """Causal, on [heads, seq, head]; query head h reads kv head h // (heads / kv_heads)."""
    group, seq = q.shape[0] // k.shape[0], q.shape[1]
    k, v = np.repeat(k, group, axis=0), np.repeat(v, group, axis=0)
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
    scores += np.triu(np.full((seq, seq), -np.inf), 1)
    p = np.exp(scores - scores.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True) @ v


def logits(sizes, w, tokens):
    """[seq, vocab]: row t is what the model says after tokens[..t]."""
    seq, x = len(tokens), w["embedding"][tokens]

    def heads(h, weight):
        return (h @ weight.T).reshape(seq, -1, sizes.dim // sizes.heads).transpose(1, 0, 2)

    for layer in range(sizes.layers):
        h = norm(x, w["rms_att"][layer])
        q, k, v = (heads(h, w[name][layer]) for name in ("wq", "wk", "wv"))
        mixed = attention(rotate(q), rotate(k), v).transpose(1, 0, 2).reshape(seq, sizes.dim)
        x = x + mixed @ w["wo"][layer].T
        h = norm(x, w["rms_ffn"][layer])
        gate = h @ w["w1"][layer].T
        x = x + (gate / (1 + np.exp(-gate)) * (h @ w["w3"][layer].T)) @ w["w2"][layer].T
    return norm(x, w["rms_final"]) @ w["classifier"].T


def continuation(sizes, w, tokens, count):
    """The `count` most probable tokens that follow, with the lead of each one's logit over the next.
    Everything is computed anew for every token."""
    drawn, leads = [], []
    while len(drawn) < count:
        last = logits(sizes, w, tokens + drawn)[-1]
        second, first = np.argsort(last)[-2:]
        drawn.append(int(first))
        leads.append(float(last[first] - last[second]))
    return drawn, leads
