#!/usr/bin/env python3
"""Holds the includes of src/ to the picture in src/README.md.

The picture is a fenced block that starts with ```layers; see src/README.md for its rules. Checked:
every quoted include names a file of src/ whose folder is allowed (tests, *_test.cc and test_*.h, may
include anything, and nothing else may include them); every folder is in the picture, and
the other way round; a folder names only folders above it, and the includes as they are have no cycle;
only src/app/main.cc depends on MILLWRIGHT_MODEL_HEADER, and no file includes a model header.

    python3 tools/check_layers.py [ROOT]      exit status 1, and one line for each problem
"""

import pathlib
import re
import sys

IMPLIED = "base"  # what every folder may include without saying so
SUFFIXES = {".h", ".cc", ".def", ".inc"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]')
MODEL_MACRO = "MILLWRIGHT_MODEL_HEADER"
MODEL_USER = "app/main.cc"
# Libraries whose own documentation includes them with quotes.
QUOTED_LIBRARIES = ("hwy/", "oneapi/", "gtest/", "gmock/")


def read_picture(readme):
    """({folder: set of allowed folders or None for all above}, problems), in the order of the text."""
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    block = re.search(r"^```layers\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    if not block:
        return {}, [f"{readme}: no ```layers block"]
    picture, problems = {}, []
    for line in filter(str.strip, block.group(1).splitlines()):
        folder, arrow, allowed = (part.strip() for part in line.partition("->"))
        names = {name.strip() for name in allowed.split(",") if name.strip()}
        if not arrow or folder in picture:
            problems.append(f"{readme}: '{line}': expected one 'folder -> folder, ...' a folder")
            continue
        for name in sorted(names - {"*"} - set(picture)):
            problems.append(f"{readme}: {folder} names {name}, which is not above it")
        picture[folder] = set(picture) if "*" in names else names
    return picture, problems


def is_test(path):
    """Unit tests and their helpers, which no library contains."""
    name = path.split("/")[-1]
    return name.endswith("_test.cc") or name.startswith("test_")


def folder_of(path, picture):
    """The line of the picture that the file `path` ("mil/ops/add.cc") belongs to: the longest match."""
    parts = path.split("/")[:-1]
    for length in range(len(parts), 0, -1):
        if "/".join(parts[:length]) in picture:
            return "/".join(parts[:length])
    return None


def check_include(source, line, src, target, picture):
    """(problem or None, folder included or None) of one quoted include."""
    where = f"src/{source}:{line}"
    if target.startswith(QUOTED_LIBRARIES):
        return None, None
    if re.search(r"(^|/)models/", target):
        return f"{where}: includes the model header {target}; any model must be usable at run time", None
    if not (src / target).is_file():
        return f"{where}: \"{target}\" is not a file of src/ (write \"folder/file.h\")", None
    if is_test(target):
        return f"{where}: {target} is a test's; only tests may include it", None
    mine, other = folder_of(source, picture), folder_of(target, picture)
    if other is None or other in (mine, IMPLIED) or other in picture[mine]:
        return None, other
    allowed = ", ".join(sorted(picture[mine] | {IMPLIED}))
    return f"{where}: {mine} may not include {other} ({target}); it may include {allowed}", other


def check_file(path, src, picture, edges):
    source = path.relative_to(src).as_posix()
    mine = folder_of(source, picture)
    if mine is None:
        return [f"src/{source}: its folder is not in the picture of src/README.md"]
    problems = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        code = line.split("//")[0]
        if MODEL_MACRO in code and source != MODEL_USER:
            problems.append(f"src/{source}:{number}: only src/{MODEL_USER} may depend on {MODEL_MACRO}")
        match = INCLUDE.match(code)
        if not match or match.group(1) == "<":
            continue
        problem, other = check_include(source, number, src, match.group(2), picture)
        problems += [problem] if problem else []
        if other and other != mine:
            edges.setdefault(mine, set()).add(other)
    return problems


def find_cycle(edges):
    """A list of folders that include each other in a ring, or None."""
    done, path = set(), []

    def visit(folder):
        if folder in path:
            return path[path.index(folder):] + [folder]
        if folder in done:
            return None
        path.append(folder)
        for other in sorted(edges.get(folder, ())):
            ring = visit(other)
            if ring:
                return ring
        done.add(path.pop())
        return None

    for folder in sorted(edges):
        ring = visit(folder)
        if ring:
            return ring
    return None


def check(root):
    """(problems, number of files looked at) of the tree below `root`."""
    src = root / "src"
    picture, problems = read_picture(src / "README.md")
    if not picture:
        return problems, 0
    problems += [f"src/README.md: there is no folder src/{folder}"
                 for folder in picture if not (src / folder).is_dir()]
    files = [path for path in sorted(src.rglob("*"))
             if path.suffix in SUFFIXES and not is_test(path.name)]
    edges = {}
    for path in files:
        problems += check_file(path, src, picture, edges)
    ring = find_cycle(edges)
    if ring:
        problems.append("src: folders include each other: " + " -> ".join(ring))
    return problems, len(files)


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent
    problems, count = check(root)
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"layers: {count} files keep to src/README.md")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
