#!/usr/bin/env bash
# clang-tidy over all sources that the build in $1 (default build/cmake) knows.
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:-build/cmake}
tidy=${CLANG_TIDY:-$(command -v clang-tidy-16 clang-tidy | head -n 1 || true)}
[[ -n $tidy ]] || { echo "lint: clang-tidy is needed (apt-get install clang-tidy-16)" >&2; exit 1; }
[[ -f $build/compile_commands.json ]] || cmake -S . -B "$build" -G Ninja >/dev/null

# Sources that this machine's build compiles; the twins of other platforms are not among them.
sources=$(python3 -c '
import json, os, sys
files = {os.path.relpath(c["file"]) for c in json.load(open(sys.argv[1]))}
print("\n".join(sorted(f for f in files if f.startswith(("src/", "tests/", "bench/")))))
' "$build/compile_commands.json")
printf '%s\n' "$sources" |
  xargs -P "$(getconf _NPROCESSORS_ONLN)" -n 4 "$tidy" -p "$build" --quiet \
    --extra-arg=-Wno-unknown-warning-option
echo "lint: clean"
