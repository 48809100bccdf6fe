"""A headless Chromium, driven by the WebDriver protocol (https://www.w3.org/TR/webdriver2/) over HTTP.

Only the standard library is used, and only the calls that the tests of the web dashboard need.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the standard's key of an element's id


def find_programs():
    """(driver, browser), None for one that is not installed."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return shutil.which("chromedriver"), browser


class WebDriverError(Exception):
    pass


class Browser:
    """A browser window; use it in a `with` statement."""

    def __init__(self, width=1280, height=900, dark=False, scale=1):
        driver, browser = find_programs()
        self.process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.address = self._read_address()
        arguments = ["--headless=new", "--no-first-run", "--disable-gpu", "--hide-scrollbars",
                     f"--force-device-scale-factor={scale}"]
        if os.geteuid() == 0:
            arguments += ["--no-sandbox", "--disable-dev-shm-usage"]
        if dark:
            arguments.append("--blink-settings=preferredColorScheme=0")
        options = {"binary": browser, "args": arguments}
        try:
            answer = self._send("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL"}}}})
            self.session = f"/session/{answer['sessionId']}"
            self.resize(width, height)
            self.emulate_color(dark)
        except Exception:
            self.process.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._send("DELETE", self.session)
        finally:
            self.process.terminate()
            self.process.wait(10)
            self.process.stdout.close()

    def _read_address(self):
        for line in self.process.stdout:
            port = re.search(r"successfully on port (\d+)", line)
            if port:
                return f"http://127.0.0.1:{port.group(1)}"
        raise WebDriverError("chromedriver did not start")

    def _send(self, method, path, body=None):
        data = None if body is None and method != "POST" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"},
                                         method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise WebDriverError(json.load(error)["value"]["message"]) from None

    def _command(self, path, body=None, method="POST"):
        return self._send(method, self.session + path, body)

    def open(self, url):
        self._command("/url", {"url": url})

    def reload(self):
        self._command("/refresh")

    def resize(self, width, height):
        """The size of the page, also below what a window of the browser can have."""
        self._command("/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": height, "deviceScaleFactor": 0, "mobile": False}})

    def emulate_color(self, dark):
        self._command("/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]}})

    def script(self, text, *arguments):
        """What the function body `text` returns in the page."""
        return self._command("/execute/sync", {"script": text, "args": list(arguments)})

    def text(self, selector):
        """The text of an element; nothing where there is none."""
        return self.script("return document.querySelector(arguments[0])?.textContent ?? ''", selector)

    def find(self, selector):
        return self._command("/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self._command(f"/element/{self.find(selector)}/click")

    def pointer(self, selector, *moves):
        """Moves the pointer over an element; a move is (kind, x, y) with kind "move", "down", "up",
        and x, y as shares of its width and height."""
        self.script("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
        box = self.script("const r = document.querySelector(arguments[0]).getBoundingClientRect();"
                          "return [r.left, r.top, r.width, r.height]", selector)
        actions = []
        for kind, x, y in moves:
            actions.append({"type": "pointerMove", "duration": 40, "x": round(box[0] + x * box[2]),
                            "y": round(box[1] + y * box[3])})
            if kind != "move":
                actions.append({"type": "pointerDown" if kind == "down" else "pointerUp", "button": 0})
        self._command("/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]})

    def wheel(self, selector, delta):
        """Turns the wheel over the middle of an element, with Ctrl held."""
        self.script("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
        origin = {ELEMENT: self.find(selector)}
        turn = {"type": "scroll", "x": 0, "y": 0, "deltaX": 0, "deltaY": delta, "origin": origin}
        self._command("/actions", {"actions": [
            {"type": "key", "id": "keys", "actions": [{"type": "keyDown", "value": "\ue009"}, {"type": "pause"},
                                                      {"type": "keyUp", "value": "\ue009"}]},
            {"type": "wheel", "id": "wheel", "actions": [{"type": "pause"}, turn, {"type": "pause"}]}]})

    def pinch(self, selector, before, after):
        """Two fingers on an element move from the places `before` to those `after`, shares of its width."""
        self.script("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", selector)
        box = self.script("const r = document.querySelector(arguments[0]).getBoundingClientRect();"
                          "return [r.left, r.top, r.width, r.height]", selector)
        fingers = []
        for i in range(2):
            start, end = ({"type": "pointerMove", "duration": duration, "x": round(box[0] + place[i] * box[2]),
                           "y": round(box[1] + box[3] / 2)} for place, duration in ((before, 0), (after, 200)))
            fingers.append({"type": "pointer", "id": f"finger {i}", "parameters": {"pointerType": "touch"},
                            "actions": [start, {"type": "pointerDown", "button": 0}, end,
                                        {"type": "pointerUp", "button": 0}]})
        self._command("/actions", {"actions": fingers})

    def messages(self):
        """What the page wrote to its console since the last call."""
        return [entry["message"] for entry in self._command("/se/log", {"type": "browser"})]

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self._command("/screenshot", method="GET")))

    def wait(self, what, condition, seconds=30):
        """Until condition() is true; fails with `what`."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}")
            time.sleep(0.1)
