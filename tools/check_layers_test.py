#!/usr/bin/env python3
"""Trees that check_layers.py must refuse, and one that it must accept."""

import pathlib
import tempfile
import unittest

import check_layers

PICTURE = """```layers
base ->
mil -> base
device -> mil
device/cpu -> device, mil
app -> *
```
"""
GOOD = {
    "base/result.h": "#include <string>\n",
    "mil/type.h": '#include "base/result.h"\n',
    "mil/ops/add.cc": '#include "mil/type.h"\n',
    "device/device.h": '#include "mil/type.h"\n',
    "device/cpu/cpu.cc": '#include "device/device.h"\n#include "hwy/highway.h"\n',
    "app/main.cc": '#include "device/cpu/cpu.cc"\n#include MILLWRIGHT_MODEL_HEADER\n',
}


def problems_of(files, picture=PICTURE):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in ({"README.md": picture} | files).items():
            path = root / "src" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return check_layers.check(root)[0]


class CheckLayers(unittest.TestCase):
    def assert_refused(self, expected, change, picture=PICTURE):
        problems = problems_of(GOOD | change, picture)
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(expected, problems[0])

    def test_accepts_the_picture(self):
        self.assertEqual(problems_of(GOOD), [])

    def test_tests_may_include_anything(self):
        self.assertEqual(problems_of(GOOD | {"mil/x_test.cc": '#include "device/device.h"\n'}), [])

    def test_helpers_of_tests_may_include_anything(self):
        self.assertEqual(problems_of(GOOD | {"mil/test_x.h": '#include "../models/a.h"\n'}), [])

    def test_refuses_a_test_helper_in_a_library(self):
        self.assert_refused("only tests may include it",
                            {"mil/test_x.h": "\n", "mil/bad.cc": '#include "mil/test_x.h"\n'})

    def test_refuses_an_arrow_back(self):
        change = {"base/bad.h": '#include "mil/type.h"\n', "mil/type.h": "\n"}
        problems = problems_of(GOOD | change)
        self.assertIn("src/base/bad.h:1: base may not include mil", problems[0])

    def test_refuses_a_cycle(self):
        problems = problems_of(GOOD | {"base/bad.h": '#include "mil/type.h"\n'})
        self.assertRegex(problems[-1], "include each other: .*(base -> mil|mil -> base)")

    def test_parent_may_not_include_its_listed_subfolder(self):
        change = {"device/bad.h": '#include "device/cpu/cpu.cc"\n', "device/cpu/cpu.cc": "\n"}
        self.assertIn("device may not include device/cpu", problems_of(GOOD | change)[0])

    def test_refuses_an_unlisted_folder(self):
        self.assert_refused("not in the picture", {"util/x.h": "\n"})

    def test_refuses_a_listed_folder_that_is_absent(self):
        self.assert_refused("no folder src/gone", {}, PICTURE.replace("app ->", "gone ->\napp ->"))

    def test_refuses_an_include_that_is_no_file(self):
        self.assert_refused("is not a file of src/", {"mil/bad.h": '#include "type.h"\n'})

    def test_refuses_the_model_macro_elsewhere(self):
        self.assert_refused("only src/app/main.cc", {"app/x.cc": "#include MILLWRIGHT_MODEL_HEADER\n"})

    def test_refuses_a_model_header(self):
        self.assert_refused("model header", {"app/x.cc": '#include "../models/a.h"\n'})

    def test_refuses_a_picture_that_points_down(self):
        self.assert_refused("which is not above it", {},
                            PICTURE.replace("mil -> base", "mil -> base, device"))

    def test_refuses_a_readme_without_picture(self):
        self.assert_refused("no ```layers block", {}, "# nothing\n")


if __name__ == "__main__":
    unittest.main()
