#!/usr/bin/env bash
# clang-tidy over all sources that this machine's build compiles; the twins of other platforms are not among
# them. What was clean before and has not changed is not looked at again (build/lint/clean remembers).
set -euo pipefail
cd "$(dirname "$0")/.."

tidy=${CLANG_TIDY:-$(command -v clang-tidy-16 clang-tidy | head -n 1 || true)}
[[ -n $tidy ]] || { echo "lint: clang-tidy is needed (apt-get install clang-tidy-16)" >&2; exit 1; }
compiler=$(command -v clang++-16 clang++ | head -n 1 || true)
[[ -n $compiler ]] || { echo "lint: clang++ is needed beside clang-tidy" >&2; exit 1; }

cmake -S . -B build/lint -G Ninja -DMILLWRIGHT_PCH=OFF -DMILLWRIGHT_UNITY=ON >/dev/null
exec python3 tools/lint.py build/lint/compile_commands.json build/lint/clean --tidy "$tidy" --compiler "$compiler"
