#!/usr/bin/env python3
"""clang-tidy over the project's sources, all of them, at once.

    lint.py COMPILE_COMMANDS MEMORY [--tidy clang-tidy-16]

MEMORY is a folder that remembers what was found clean: a source whose text, with all that it includes, and
whose command and configuration have not changed is not looked at again. Exit status 1 on findings.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src/", "tests/", "bench/", "tools/")
# What clang-tidy tells only of the file that it was given, and not of those that this one includes.
BROUGHT_IN = re.compile(r"^ *(?:using (?:::)?(?:\w+::)+(\w+);|namespace (\w+) = .*;)", re.MULTILINE)


def ours(entry):
    """The path of a source below the project, or of a file that CMake made to compile several; None for
    what else is generated."""
    path = os.path.relpath(os.path.join(entry["directory"], entry["file"]), ROOT)
    return path if path.startswith(FOLDERS) or "/Unity/unity_" in path else None


def members(path):
    """The project's sources that a file compiles: those that it includes, or itself."""
    if path.startswith(FOLDERS):
        return [path]
    lines = (ROOT / path).read_text().splitlines()
    return [os.path.relpath(line.split('"')[1], ROOT) for line in lines if line.startswith("#include")]


def unused(path):
    """Findings about names that a source brings into its scope and does not mention again."""
    text = (ROOT / path).read_text()
    found = []
    for match in BROUGHT_IN.finditer(text):
        name = match.group(1) or match.group(2)
        if len(re.findall(rf"\b{name}\b", text)) < 2 + match.group(0).count(name) - 1:
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path}:{line}: error: '{name}' is not used [misc-unused]")
    return found


def fingerprint(entry, compiler, configuration):
    """What clang-tidy's findings depend on; None where the preprocessor itself fails."""
    words = shlex.split(entry["command"])
    words = words[next(i for i, word in enumerate(words) if word.startswith("-")):]  # launcher, compiler
    output = words.index("-o")
    del words[output:output + 2]
    words.remove("-c")
    # -C: comments say what not to look at.
    command = [compiler, "-w", "-E", "-C", "-P", *words]
    text = subprocess.run(command, cwd=entry["directory"], capture_output=True)
    if text.returncode != 0:
        return None
    digest = hashlib.sha256(configuration)
    digest.update(" ".join(words).replace(str(ROOT), "").encode())
    digest.update(text.stdout.replace(str(ROOT).encode(), b""))
    return digest.hexdigest()


def look(entry, build, tidy, compiler, configuration, memory):
    """(path, findings or "", whether it was known to be clean)"""
    path = ours(entry)
    names = "\n".join(finding for member in members(path) for finding in unused(member))
    if names:
        return path, names, False
    key = fingerprint(entry, compiler, configuration)
    if key and (memory / key).exists():
        return path, "", True
    run = subprocess.run([tidy, "-p", str(build), "--quiet", "--extra-arg=-Wno-unknown-warning-option",
                          *([] if path.startswith(FOLDERS) else ["--checks=-bugprone-suspicious-include"]), path],
                         cwd=ROOT, capture_output=True, text=True)
    if run.returncode == 0:
        if key:
            (memory / key).touch()
        return path, "", False
    # Without the count of suppressed warnings, which is all that it says of a clean file.
    return path, run.stdout + "\n".join(line for line in run.stderr.splitlines() if "error" in line), False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("compile_commands", type=pathlib.Path)
    parser.add_argument("memory", type=pathlib.Path)
    parser.add_argument("--tidy", default="clang-tidy")
    parser.add_argument("--compiler", default="clang++", help="the clang++ beside it, for its preprocessor")
    args = parser.parse_args()

    version = subprocess.run([args.tidy, "--version"], capture_output=True, check=True).stdout
    configuration = version + (ROOT / ".clang-tidy").read_bytes()
    args.memory.mkdir(parents=True, exist_ok=True)
    entries = {ours(e): e for e in json.loads(args.compile_commands.read_text()) if ours(e)}

    known = dirty = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        work = [pool.submit(look, entry, args.compile_commands.parent, args.tidy, args.compiler, configuration,
                            args.memory) for _, entry in sorted(entries.items())]
        for done, future in enumerate(concurrent.futures.as_completed(work), 1):
            path, findings, was_known = future.result()
            known += was_known
            if findings:
                dirty += 1
                print(f"[{done}/{len(work)}] {path}\n{findings}", flush=True)
    sources = sum(len(members(path)) for path in entries)
    print(f"lint: {sources} sources in {len(work)} files, {known} known to be clean, {dirty} with findings")
    return 1 if dirty else 0


if __name__ == "__main__":
    sys.exit(main())
