#!/bin/bash
# `anemone --version` takes at most 15 ms: the best of many runs, so that a busy machine does not decide.
# A program that links the image decoders directly takes 149 ms.
. "$(dirname "$0")/../scripts/strict.sh"
limit_ms=15
best=999999
for _ in $(seq 40); do
  before=$(date +%s%N)
  "$1" --version >/dev/null
  took=$((($(date +%s%N) - before) / 1000))
  ((took >= best)) || best=$took
done
echo "anemone --version: $((best / 1000)).$(printf %03d $((best % 1000))) ms at best, limit $limit_ms ms"
if ((best <= limit_ms * 1000)); then echo "1 passed, 0 failed, 0 skipped"; else echo "0 passed, 1 failed, 0 skipped"; exit 1; fi
