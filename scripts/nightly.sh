#!/bin/bash
# What takes too long for ./test: every fuzz entry for minutes with a new seed, exhaustive unit tests, many repetitions.
# usage: scripts/nightly.sh [MINUTES_PER_FUZZ_ENTRY=10]
cd "$(dirname "$0")/.."
. scripts/strict.sh
. scripts/setup.sh
setup_packages "${build_packages[@]}" "${test_packages[@]}"
failed=0
step() {
  echo "== $1"
  "${@:2}" || { failed=$((failed + 1)); echo "FAILED: $1; rerun: ${*:2}"; }
}
build() { cmake --preset "$1" >/dev/null && cmake --build --preset "$1"; }
step "build release" build release
step "build dev" build dev
# Tests that have a long form look at this variable.
export ANEMONE_EXHAUSTIVE=1
step "a bare machine" scripts/bare.sh --whole
step "clang-tidy over every source" scripts/check_lint.sh --all
step "exhaustive unit tests" ctest --preset release -j 2 --timeout 14400
step "unit tests in random order, five times, with sanitizers" \
  env GTEST_SHUFFLE=1 GTEST_REPEAT=5 ctest --preset dev -j 2 -R '^unit\.' --timeout 14400
step "fuzz for ${1:-10} minutes each" scripts/fuzz.sh $((${1:-10} * 60)) 0
if ((failed)); then echo "$failed steps failed"; exit 1; fi
echo "everything passed"
