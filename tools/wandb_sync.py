#!/usr/bin/env python3
"""Sends a run folder to Weights & Biases, under the keys of the reference's dashboard.

    python3 tools/wandb_sync.py RUN_DIR [--project P] [--name N] [--offline] [--follow]     needs wandb

Reads metrics.jsonl and nothing else. --follow goes on while the run does, until it ends; --offline keeps
everything on this machine, for `wandb sync` later. What a resume did again is sent once: the numbers are the
same. Where the device is not an ANE its rates are called perf/tflops and perf/util_pct.
"""

import argparse
import json
import os
import sys
import time

TIMINGS = {"ane_fwd": "forward", "io_fwd": "staging_forward", "rms": "norm", "ane_bwd": "backward",
           "io_bwd": "staging_backward", "silu": "elementwise", "rms_bwd": "norm_backward",
           "cls": "classifier", "cblas_wait": "dw"}


class Tail:
    """The events of a file as it grows; begins again where the file is another or shorter."""

    def __init__(self, path):
        self.path, self.file, self.rest = path, None, b""

    def close(self):
        if self.file is not None:
            self.file.close()
        self.file, self.rest = None, b""

    def events(self):
        """Whole lines since the last call; [] where there is no file."""
        try:
            now = os.stat(self.path)
        except OSError:
            return []
        if self.file is not None:
            mine = os.fstat(self.file.fileno())
            if mine.st_ino != now.st_ino or now.st_size < self.file.tell():
                self.close()
        if self.file is None:
            self.file = open(self.path, "rb")
        *lines, self.rest = (self.rest + self.file.read()).split(b"\n")
        found = []
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue  # cut off by a crash
            if isinstance(event, dict):
                found.append(event)
        return found


class Run:
    """Turns events into calls of the wandb module."""

    def __init__(self, wandb, options):
        self.wandb, self.options = wandb, options
        self.run = None
        self.last_step = 0
        self.best_loss = float("inf")
        self.pending = {}  # what goes along with the next step
        self.device, self.gflop = "cpu", None
        self.ended = False

    def take(self, event):
        handler = getattr(self, "on_" + str(event.get("type")), None)
        if handler is not None:
            handler(event)

    def on_config(self, event):
        self.ended = False
        run = event.get("settings") or {}
        settings = run.get("settings") or {}
        config = settings.get("config") or {}
        self.device = settings.get("device", "cpu")
        machine = event.get("machine") or {}
        if "floor_ms" in machine and "fma_gflops" in machine:
            self.gflop = machine["floor_ms"] * 1e-3 * machine["fma_gflops"]
        if self.run is not None:
            return
        resumed = event.get("first_step", 0) > 0
        model = config.get("name", "model")
        head_dim = config.get("head_dim", 0)
        self.run = self.wandb.init(
            project=self.options.project,
            name=self.options.name or f"{model}-{'resume' if resumed else 'scratch'}",
            mode="offline" if self.options.offline else "online",
            config={"model": model, "dim": config.get("dim"), "hidden": config.get("hidden_dim"),
                    "heads": config.get("heads"), "kv_heads": config.get("kv_heads"), "hd": head_dim,
                    "seq": config.get("seq"), "vocab": config.get("vocab"),
                    "nlayers": config.get("layers"), "q_dim": config.get("heads", 0) * head_dim,
                    "kv_dim": config.get("kv_heads", 0) * head_dim,
                    "pipeline": "static" if settings.get("binding") == "constant" else "dynamic",
                    "resume": resumed, "lr": settings.get("lr"), "accum": settings.get("accum"),
                    "steps": settings.get("steps"), "batch": settings.get("batch"),
                    "data_hash": run.get("data_hash")})

    def on_step(self, event):
        step, loss = event["step"], event["loss"]
        if step <= self.last_step or self.run is None:
            return
        self.last_step = step
        if loss is None:
            loss = float("nan")
        self.best_loss = min(self.best_loss, loss) if loss == loss else self.best_loss
        data = {"step": step, "loss": loss, "best_loss": self.best_loss, "ms_per_step": event["ms"],
                "lr": event["lr"]}
        phases = event.get("phases_ms") or {}
        for key, phase in TIMINGS.items():
            if phase in phases:
                data[f"timing/{key}"] = phases[phase]
        ane = "ane_" if self.device == "ane" else ""
        if self.gflop is not None and event["ms"]:
            data[f"perf/{ane}tflops"] = self.gflop / event["ms"]
        if event.get("floor_share") is not None:
            data[f"perf/{ane}util_pct"] = 100 * event["floor_share"]
        data.update(self.pending)
        self.pending = {}
        self.wandb.log(data, step=step)

    def on_update(self, event):
        self.pending["grad_norm"] = event["grad_norm"]

    def on_validation(self, event):
        self.pending["val_loss"] = event["val_loss"]

    def on_system(self, event):
        watts = event.get("watts") or {}
        for key, names in (("power/ane_w", ("ane",)), ("power/cpu_w", ("cpu", "package-0"))):
            for name in names:
                if name in watts:
                    self.pending[key] = watts[name]

    def on_checkpoint(self, _):
        self.pending["checkpoint/best_loss"] = self.best_loss
        self.pending["checkpoint/saved"] = True

    def on_end(self, _):
        self.ended = True

    def finish(self):
        if self.run is None:
            return
        if self.pending:
            self.wandb.log(self.pending, step=self.last_step)
        self.wandb.finish()


def sync(wandb, options, wait=time.sleep):
    """Sends what there is, and with --follow what comes. The exit code."""
    tail, run = Tail(os.path.join(options.run_dir, "metrics.jsonl")), Run(wandb, options)
    try:
        while True:
            events = tail.events()
            for event in events:
                run.take(event)
            if not options.follow or (run.ended and not events):
                break
            if not events:
                wait(1.0)
    except KeyboardInterrupt:
        pass
    tail.close()
    run.finish()
    if run.run is None:
        print(f"{tail.path}: holds no run", file=sys.stderr)
        return 2
    return 0


def main(wandb=None, arguments=None, wait=time.sleep):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run_dir")
    parser.add_argument("--project", default="millwright")
    parser.add_argument("--name")
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--follow", action="store_true")
    options = parser.parse_args(arguments)
    if wandb is None:
        try:
            import wandb
        except ImportError:
            print("wandb_sync.py: needs the Python module wandb", file=sys.stderr)
            return 2
    return sync(wandb, options, wait)


if __name__ == "__main__":
    sys.exit(main())
