#!/usr/bin/env bash
# Fuzzes every reader, or those that FUZZ_ONLY lists, for FUZZ_SECONDS (default 60) each, with the
# address and undefined-behaviour sanitizers. Needs clang with libFuzzer; says so and succeeds where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."

FUZZ_SECONDS=${FUZZ_SECONDS:-60}
build=build/fuzz

mkdir -p build
compiler=$(command -v clang++-16 clang++ | head -n 1 || true)
if [[ -z $compiler ]]; then
  echo "fuzz: skipped, no clang++ here"
  exit 0
fi
if ! cmake -S . -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DMILLWRIGHT_FUZZ=ON -DMILLWRIGHT_UNITY=ON \
  -DCMAKE_CXX_FLAGS_RELEASE='-O1 -g1' -DMILLWRIGHT_BENCH=OFF >"$build.configure.log" 2>&1; then
  echo "fuzz: skipped, $compiler cannot build the fuzzers (libFuzzer or OpenMP is missing):"
  grep -m 3 -i "error" "$build.configure.log" | sed 's/^/  /' || true
  exit 0
fi
cmake --build "$build" --target fuzzers

# Programs of tests/mil are the seeds of what reads MIL.
mkdir -p "$build/seeds/mil" "$build/seeds/weights"
cp tests/mil/*.mil "$build/seeds/mil"
"$build/seed_weights" "$build/seeds/weights"

for source in tests/fuzz/fuzz_*.cc; do
  name=$(basename "$source" .cc)
  [[ -n ${FUZZ_ONLY:-} && " $FUZZ_ONLY " != *" $name "* ]] && continue
  found=$build/corpus/$name
  mkdir -p "$found"
  seeds=()
  [[ -d tests/fuzz/corpus/$name ]] && seeds=("tests/fuzz/corpus/$name")
  [[ $name == fuzz_mil_* ]] && seeds+=("$build/seeds/mil")
  [[ $name == fuzz_weights ]] && seeds+=("$build/seeds/weights")
  echo "fuzz: $name for $FUZZ_SECONDS s"
  OMP_NUM_THREADS=1 "$build/$name" -max_total_time="$FUZZ_SECONDS" -max_len=4096 -timeout=10 \
    -rss_limit_mb=2048 -verbosity=0 -print_final_stats=0 -artifact_prefix="$build/crash-$name-" \
    "$found" ${seeds[@]+"${seeds[@]}"} </dev/null
done
