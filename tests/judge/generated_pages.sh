#!/bin/bash
# The reference pages are made by the program; what is committed must be what it makes.
. "$(dirname "$0")/common.sh"
compare() {
  local page=docs/reference/$1.md
  shift
  "$anemone" "$@" >"$scratch/page.md" || fail "anemone $*"
  if diff -q "$page" "$scratch/page.md" >/dev/null; then pass; else fail "$page is not what 'anemone $*' makes: run it and commit"; fi
}
compare ops ops --markdown
compare onnx ops --onnx --markdown
compare passes passes --markdown
compare cli help --markdown
compare rules rules --markdown
compare errors errors --markdown
finish
