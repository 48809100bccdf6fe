#!/usr/bin/env python3
"""Prints what training each model of models/*.h needs in memory.

16 bytes a parameter: fp32 weight, two AdamW moments, gradient. With a compacted vocabulary only the
words that occur in the data have rows with moments and gradients. Activations: what forward keeps for
backward, plus logits. File cache, libraries and the copy made while a state is saved come on top.
"""

import argparse
import sys

import model_header

PARAMETER_BYTES = 16
FLOAT_BYTES = 4


def activation_bytes(config, rows):
    """Kept from forward to backward, in fp32, for one sequence, with `rows` words in the classifier."""
    q_dim = config["heads"] * config["head_dim"]
    kv_dim = config["kv_heads"] * config["head_dim"]
    # Per layer: x and its norm, twice; q, k before and after rotary and norm, v, attention's result;
    # w1's and w3's results and their product.
    layer = 4 * config["dim"] + 3 * q_dim + 3 * kv_dim + 3 * config["hidden_dim"]
    return config["seq"] * FLOAT_BYTES * (config["layers"] * layer + 2 * rows)


def training_bytes(config, rows):
    layers, _, _ = model_header.params(config)
    parameters = layers + config["dim"] * (rows + 1)
    return PARAMETER_BYTES * parameters + activation_bytes(config, rows)


def gigabytes(count):
    return f"{count / 1e9:.2f} GB"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--active", type=int, default=8000,
                        help="words in the compacted vocabulary (default 8000: TinyStories has fewer)")
    active = parser.parse_args().active
    print(f"{'model':<14}{'parameters':>14}{f'memory, {active:,} words':>22}{'memory, all words':>20}")
    for name, config in model_header.all_models().items():
        rows = min(active, config["vocab"])
        print(f"{name:<14}{model_header.params(config)[2]:>14,}"
              f"{gigabytes(training_bytes(config, rows)):>22}"
              f"{gigabytes(training_bytes(config, config['vocab'])):>20}")
    print("Weights, gradients and two moments in fp32 are 16 bytes a parameter; activations of one\n"
          "sequence come on top. Training compacts the vocabulary to the words in its data.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
