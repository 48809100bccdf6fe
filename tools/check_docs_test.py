#!/usr/bin/env python3
"""Pages that check_docs.py must refuse, and some that it must accept."""

import pathlib
import tempfile
import unittest

import check_docs

GOOD = {
    "README.md": "# Title\n[formats](docs/formats.md#the-run-folder---out) and `math/gemm.h`, `src/math/*.h`\n",
    "docs/formats.md": "## The run folder (`--out`)\n\n| a | b |\n|---|---|\n| `x\\|y` | z |\n",
    "src/math/gemm.h": "",
}


def problems_of(page, files=GOOD):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        for name, text in (files | {"docs/page.md": page}).items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return check_docs.check(root)[0]


class CheckDocs(unittest.TestCase):
    def assert_refused(self, expected, page, line=1):
        self.assertEqual([f"docs/page.md:{line}: {expected}"], [p.split(" (")[0] for p in problems_of(page)])

    def test_accepts_good_pages(self):
        self.assertEqual(problems_of("[up](../README.md) [here](#a-b)\n# A b\n[web](https://example.org/x)\n"), [])

    def test_refuses_a_link_to_nothing(self):
        self.assert_refused("the link formatz.md leads nowhere", "[formats](formatz.md)\n")

    def test_refuses_an_anchor_without_a_heading(self):
        self.assert_refused("the link formats.md#files leads to no heading", "[formats](formats.md#files)\n")
        self.assert_refused("the link #files leads to no heading", "[above](#files)\n")

    def test_refuses_names_of_what_is_gone(self):
        self.assert_refused("there is no src/math/gemv.h", "`src/math/gemv.h`\n")
        self.assert_refused("there is no math/gemv.h", "`math/gemv.h`\n")
        self.assert_refused("there is no math/passes/", "`math/passes/`\n")
        self.assert_refused("there is no math/gemm_*.cc", "`math/gemm_*.cc`\n")

    def test_leaves_out_what_no_clone_has(self):
        self.assertEqual(problems_of("`build/cmake/x`, `runs/x`, `weights/x.bin`, `src/math/<name>.h`\n"), [])

    def test_leaves_out_code(self):
        self.assertEqual(problems_of("```\n[x](y.md) `math/gemv.h`\n```\n"), [])

    def test_refuses_a_bar_within_a_cell(self):
        self.assert_refused("4 cells in a table of 2 columns", "| a | b |\n|---|---|\n| |v| | c |\n", line=3)

    def test_takes_each_table_by_itself(self):
        self.assertEqual(problems_of("| a |\n|---|\n| b |\n\n| a | b |\n|---|---|\n"), [])


if __name__ == "__main__":
    unittest.main()
