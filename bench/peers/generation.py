#!/usr/bin/env python3
"""Millwright against llama2.c: the same tokens of the same model, in turns. See README.md here.

    python3 bench/peers/generation.py build/stories110m/millwright --llama2c ../llama2.c/run \\
        --model stories110M.bin --tokenizer tokenizer.bin
"""

import argparse
import os
import re
import subprocess
import sys

from rounds import Failed, open_rounds, write_json


def run(command, threads):
    result = subprocess.run(command, capture_output=True, text=True, errors="replace",
                            env=os.environ | {"OMP_NUM_THREADS": str(threads)})
    if result.returncode != 0:
        raise Failed(f"{' '.join(command)}: {(result.stderr or result.stdout).strip().splitlines()[-1]}")
    return result.stdout, result.stderr


def speed_in(text, pattern, who):
    found = re.search(pattern, text)
    if not found:
        raise Failed(f"{who} printed no speed: {text.strip()!r}")
    return float(found[1])


def llama2c(flags):
    """The text, and the tokens per second after the first."""
    out, err = run([flags.llama2c, flags.model, "-t", "0", "-n", str(flags.tokens), "-z", flags.tokenizer,
                    "-i", flags.prompt], flags.threads)
    return out, speed_in(err + out, r"achieved tok/s: ([\d.]+)", "llama2.c")


def millwright(flags):
    out, err = run([flags.binary, "generate", "--from", flags.model, "--tokenizer", flags.tokenizer,
                    "--temperature", "0", "--tokens", str(flags.tokens), "--prompt", flags.prompt,
                    "--threads", str(flags.threads)], flags.threads)
    return out, speed_in(err, r"then \d+ tokens, ([\d.]+) tokens/s", "millwright")


def common_start(a, b):
    """How many characters two texts share from their first on."""
    return len(os.path.commonprefix([a.strip(), b.strip()]))


def to_text(rounds):
    lines = [f"{rounds.setting['model']}, {rounds.setting['tokens']} tokens, {rounds.setting['threads']} threads, "
             f"{len(rounds.rounds)} rounds; tokens/s, median [best]"]
    for name in ("llama2.c", "millwright"):
        best = max(rounds.values(name, "tokens_per_s"))
        lines.append(f"  {name:<12}{rounds.median(name, 'tokens_per_s'):>8.1f} [{best:>6.1f}]")
    lines.append(f"  ratio {rounds.ratio('millwright', 'llama2.c', 'tokens_per_s'):.2f}")
    return "\n".join(lines)


def compare(flags):
    setting = {"model": flags.model, "tokens": flags.tokens, "threads": flags.threads, "prompt": flags.prompt}
    rounds = open_rounds(flags.json, setting, flags.append)
    for number in range(flags.rounds):
        print(f"round {number + 1} of {flags.rounds}", file=sys.stderr)
        (theirs, their_speed), (ours, our_speed) = llama2c(flags), millwright(flags)
        if number == 0:
            print(f"the texts agree in their first {common_start(theirs, ours)} characters "
                  f"(of {len(theirs.strip())} and {len(ours.strip())})", file=sys.stderr)
        rounds.add({"llama2.c": {"tokens_per_s": [their_speed]}, "millwright": {"tokens_per_s": [our_speed]}})
        if flags.json:
            write_json(flags.json, rounds.to_json())
    print(to_text(rounds))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", help="build/<model>/millwright")
    parser.add_argument("--llama2c", required=True, help="llama2.c's `run`, which you built (make runomp)")
    parser.add_argument("--model", required=True, help="a llama2.c .bin file, version 0")
    parser.add_argument("--tokenizer", required=True, help="its tokenizer.bin")
    parser.add_argument("--prompt", default="Once upon a time")
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", default="", help="write everything to this file")
    parser.add_argument("--append", action="store_true", help="add rounds to those in the file of --json")
    flags = parser.parse_args()
    try:
        compare(flags)
    except Failed as failure:
        sys.exit(f"generation.py: {failure}")


if __name__ == "__main__":
    main()
