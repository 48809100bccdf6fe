#!/usr/bin/env python3
"""Millwright against PyTorch: the same training step, in turns. See README.md here.

    MILLWRIGHT_PYTHON=python3 python3 bench/peers/training.py build/stories110m/millwright --rows 9216
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from rounds import Failed, open_rounds, python_command, write_json

FIGURES = ("step_ms", "update_ms", "whole_ms")


def bench_step(binary, rows, threads, seconds):
    """What `millwright bench step` measures in about `seconds`, and the network that it measured."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "step.json"
        command = [binary, "bench", "step", "--vocab-rows", str(rows), "--threads", str(threads),
                   "--seconds", str(seconds), "--json", str(path)]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            raise Failed(f"{' '.join(command)}: {result.stderr.strip().splitlines()[-1]}")
        report = json.loads(path.read_text(encoding="utf-8"))
    return report["step"][0], report["config"]


class Torch:
    """The worker process."""

    def __init__(self, config, rows, threads):
        worker = pathlib.Path(__file__).with_name("torch_worker.py")
        self.process = subprocess.Popen(
            [python_command(), str(worker), "--config", json.dumps(config), "--rows", str(rows), "--threads",
             str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.about = self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed("the PyTorch process ended (MILLWRIGHT_PYTHON names a Python that has torch)")
        return json.loads(line)

    def slice(self, mode, seconds):
        self.process.stdin.write(json.dumps({"mode": mode, "seconds": seconds}) + "\n")
        self.process.stdin.flush()
        answer = self.read()
        if "error" in answer:
            print(f"torch {mode} cannot run: {answer['error']}", file=sys.stderr)
            return None
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def with_whole(times):
    """Adds the time of a step with its update."""
    return times | {"whole_ms": [a + b for a, b in zip(times["step_ms"], times["update_ms"])]}


def run_round(step, torch, modes, flags):
    """A slice of each contestant beside `step`, which is Millwright's."""
    measured = {}
    for mode in modes:
        times = torch.slice(mode, flags.seconds)
        if times is not None:
            measured[f"torch {mode}"] = with_whole(times)
    measured["millwright"] = {
        "step_ms": step["samples"]["step_ms"], "update_ms": step["samples"]["optimizer_ms"],
        "whole_ms": step["samples"]["with_update_ms"], "peak_gflops": [step["peak_gflops"]]}
    return measured


def summarise(rounds):
    """A row for each contestant."""
    peak = max(rounds.values("millwright", "peak_gflops"))
    table = []
    for name in rounds.contestants():
        row = {"name": name, "repetitions": len(rounds.values(name, "step_ms"))}
        for figure in FIGURES:
            row[figure] = {"median": rounds.median(name, figure), "minimum": rounds.minimum(name, figure),
                           "times_millwright": rounds.ratio(name, "millwright", figure)}
        gflops = rounds.setting["work_gflop"] * 1e3 / row["step_ms"]["median"]
        row["percent_of_peak"] = 100 * gflops / peak
        table.append(row)
    return table


def to_text(rounds):
    s = rounds.setting
    lines = [f"{s['model']}: {s['tokens']} tokens, {s['rows']} embedding rows, {s['parameters'] / 1e6:.1f}M "
             f"parameters, {s['threads']} threads, torch {s['torch']} ({s['cpu']}), {len(rounds.rounds)} rounds",
             f"  {'median [minimum], ms':<22}{'forward+backward':>20}{'update':>20}{'step with update':>20}"
             f"{'% of peak':>11}{'times ours':>12}"]
    for row in summarise(rounds):
        cells = "".join(f"{row[f]['median']:>10.1f} [{row[f]['minimum']:>7.1f}]" for f in FIGURES)
        lines.append(f"  {row['name']:<22}{cells}{row['percent_of_peak']:>11.1f}"
                     f"{row['whole_ms']['times_millwright']:>12.2f}")
    return "\n".join(lines)


def compare(flags):
    measure = lambda: bench_step(flags.binary, flags.rows, flags.threads, flags.seconds)
    step, config = measure()
    torch = Torch(config, step["rows"], flags.threads)
    if torch.about["parameters"] != step["parameters"]:
        raise Failed(f"not the same network: {torch.about['parameters']} parameters in PyTorch, "
                     f"{step['parameters']} in Millwright")
    setting = {key: step[key] for key in ("model", "tokens", "rows", "parameters", "threads", "work_gflop")}
    rounds = open_rounds(flags.json, setting | {key: torch.about[key] for key in ("torch", "cpu")}, flags.append)
    modes = flags.modes.split(",")
    for number in range(flags.rounds):
        print(f"round {number + 1} of {flags.rounds}", file=sys.stderr)
        if number > 0:
            step, _ = measure()
        rounds.add(run_round(step, torch, modes, flags))
        if flags.json:
            write_json(flags.json, rounds.to_json() | {"summary": summarise(rounds)})
    torch.close()
    print(to_text(rounds))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", help="build/<model>/millwright")
    parser.add_argument("--rows", type=int, default=9216, help="embedding rows; 0: the whole vocabulary")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="of a slice")
    parser.add_argument("--modes", default="eager,compile", help="of PyTorch: some of eager, compile, compile-blocks")
    parser.add_argument("--json", default="", help="write everything to this file")
    parser.add_argument("--append", action="store_true", help="add rounds to those in the file of --json")
    flags = parser.parse_args()
    flags.rows = flags.rows or 2**31 - 1
    try:
        compare(flags)
    except Failed as failure:
        sys.exit(f"training.py: {failure}")


if __name__ == "__main__":
    main()
