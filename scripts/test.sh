#!/usr/bin/env bash
# Everything that must hold before a change lands: builds all binaries and tests, runs the tests, checks
# the layers, and fuzzes the readers for a moment where clang is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

FUZZ_SECONDS=${FUZZ_SECONDS:-10}  # for each fuzz target
build=build/cmake
jobs=$(getconf _NPROCESSORS_ONLN)

scripts/setup.sh tests
python3 tools/check_layers.py

mkdir -p build
cmake -S . -B "$build" -G Ninja >"$build.configure.log" 2>&1 ||
  { cat "$build.configure.log" >&2; exit 1; }
targets=(all)
for header in models/*.h; do targets+=("millwright_$(basename "$header" .h)"); done
cmake --build "$build" --target "${targets[@]}"

ctest --test-dir "$build" -j "$jobs" --output-on-failure --no-tests=error \
  --output-junit junit.xml </dev/null
skipped=$(sed -n 's/.*[[:space:]]skipped="\([0-9]*\)".*/\1/p' "$build/junit.xml" | head -n 1)
if [[ ${skipped:-0} != 0 ]]; then
  echo "skipped tests (each says why: ctest --test-dir $build -V -R NAME):"
  sed -n 's/.*<testcase name="\([^"]*\)".*status="\(notrun\|disabled\)".*/  \1/p' "$build/junit.xml"
fi

FUZZ_SECONDS=$FUZZ_SECONDS scripts/fuzz.sh

echo "all tests passed, ${skipped:-0} skipped"
