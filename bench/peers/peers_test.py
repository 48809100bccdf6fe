#!/usr/bin/env python3
"""The arithmetic of the comparisons, and that PyTorch's side computes Millwright's loss."""

import importlib.util
import json
import pathlib
import sys
import tempfile
import unittest

import generation
import rounds
import training

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
TINY = {"dim": 16, "hidden_dim": 20, "layers": 2, "heads": 4, "kv_heads": 2, "head_dim": 4, "seq": 6, "vocab": 23,
        "qk_norm": True, "rope_theta": 1e4, "rms_norm_eps": 1e-5, "rotary": "half_split"}


def contestants(ours, theirs):
    def times(values):
        return training.with_whole({"step_ms": values, "update_ms": [1.0] * len(values)})
    return {"torch eager": times(theirs), "millwright": times(ours) | {"peak_gflops": [100.0]}}


class RoundsTest(unittest.TestCase):
    def setUp(self):
        self.rounds = rounds.Rounds({"work_gflop": 1.0})
        self.rounds.add(contestants([10.0, 12.0, 11.0], [20.0, 22.0, 24.0]))
        self.rounds.add(contestants([30.0], [90.0]))  # the machine was busy
        self.rounds.add(contestants([10.0], [25.0]))

    def test_medians_and_minima_are_over_all_rounds(self):
        self.assertEqual(self.rounds.median("millwright", "step_ms"), 11.0)
        self.assertEqual(self.rounds.minimum("torch eager", "step_ms"), 20.0)
        self.assertEqual(self.rounds.median("torch eager", "whole_ms"), 25.0)

    def test_ratios_are_within_a_round(self):
        self.assertEqual(self.rounds.ratio("torch eager", "millwright", "step_ms"), 2.5)  # of 2, 3 and 2.5
        self.assertEqual(self.rounds.ratio("millwright", "millwright", "step_ms"), 1.0)

    def test_a_summary_has_the_share_of_the_peak(self):
        row = training.summarise(self.rounds)[0]
        self.assertEqual(row["name"], "torch eager")
        self.assertAlmostEqual(row["percent_of_peak"], 100 * (1e3 / 24.0) / 100)

    def test_a_contestant_may_join_later(self):
        self.rounds.add(contestants([10.0], [30.0]) | {"torch compile": contestants([1.0], [20.0])["torch eager"]})
        rows = {row["name"]: row for row in training.summarise(self.rounds)}
        self.assertEqual(rows["torch compile"]["repetitions"], 1)
        self.assertEqual(rows["torch compile"]["step_ms"]["times_millwright"], 2.0)

    def test_a_contestant_that_could_not_run_is_left_out(self):
        self.rounds.add({"millwright": contestants([10.0], [1.0])["millwright"]})
        self.assertEqual(len(self.rounds.values("torch eager", "step_ms")), 5)
        self.assertEqual(self.rounds.ratio("torch eager", "millwright", "step_ms"), 2.5)

    def test_rounds_are_added_to_those_of_the_same_setting_only(self):
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/rounds.json"
            rounds.write_json(path, self.rounds.to_json())
            self.assertEqual(len(rounds.open_rounds(path, {"work_gflop": 1.0}, True).rounds), 3)
            self.assertEqual(rounds.open_rounds(path, {"work_gflop": 1.0}, False).rounds, [])
            with self.assertRaises(rounds.Failed):
                rounds.open_rounds(path, {"work_gflop": 2.0}, True)


class GenerationTest(unittest.TestCase):
    def test_speeds_are_read_from_what_is_printed(self):
        pattern = r"achieved tok/s: ([\d.]+)"
        self.assertEqual(generation.speed_in("x\nachieved tok/s: 50.5\n", pattern, "llama2.c"), 50.5)
        with self.assertRaises(rounds.Failed):
            generation.speed_in("nothing", pattern, "llama2.c")

    def test_common_start(self):
        self.assertEqual(generation.common_start("Once upon\n", " Once again"), 5)


@unittest.skipUnless(importlib.util.find_spec("torch"), "this Python has no torch")
class TorchWorkerTest(unittest.TestCase):
    def test_the_loss_is_that_of_the_formulas(self):
        import torch
        import torch_worker
        sys.path.insert(0, str(TOOLS))
        import torch_model
        torch.manual_seed(3)
        model = torch_worker.Decoder(TINY, TINY["vocab"])
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
        renamed = {"input_layernorm": "input_norm", "post_attention_layernorm": "ffn_norm"}
        weights, parameters = {}, dict(model.named_parameters())
        for name, shape, *_ in torch_model.tensor_table(TINY):
            parts = name.split(".")
            if parts[1] == "layers":
                local = f"blocks.{parts[2]}.{renamed.get(parts[-2], parts[-2])}.weight"
            else:
                local = {"embed_tokens": "embed.weight", "norm": "norm.weight"}[parts[1]]
            weights[name] = parameters.pop(local)
            self.assertEqual(tuple(weights[name].shape), tuple(shape), name)
        self.assertEqual(parameters, {})
        window = torch.randint(TINY["vocab"], (1, TINY["seq"] + 1))
        expected = torch_model.loss(TINY, weights, window)
        found = model(window[:, :-1], window[:, 1:])
        self.assertAlmostEqual(float(found), float(expected), places=5)

    def test_a_slice_times_steps_and_updates(self):
        import torch_worker
        times = torch_worker.Worker(TINY, 9).slice("eager", 0.0)
        self.assertEqual(len(times["step_ms"]), 3)
        self.assertEqual(len(times["update_ms"]), 3)
        self.assertGreater(min(times["step_ms"]), 0.0)


if __name__ == "__main__":
    unittest.main()
