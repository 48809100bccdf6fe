#!/usr/bin/env python3
"""The judge of our llama2.c files: reads versions 0, 1 and 2, and runs the network (llama2c_model.py).

    python3 tools/judge_llama2c.py FILE TOKENS [--greedy N]      needs numpy

TOKENS are ids with commas between. Prints JSON: {"logits": [[...] for each token]}, or with --greedy
{"tokens": [...]}, the N most probable tokens that follow.
"""

import argparse
import json

import llama2c_model


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("tokens")
    parser.add_argument("--greedy", type=int, default=0)
    options = parser.parse_args()
    tokens = [int(t) for t in options.tokens.split(",")]
    sizes, weights = llama2c_model.read(options.file)
    if options.greedy == 0:
        print(json.dumps({"logits": llama2c_model.logits(sizes, weights, tokens).tolist()}))
        return
    drawn, _ = llama2c_model.continuation(sizes, weights, tokens, options.greedy)
    print(json.dumps({"tokens": drawn}))


if __name__ == "__main__":
    main()
