#!/usr/bin/env python3
"""Reports files longer than 400 lines and functions longer than 40, longest first.

A report, not a gate: only a file of more than 800 lines is a failure. Functions are found by braces: a
line that opens a block at indentation 0 or 2 (a member) and is no type or namespace; approximate.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src", "tests", "bench", "models")
FILE_LINES, FILE_LIMIT, FUNCTION_LINES = 400, 800, 40
NOT_A_FUNCTION = re.compile(r"^\s*(namespace|struct|class|enum|union|extern|constexpr|inline constexpr"
                            r"|const|static const|using|template\s*<[^>]*>\s*(struct|class))\b")


def functions(lines):
    """(name, first line number, length) of the functions that this rule of thumb finds."""
    start, name, indent = None, "", ""
    for number, line in enumerate(lines, start=1):
        if start is None:
            opened = re.match(r"^( {0,2})\S.*\{$", line)
            if opened and "(" in signature(lines, number) and not NOT_A_FUNCTION.match(line):
                start, indent = number, opened.group(1)
                name = re.search(r"([\w:~]+)\s*\(", signature(lines, number))
        elif line.startswith(indent + "}") and not line.startswith(indent + "} else"):
            yield (name.group(1) if name else "?"), start, number - start + 1
            start = None


def signature(lines, number):
    """The line and, where it is a continuation, the lines before it back to the declaration."""
    first = number - 1
    while first > 0 and "(" not in lines[first] and not lines[first - 1].rstrip().endswith((";", "}", "{")):
        first -= 1
    return " ".join(lines[first:number])


def main():
    files, long_functions = [], []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".h", ".cc"):
                continue
            lines = path.read_text(encoding="utf-8").splitlines()
            name = path.relative_to(ROOT).as_posix()
            files.append((len(lines), name))
            long_functions += [(length, f"{name}:{start} {function}")
                               for function, start, length in functions(lines) if length > FUNCTION_LINES]
    long_files = sorted((file for file in files if file[0] > FILE_LINES), reverse=True)
    for count, name in long_files:
        print(f"{count:5} lines  {name}")
    for count, name in sorted(long_functions, reverse=True):
        print(f"{count:5} lines  {name}()")
    lengths = sorted(count for count, _ in files)
    median = lengths[len(lengths) // 2] if lengths else 0
    print(f"{len(files)} files, median {median} lines; {len(long_files)} above {FILE_LINES}; "
          f"{len(long_functions)} functions above {FUNCTION_LINES} lines")
    too_long = [name for count, name in long_files if count > FILE_LIMIT]
    if too_long:
        print(f"more than {FILE_LIMIT} lines: {', '.join(too_long)}", file=sys.stderr)
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main())
