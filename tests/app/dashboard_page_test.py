#!/usr/bin/env python3
"""The web dashboard's page in a real headless Chromium, beside runs that go on.

    dashboard_page_test.py MILLWRIGHT [unittest's arguments]

MILLWRIGHT is a binary of a small model (millwright_stories_nano). Where Chromium or its driver is not
installed, says so and exits with 77.
"""

import json
import math
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

from webdriver import Browser, find_programs

MILLWRIGHT = None
PATIENCE = 120  # seconds; the machine may be busy

# Whether anything but background was drawn on the canvas of a plot, by its heading.
DRAWN = """
  const plot = [...document.querySelectorAll('.plot')].find(p => p.querySelector('h3').textContent === arguments[0]);
  const canvas = plot?.querySelector('canvas');
  if (!canvas?.width) return 0;
  const wanted = getComputedStyle(document.documentElement).getPropertyValue(arguments[1]).trim();
  const [r, g, b] = [1, 3, 5].map(i => parseInt(wanted.slice(i, i + 2), 16));
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let i = 0; i < pixels.length; i += 4)
    if (pixels[i + 3] > 200 && Math.abs(pixels[i] - r) + Math.abs(pixels[i + 1] - g) + Math.abs(pixels[i + 2] - b) < 40) ++count;
  return count;
"""


# Seconds by which steps that a test writes are ahead of the clock, so that however slow the machine is
# the run does not count as stalled.
AHEAD = 600


class WrittenRun:
    """A run folder whose events the test writes itself."""

    def __init__(self, path, steps=2000, **settings):
        self.path, self.steps = pathlib.Path(path), steps
        self.random = random.Random(str(path))
        self.path.mkdir(parents=True, exist_ok=True)
        self.write(type="config", settings={"settings": {"steps": steps, **settings}}, time=time.time())

    def write(self, **event):
        with open(self.path / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")

    def train(self, first, last, offset=0.0):
        lines = []
        for step in range(first, last + 1):
            loss = 3.2 + offset + 5.8 * math.exp(-step / (0.12 * self.steps)) + self.random.gauss(0, 0.1)
            lr = 3e-4 * min(1, step / 100) * (0.55 + 0.45 * math.cos(math.pi * step / self.steps))
            ms = 21 + self.random.random() * 3
            lines.append({"type": "step", "step": step, "loss": loss, "lr": lr, "ms": ms,
                          "tokens_per_s": 256e3 / ms, "time": time.time() + AHEAD - (last - step) * 0.02,
                          "phases_ms": {"forward": 6, "backward": 8, "dw": 4, "classifier": 2}})
            if step % 4 == 0:
                norm = 0.6 + 2 * math.exp(-step / 200) + abs(self.random.gauss(0, 0.1))
                lines.append({"type": "update", "step": step, "update": step // 4, "grad_norm": norm,
                              "lr": lr, "loss_scale": 1, "skipped": False, "ms": 6})
        with open(self.path / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)


class Server:
    """millwright dashboard --web over run folders."""

    def __init__(self, *folders, port=0):
        self.process = subprocess.Popen(
            [MILLWRIGHT, "dashboard", "--web", "--port", str(port), *map(str, folders)],
            stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.port = int(re.search(r":(\d+)/$", self.url).group(1))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.process.stdout.close()
        return self.process.returncode


def start_training(folder, *flags, every=10):
    """A real run of the small model, which goes on until it is ended. It saves its state, validates and
    generates every so many steps."""
    return subprocess.Popen(
        [MILLWRIGHT, "train", "--out", str(folder), "--steps", "1000000", "--accum", "2", "--save-every", str(every),
         "--val-every", str(every), "--val-windows", "1", "--sample-every", str(every), "--tensor-stats-every", "2",
         "--seq", "32", "--threads", "1", *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


NEVER = 10**9  # steps
BARS = "#histograms .plot:nth-child(2)"


class SmallDisk:
    """A disk of some megabytes, in memory; only the superuser can have one."""

    def __init__(self, folder, megabytes):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
                                 capture_output=True, check=False)
        self.usable = mounted.returncode == 0

    def fill(self):
        with open(self.folder / "filler", "wb", buffering=0) as file:
            try:
                while file.write(bytes(1 << 16)):
                    pass
            except OSError:
                return

    def empty(self):
        (self.folder / "filler").unlink()

    def unmount(self):
        if self.usable:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)


class PageTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def serve(self, *folders, port=0):
        server = Server(*folders, port=port)
        self.addCleanup(lambda: server.process.poll() is None and server.stop())
        return server

    def browse(self, url, **options):
        browser = Browser(**options)
        self.addCleanup(browser.__exit__)
        browser.open(url)
        return browser

    def train(self, folder, *flags, every=10):
        """A training that is ended with the test."""
        training = start_training(folder, *flags, every=every)
        self.addCleanup(training.wait)
        self.addCleanup(training.kill)
        return training

    def step(self, browser):
        """The step that the headline tells."""
        found = re.search(r"step (\d+)", browser.text("#headline"))
        return int(found.group(1)) if found else 0

    def assert_clean(self, browser):
        """Nothing failed in the page, and nothing was blocked by its policy."""
        expected = ("net::ERR_", "willReadFrequently")  # a server that is gone; these tests' own looks
        self.assertEqual([m for m in browser.messages() if not any(e in m for e in expected)], [])

    def last_step(self, server):
        """The last step that the server knows of its first run."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{server.url}api/series?run=0&points=1", timeout=60) as answer:
            return json.load(answer)["last_step"]

    def loss_range(self, browser):
        return browser.text("#range")

    def test_a_run_is_shown(self):
        run = WrittenRun(self.folder / "first", lr=3e-4)
        run.train(1, 1500)
        run.write(type="validation", step=1500, val_loss=3.4321, windows=8)
        run.write(type="warning", step=1500, message="the disk is nearly full")
        browser = self.browse(self.serve(run.path).url)
        browser.wait("the status", lambda: "step 1500" in browser.text("#headline"), PATIENCE)
        self.assertEqual(browser.text("#name"), "first")
        self.assertIn("3.4321", browser.text("#tiles"))
        self.assertIn("the disk is nearly full", browser.text("#findings"))
        browser.wait("the log", lambda: "validation loss 3.4321" in browser.text("#log"), PATIENCE)
        browser.wait("the settings", lambda: "0.0003" in browser.text("#config"), PATIENCE)
        for title in ("Loss", "Gradient norm", "Learning rate", "Speed"):
            browser.wait(title, lambda title=title: browser.script(DRAWN, title, "--run-0") > 50, PATIENCE)
        self.assertGreater(browser.script(DRAWN, "Time by phase", "--phase-0"), 500)
        self.assertIn("No figures yet", browser.text("#plots"))  # of memory, which nobody wrote
        self.assert_clean(browser)

    def test_trouble_is_said_in_words(self):
        run = WrittenRun(self.folder / "sick")
        run.train(1, 100)
        browser = self.browse(self.serve(run.path).url)
        browser.wait("the status", lambda: "step 100" in browser.text("#headline"), PATIENCE)
        run.write(type="step", step=101, loss=None, lr=1e-3, ms=20, tokens_per_s=1, time=time.time())
        browser.wait("the alarm", lambda: "NaN" in browser.text("#status"), 10)
        run.write(type="step", step=102, loss=77, lr=1e-3, ms=20, tokens_per_s=1, time=time.time())
        browser.wait("the spike", lambda: "loss spike: 77.0000 at step 102" in browser.text("#findings"), 10)
        run.write(type="end", step=102, reason="failed", wall_s=3, message="state-102: No space left on device")
        browser.wait("the end", lambda: "disk full: state-102" in browser.text("#status"), 10)
        self.assertTrue(browser.script("return document.title").startswith("⚠"))
        for file in run.path.iterdir():
            file.unlink()
        run.path.rmdir()
        browser.wait("the loss of the folder", lambda: "metrics.jsonl is gone" in browser.text("#status"), 10)
        self.assert_clean(browser)

    def test_text_of_a_run_is_text(self):
        evil = "<img src=x onerror=\"window.pwned=1\"><script>window.pwned=1</script>"
        run = WrittenRun(self.folder / "<b>bold<", note=evil)
        run.train(1, 10)
        run.write(type="sample", step=10, prompt=evil, text=evil, tokens=3, ms=1)
        run.write(type="warning", step=10, message=evil)
        browser = self.browse(self.serve(run.path).url)
        for place in ("#samples", "#log", "#config", "#findings"):
            browser.wait(place, lambda place=place: evil in browser.text(place), PATIENCE)
        self.assertEqual(browser.text("#name"), "<b>bold<")
        self.assertIsNone(browser.script("return window.pwned ?? null"))
        self.assert_clean(browser)

    def test_zooming_reads_finer_data(self):
        run = WrittenRun(self.folder / "long", steps=20000)
        run.train(1, 20000)
        server = self.serve(run.path)
        deadline = time.monotonic() + PATIENCE
        while self.last_step(server) < 20000:  # or the page draws what has been read so far
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        browser = self.browse(server.url)
        browser.wait("the curve", lambda: browser.script(DRAWN, "Loss", "--run-0") > 50, PATIENCE)
        self.assertEqual(self.loss_range(browser), "All steps")
        plot = ".plot.wide canvas"
        browser.pointer(plot, ("move", 0.4, 0.5), ("down", 0.4, 0.5), ("move", 0.5, 0.5), ("up", 0.5, 0.5))
        browser.wait("the zoom", lambda: "to" in self.loss_range(browser), PATIENCE)
        span = [int(n.replace(",", "")) for n in re.findall(r"[\d,]+", self.loss_range(browser))]
        self.assertTrue(6000 < span[0] < 9500 and 8500 < span[1] < 11500, span)
        browser.wait("finer data", lambda: browser.script(
            "return performance.getEntriesByType('resource').some(e => /series.*from=\\d/.test(e.name))"), PATIENCE)
        browser.wheel(plot, -300)
        narrower = [int(n.replace(",", "")) for n in re.findall(r"[\d,]+", self.loss_range(browser))]
        self.assertLess(narrower[1] - narrower[0], (span[1] - span[0]) * 0.8)
        # The crosshair tells the values of single steps there.
        browser.pointer(plot, ("move", 0.5, 0.6))
        browser.wait("values", lambda: "step" in browser.text(".plot.wide .tip"), PATIENCE)
        browser.click("#reset")
        browser.wait("everything", lambda: self.loss_range(browser) == "All steps", PATIENCE)
        browser.pointer(plot, ("move", 0.4, 0.5), ("down", 0.4, 0.5), ("move", 0.5, 0.5), ("up", 0.5, 0.5))
        browser.script("document.querySelector('.plot.wide canvas').dispatchEvent(new MouseEvent('dblclick'))")
        browser.wait("everything again", lambda: self.loss_range(browser) == "All steps", PATIENCE)
        self.assert_clean(browser)

    def test_runs_are_compared(self):
        runs = [WrittenRun(self.folder / "slow", lr=1e-4), WrittenRun(self.folder / "fast", lr=6e-4)]
        for run, offset in zip(runs, (0.5, 0)):
            run.train(1, 800, offset)
        browser = self.browse(self.serve(*(run.path for run in runs)).url)
        for color in ("--run-0", "--run-1"):
            browser.wait(color, lambda color=color: browser.script(DRAWN, "Loss", color) > 50, PATIENCE)
        self.assertEqual(browser.text("#name"), "slow")
        browser.click(".chip:nth-child(2) .chip-name")
        browser.wait("the other run", lambda: browser.text("#name") == "fast", PATIENCE)
        browser.wait("both settings", lambda: "0.0006" in browser.text("#config"), PATIENCE)
        self.assertEqual(browser.script("return document.querySelector('.differs th').textContent"), "lr")
        browser.click("#differences")
        self.assertNotIn("steps", browser.text("#config"))
        browser.click(".chip:nth-child(1) .dot")
        browser.wait("one curve", lambda: browser.script(DRAWN, "Loss", "--run-0") == 0, PATIENCE)
        self.assertGreater(browser.script(DRAWN, "Loss", "--run-1"), 50)
        self.assert_clean(browser)

    def test_a_run_goes_on_is_killed_and_resumed(self):
        folder = self.folder / "real"
        server = self.serve(folder)  # which is not there yet
        browser = self.browse(server.url)
        browser.wait("an empty page", lambda: "no run here yet" in browser.text("#headline"), PATIENCE)
        training = self.train(folder, "--scratch")
        browser.wait("the first steps", lambda: self.step(browser) > 5, PATIENCE)
        before = self.step(browser)
        browser.wait("more steps, live", lambda: self.step(browser) > before, PATIENCE)
        browser.wait("a sample", lambda: "step" in browser.text("#samples .step"), PATIENCE)
        browser.wait("kernels", lambda: "ffnFused" in browser.text("#kernels"), PATIENCE)
        browser.wait("a map of tensors", lambda: browser.script(
            "return document.querySelector('#heatmap canvas').width") > 0, PATIENCE)
        browser.wait("a saved state", lambda: "saved" in browser.text("#log"), PATIENCE)
        training.kill()
        training.wait()
        browser.wait("the end, in words", lambda: browser.text("#state") == "cut off", 30)
        stopped = self.step(browser)
        resumed = self.train(folder, "--resume")
        browser.wait("running again", lambda: browser.text("#state") == "running", PATIENCE)
        browser.wait("further steps", lambda: self.step(browser) > stopped, PATIENCE)
        browser.wait("the log to say so", lambda: "resumed after step" in browser.text("#log"), PATIENCE)
        resumed.send_signal(signal.SIGTERM)
        self.assertEqual(resumed.wait(PATIENCE), 130)
        browser.wait("its end", lambda: browser.text("#state") == "interrupted", 30)
        self.assert_clean(browser)

    def test_a_run_that_hangs_is_stalled(self):
        folder = self.folder / "hung"
        training = self.train(folder, "--scratch", every=NEVER)
        browser = self.browse(self.serve(folder).url)
        browser.wait("the first steps", lambda: self.step(browser) > 5, PATIENCE)
        training.send_signal(signal.SIGSTOP)
        browser.wait("the stall, in words", lambda: "stalled: no line for" in browser.text("#headline"), 40)
        self.assertEqual(browser.text("#state"), "stalled")
        self.assertTrue(browser.script("return document.title").startswith("⚠"))
        training.send_signal(signal.SIGCONT)
        browser.wait("the run again", lambda: browser.text("#state") == "running", PATIENCE)
        self.assert_clean(browser)

    def test_a_full_disk_is_said_and_survived(self):
        disk = SmallDisk(self.folder / "disk", 600)
        self.addCleanup(disk.unmount)
        if not disk.usable:
            self.skipTest("a small disk needs the superuser")
        folder = disk.folder / "run"
        training = self.train(folder, "--scratch", every=NEVER)
        server = self.serve(folder)
        browser = self.browse(server.url)
        browser.wait("the first steps", lambda: self.step(browser) > 5, PATIENCE)
        disk.fill()
        browser.wait("the alarm", lambda: "disk full: 0 B are free" in browser.text("#findings"), 10)
        before = self.last_step(server)
        self.assertIsNone(training.poll())
        disk.empty()
        browser.wait("no alarm", lambda: "disk full" not in browser.text("#findings"), 10)
        browser.wait("further steps", lambda: self.step(browser) > before + 1, PATIENCE)
        training.kill()
        training.wait()
        self.assert_clean(browser)

    def test_the_page_outlives_the_server(self):
        run = WrittenRun(self.folder / "run")
        run.train(1, 50)
        server = self.serve(run.path)
        browser = self.browse(server.url)
        browser.wait("the status", lambda: "step 50" in browser.text("#headline"), PATIENCE)
        self.assertEqual(browser.text("#link"), "live")
        self.assertEqual(server.stop(), 0)
        browser.wait("the loss", lambda: browser.text("#link") == "reconnecting…", PATIENCE)
        self.assertIn("step 50", browser.text("#headline"))
        run.train(51, 80)
        self.serve(run.path, port=server.port)
        browser.wait("the server", lambda: browser.text("#link") == "live", PATIENCE)
        browser.wait("what was missed", lambda: self.step(browser) == 80, PATIENCE)
        run.train(81, 90)
        browser.wait("what is new", lambda: self.step(browser) == 90, PATIENCE)
        browser.reload()
        browser.wait("the same after reloading", lambda: self.step(browser) == 90, PATIENCE)
        self.assert_clean(browser)

    def test_histograms_are_drawn(self):
        run = WrittenRun(self.folder / "run")
        run.train(1, 40)
        spread = {"norm": 1, "largest": 1, "zeros": 0, "not_finite": 0}
        for step in (20, 40):
            weight = dict(spread, histogram={"low": -1, "high": 1, "counts": [1, step, 1]})
            gradient = dict(spread, histogram={"low": -0.01, "high": 0.03, "counts": [2, 2, 4, 0]})
            run.write(type="tensors", step=step, tensors=[
                {"name": name, "layer": 0, "elements": 9, "weight": weight, "gradient": gradient}
                for name in ("model.layers.0.mlp.up_proj.weight", "model.norm.weight")])
        browser = self.browse(self.serve(run.path).url)
        for title in ("Spread over the steps", "At step 40"):
            browser.wait(title, lambda title=title: browser.script(DRAWN, title, "--run-0") > 50, PATIENCE)
        self.assertIn("mlp.up_proj", browser.text("#histograms-tensor"))
        browser.pointer(f"{BARS} canvas", ("move", 0.7, 0.5))
        browser.wait("a part's share", lambda: "50.0% of the elements" in browser.text(f"{BARS} .tip"), PATIENCE)
        self.assertIn("0.01 to 0.02", browser.text(f"{BARS} .tip"))
        # The bars are those of the step under the crosshair.
        browser.pointer("#histograms .plot:nth-child(1) canvas", ("move", 0.55, 0.5))
        browser.wait("an earlier look", lambda: browser.text(f"{BARS} h3") == "At step 20", PATIENCE)
        self.assertIn("the middle half", browser.text("#histograms .plot:nth-child(1) .tip"))
        browser.script("const s = document.querySelector('#histograms-of'); s.value = 'weights';"
                       "s.dispatchEvent(new Event('change'))")
        browser.pointer(f"{BARS} canvas", ("move", 0.55, 0.5))
        browser.wait("the weights", lambda: "-0.333 to 0.333" in browser.text(f"{BARS} .tip"), PATIENCE)
        self.assert_clean(browser)

    def test_light_dark_and_narrow(self):
        run = WrittenRun(self.folder / "run")
        run.train(1, 200)
        browser = self.browse(self.serve(run.path).url, dark=True)
        background = "return getComputedStyle(document.body).backgroundColor"
        browser.wait("the curve", lambda: browser.script(DRAWN, "Loss", "--run-0") > 50, PATIENCE)
        dark = browser.script(background)
        browser.emulate_color(False)
        browser.wait("the system's light", lambda: browser.script(background) != dark, PATIENCE)
        browser.click("#theme")
        browser.click("#theme")
        self.assertEqual((browser.text("#theme"), browser.script(background)), ("Theme: dark", dark))
        browser.reload()
        browser.wait("the choice after reloading", lambda: browser.script(background) == dark, PATIENCE)
        for width in (390, 360):
            browser.resize(width, 740)
            browser.wait("the curve", lambda: browser.script(DRAWN, "Loss", "--run-0") > 50, PATIENCE)
            self.assertLessEqual(browser.script("return document.documentElement.scrollWidth"), width)
        browser.pinch(".plot.wide canvas", (0.45, 0.55), (0.25, 0.75))
        browser.wait("the zoom", lambda: "to" in self.loss_range(browser), PATIENCE)
        first, last = (int(n) for n in re.findall(r"\d+", self.loss_range(browser)))
        self.assertTrue(40 < first < 100 < last < 160, (first, last))
        self.assert_clean(browser)


def main():
    global MILLWRIGHT
    driver, chromium = find_programs()
    if not driver or not chromium:
        print(f"skipped: {'chromium' if driver else 'chromedriver'} is not installed")
        return 77
    MILLWRIGHT = os.path.abspath(sys.argv.pop(1))
    return 0 if unittest.main(exit=False).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
