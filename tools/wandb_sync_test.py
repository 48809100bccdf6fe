#!/usr/bin/env python3
"""Holds wandb_sync.py to the keys of the reference's dashboard, with a wandb that only listens."""

import contextlib
import io
import json
import os
import tempfile
import unittest

import wandb_sync


class Listener:
    def __init__(self):
        self.started, self.logged, self.finished = [], [], 0

    def init(self, **arguments):
        self.started.append(arguments)
        return self

    def log(self, data, step):
        self.logged.append((step, dict(data)))

    def finish(self):
        self.finished += 1


def config(first_step=0, device="cpu"):
    return {"type": "config", "first_step": first_step,
            "settings": {"data_hash": "ab", "settings": {
                "lr": 0.01, "accum": 2, "steps": 9, "batch": 1, "device": device, "binding": "separate",
                "config": {"name": "tiny", "dim": 16, "hidden_dim": 20, "layers": 2, "heads": 4,
                           "kv_heads": 2, "head_dim": 4, "seq": 6, "vocab": 23}}},
            "machine": {"floor_ms": 10, "fma_gflops": 300}}


def step(number, loss):
    return {"type": "step", "step": number, "loss": loss, "lr": 0.01, "ms": 20.0, "tokens_per_s": 300,
            "phases_ms": {"forward": 5, "dw": 3}, "floor_share": 0.5}


class WandbSyncTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.wandb = Listener()

    def write(self, *events, mode="a", cut=""):
        with open(os.path.join(self.folder.name, "metrics.jsonl"), mode, encoding="utf-8") as file:
            for event in events:
                file.write(json.dumps(event) + "\n")
            file.write(cut)

    def run_sync(self, *flags, wait=None):
        with contextlib.redirect_stderr(io.StringIO()):
            return wandb_sync.main(self.wandb, [self.folder.name, *flags], wait or self.fail)

    def test_the_keys_are_those_of_the_reference(self):
        self.write(config(), step(1, 5.0), {"type": "checkpoint", "step": 1, "path": "p", "ms": 1},
                   {"type": "system", "watts": {"package-0": 45.0}}, step(2, 4.0), step(3, None),
                   {"type": "end", "step": 3, "reason": "done"})
        self.assertEqual(self.run_sync("--project", "p"), 0)
        [started] = self.wandb.started
        self.assertEqual(started["project"], "p")
        self.assertEqual(started["name"], "tiny-scratch")
        self.assertEqual(started["mode"], "online")
        for key in ("model", "dim", "hidden", "heads", "kv_heads", "hd", "seq", "vocab", "nlayers", "q_dim",
                    "kv_dim", "pipeline", "resume", "lr", "accum", "steps"):
            self.assertIsNotNone(started["config"][key], key)
        self.assertEqual(started["config"]["q_dim"], 16)
        number, first = self.wandb.logged[0]
        self.assertEqual(number, 1)
        self.assertEqual(first, {"step": 1, "loss": 5.0, "best_loss": 5.0, "ms_per_step": 20.0, "lr": 0.01,
                                 "timing/ane_fwd": 5, "timing/cblas_wait": 3, "perf/tflops": 0.15,
                                 "perf/util_pct": 50.0})
        second = self.wandb.logged[1][1]
        self.assertEqual(second["checkpoint/best_loss"], 5.0)
        self.assertIs(second["checkpoint/saved"], True)
        self.assertEqual(second["power/cpu_w"], 45.0)
        third = self.wandb.logged[2][1]
        self.assertNotEqual(third["loss"], third["loss"])  # NaN
        self.assertEqual(third["best_loss"], 4.0)
        self.assertEqual(self.wandb.finished, 1)

    def test_an_ane_has_its_own_keys(self):
        self.write(config(device="ane"), step(1, 5.0))
        self.run_sync("--offline", "--name", "mine")
        self.assertEqual(self.wandb.started[0]["mode"], "offline")
        self.assertEqual(self.wandb.started[0]["name"], "mine")
        self.assertEqual(self.wandb.logged[0][1]["perf/ane_tflops"], 0.15)
        self.assertEqual(self.wandb.logged[0][1]["perf/ane_util_pct"], 50.0)

    def test_what_a_resume_does_again_is_sent_once(self):
        self.write(config(), step(1, 5.0), step(2, 4.0), step(3, 3.0), cut='{"type":"step","st')
        self.write(cut="\n")
        self.write(config(first_step=1), step(2, 4.0), step(3, 3.0), step(4, 2.0))
        self.run_sync()
        self.assertEqual([number for number, _ in self.wandb.logged], [1, 2, 3, 4])
        self.assertEqual(len(self.wandb.started), 1)

    def test_following_ends_with_the_run(self):
        self.write(config(), step(1, 5.0), cut='{"type":"st')
        waits = []

        def wait(_):
            waits.append(len(self.wandb.logged))
            if len(waits) == 1:
                self.write(cut='ep","step":2,"loss":4.0,"lr":0.1,"ms":20.0}\n')
            elif len(waits) == 2:
                self.write({"type": "end", "step": 2, "reason": "done"})

        self.assertEqual(self.run_sync("--follow", wait=wait), 0)
        self.assertEqual(waits, [1, 2])
        self.assertEqual(self.wandb.finished, 1)

    def test_another_file_is_read_from_its_beginning(self):
        self.write(config(), step(1, 5.0), step(2, 4.0))
        tail = wandb_sync.Tail(os.path.join(self.folder.name, "metrics.jsonl"))
        self.addCleanup(tail.close)
        self.assertEqual(len(tail.events()), 3)
        self.write(config(), mode="w")
        self.assertEqual([event["type"] for event in tail.events()], ["config"])
        os.remove(os.path.join(self.folder.name, "metrics.jsonl"))
        self.assertEqual(tail.events(), [])

    def test_no_run_is_an_error(self):
        self.assertEqual(self.run_sync(), 2)
        self.write(cut="hello\n")
        self.assertEqual(self.run_sync(), 2)
        self.assertEqual(self.wandb.finished, 0)


if __name__ == "__main__":
    unittest.main()
