#!/usr/bin/env python3
"""Greedy continuation by a llama2.c model, in NumPy and from the formulas (llama2c_model.py): the judge
of generation with real weights.

    llama_greedy.py MODEL.bin COUNT TOKEN... > tests/app/goldens/<name>.json

Only the arguments' tokens and the drawn ones are written, with the smallest lead of a drawn token's
logit over the next: a program that rounds to fp32 must draw the same ones as long as it errs by less
than half of that.
"""

import json
import sys

import llama2c_model


def main():
    path, count, tokens = sys.argv[1], int(sys.argv[2]), [int(token) for token in sys.argv[3:]]
    sizes, weights = llama2c_model.read(path)
    drawn, leads = llama2c_model.continuation(sizes, weights, tokens, count)
    print(json.dumps({"context": tokens, "drawn": drawn, "smallest_lead": round(min(leads), 6)}))


if __name__ == "__main__":
    main()
