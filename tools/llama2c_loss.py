#!/usr/bin/env python3
"""The loss of a llama2.c model on a token shard, in NumPy and from the formulas (llama2c_model.py): an
opinion on `millwright eval` that shares no code with it.

  python3 tools/llama2c_loss.py MODEL.bin TOKENS.bin [--seq N] [--tokens N] [--documents BOS]

TOKENS.bin holds little-endian u16. Windows follow each other, each predicting its own next tokens;
a last short one is dropped. With --documents each one (a token BOS and what follows it) stands
alone, long ones in windows. --tokens ends before the window that would predict more than N.
"""

import argparse

import numpy as np

import llama2c_model


def losses(sizes, weights, ids):
    """-log p of every token but the first, given those before it."""
    logits = llama2c_model.logits(sizes, weights, ids[:-1])
    top = logits.max(-1)
    return np.log(np.exp(logits - top[:, None]).sum(-1)) + top - logits[np.arange(len(logits)), ids[1:]]


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
    sizes, weights = llama2c_model.read(args.model)
    ids = np.fromfile(args.data, "<u2").astype(np.int64)
    total, count = 0.0, 0
    for window in windows(ids, args.seq or sizes.seq, args.documents):
        if args.tokens and count + len(window) - 1 > args.tokens:
            break
        total += losses(sizes, weights, window).sum()
        count += len(window) - 1
    print(f"loss={total / count:.6f} ppl={np.exp(total / count):.5f} tokens={count}")


if __name__ == "__main__":
    main()
