#!/usr/bin/env bash
# From nothing to a story: installs what is missing, builds stories_nano, trains it on the embedded
# stories for about two minutes on two cores, and lets it tell a story.
set -euo pipefail
cd "$(dirname "$0")/.."

STEPS=${STEPS:-1200}   # sequences of 256 tokens
ACCUM=${ACCUM:-1}      # sequences an update
LR=${LR:-1e-3}
WARMUP=${WARMUP:-50}
OUT=${OUT:-runs/demo}
TOKENS=${TOKENS:-200}  # length of the story
TEMPERATURE=${TEMPERATURE:-0.7}
SEED=${SEED:-42}
PROMPT=${PROMPT:-}

binary=build/stories_nano/millwright

scripts/setup.sh
make --no-print-directory MODEL=stories_nano

echo
echo "== training on the embedded stories, about two minutes on two cores"
"$binary" train --scratch --overwrite --out "$OUT" --steps "$STEPS" --accum "$ACCUM" --lr "$LR" \
  --warmup "$WARMUP" --residual-alpha auto --seed "$SEED"

echo
echo "== a story that the model tells"
"$binary" generate --from "$OUT" --prompt "$PROMPT" --tokens "$TOKENS" \
  --temperature "$TEMPERATURE" --seed "$SEED"

echo
echo
echo "== the run's files are in $OUT: run.json (settings), metrics.jsonl (a line for each step),"
echo "   state-*/ (to resume from), model/ (the weights, as a Hugging Face folder). Another story:"
echo "   $binary generate --from $OUT --seed 7 --prompt 'Once upon a time'"
