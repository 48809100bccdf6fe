#!/usr/bin/env python3
"""Holds the pages in Markdown to the repository that they describe.

Checked, outside of blocks of code: a relative link leads to a file, and its anchor to a heading there; a row of a
table has as many cells as the table's head; a name in backticks that begins with a folder of the repository or of
src/ (`tests/mil/silu.mil`, `math/gemm.h`, `specs_*.cc` with a folder before it) is a file or folder. Names with
a part in <angle brackets> are left out, and what begins with build/ or runs/, which no clone has.

    python3 tools/check_docs.py [ROOT]      exit status 1, and one line for each problem
"""

import pathlib
import re
import subprocess
import sys

LINK = re.compile(r"\]\(([^()\s]+)\)")
NAME = re.compile(r"`([\w.*-]+(?:/[\w.*-]+)+/?|[\w.-]+/)`")
HEADING = re.compile(r"#+ (.*)")
CELL = re.compile(r"(?<!\\)\|")
NOT_IN_A_CLONE = ("build", "runs")


def prose(text):
    """(line number, line) of what is not code."""
    code = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            code = not code
        elif not code:
            yield number, line


def anchor(heading):
    """The name that a heading gets as the target of a link, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(page):
    matches = (HEADING.match(line) for _, line in prose(page.read_text(encoding="utf-8")))
    return {anchor(match.group(1)) for match in matches if match}


def link_problem(page, target):
    """What is wrong with a link of `page`, or None."""
    if re.match(r"\w+:", target):
        return None
    path, _, fragment = target.partition("#")
    other = page.parent / path if path else page
    if not other.exists():
        return f"the link {target} leads nowhere"
    if fragment and fragment not in anchors(other):
        return f"the link {target} leads to no heading"
    return None


def name_problem(root, page, name):
    """What is wrong with a name in backticks, or None."""
    first = name.split("/")[0]
    bases = [base for base in (root, root / "src") if (base / first).is_dir()]
    if first in NOT_IN_A_CLONE or not bases:
        return None
    if any(any(base.glob(name.rstrip("/"))) for base in [*bases, page.parent]):
        return None
    return f"there is no {name}"


def check_page(root, page):
    columns = None
    for number, line in prose(page.read_text(encoding="utf-8")):
        problems = [link_problem(page, target) for target in LINK.findall(line)]
        problems += [name_problem(root, page, name) for name in NAME.findall(line)]
        cells = len(CELL.findall(line)) - 1 if line.startswith("|") else None
        if cells is not None and columns is not None and cells != columns:
            problems.append(f"{cells} cells in a table of {columns} columns (a | within a cell is written \\|)")
        columns = None if cells is None else columns or cells
        for problem in filter(None, problems):
            yield f"{page.relative_to(root)}:{number}: {problem}"


def pages(root):
    """The pages that git knows, or would; all that there are where git knows nothing of ROOT."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=root,
                            capture_output=True, text=True, check=False)
    names = listed.stdout.split("\n") if listed.returncode == 0 else root.rglob("*.md")
    return sorted(root / name for name in names if name and (root / name).is_file())


def check(root):
    """(problems, number of pages)"""
    found = pages(root)
    return [problem for page in found for problem in check_page(root, page)], len(found)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    problems, count = check(root)
    for problem in problems:
        print(problem)
    print(f"docs: {len(problems)} problems in {count} pages" if problems else f"docs: {count} pages hold")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
