#!/bin/bash
# Replays every fuzz corpus and fuzzes each entry for a while.
# usage: scripts/fuzz.sh [SECONDS_EACH=5] [SEED=1]     (seed 0: another one every time)
# What was found new stays in build/fuzz/corpus, an input that crashes in build/fuzz/crash-NAME-…; its name is printed.
cd "$(dirname "$0")/.."
. scripts/strict.sh
seconds=${1:-5} seed=${2:-1}
mkdir -p build
cmake --preset fuzz >build/fuzz.log 2>&1 || { cat build/fuzz.log; exit 1; }
cmake --build --preset fuzz >build/fuzz.log 2>&1 || { grep -vE '^\[[0-9]+/' build/fuzz.log; exit 1; }

# Seeds for the entry that takes whole models: every operation, from the golden files that hold one. A weight file
# stands behind the model, as fuzz/model_fuzz.cpp reads it.
seed_models() {
  local golden name package=build/fuzz/seed.mlpackage folder=build/fuzz/corpus/model
  mkdir -p "$folder"
  for golden in tests/ops/*.mil tests/passes/*.mil; do
    name=$(basename "$golden" .mil)
    [[ ! -e $folder/seed-$name ]] || continue
    rm -rf "$package"
    build/release/anemone optimize "$golden" -o "$package" --passes none -q >/dev/null 2>&1 || continue
    cp "$package/Data/com.apple.CoreML/model.mlmodel" "$folder/seed-$name"
    [[ ! -e $package/Data/com.apple.CoreML/weights/weight.bin ]] ||
      { printf '@weights'; cat "$package/Data/com.apple.CoreML/weights/weight.bin"; } >>"$folder/seed-$name"
  done
  rm -rf "$package"
}
[[ ! -x build/release/anemone ]] || seed_models

# ONNX's own small test models, where the system has them (Debian: libonnx-testdata).
seed_onnx() {
  local model data=/usr/share/libonnx-testdata/data folder=build/fuzz/corpus/$1
  [[ -d $data ]] || return 0
  mkdir -p "$folder"
  find "$data" -name model.onnx -size -40 | while read -r model; do
    cp -n "$model" "$folder/seed-$(basename "$(dirname "$model")")"
  done
}
seed_onnx onnx
seed_onnx ort_plan

fuzz_one() {
  local name=$1 found=build/fuzz/corpus/$1 log=build/fuzz/$1.log options=()
  mkdir -p "$found"
  [[ -f fuzz/$name.dict ]] && options+=(-dict="fuzz/$name.dict")
  local program=build/fuzz/fuzz/${name}_fuzz
  [[ -d fuzz/corpus/$name ]] || { echo "FAIL $name: there is no fuzz/corpus/$name"; return 1; }
  # The committed corpus alone first: it must pass however short the time is.
  if "$program" -runs=0 "fuzz/corpus/$name" -artifact_prefix="build/fuzz/crash-$name-" >"$log" 2>&1 &&
    "$program" -max_total_time="$seconds" -seed="$seed" -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 \
      -artifact_prefix="build/fuzz/crash-$name-" "${options[@]}" "$found" "fuzz/corpus/$name" >>"$log" 2>&1; then
    echo "ok   $name: $(find "fuzz/corpus/$name" -type f | wc -l) inputs, $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs in $seconds s"
  else
    echo "FAIL $name: see $log"
    grep -E '^(==[0-9]+==ERROR|SUMMARY|artifact_prefix|Test unit written)|runtime error' "$log" | head -n 6 | sed 's/^/     /'
    sed -n "s|.*Test unit written to \(.*\)|     rerun: $program \1|p" "$log" | head -n 1
    return 1
  fi
}
export -f fuzz_one
export seconds seed
names=$(find fuzz -maxdepth 1 -name '*_fuzz.cpp' -printf '%f\n' | sed 's/_fuzz.cpp$//' | sort)
# The lines are counted, not the status: xargs has one for all.
results=$(printf '%s\n' $names | xargs -r -P "$(nproc)" -I{} bash -c 'fuzz_one {}' || true)
[[ -z $results ]] || printf '%s\n' "$results"
passed=$(grep -c '^ok' <<<"$results" || true)
failed=$(grep -c '^FAIL' <<<"$results" || true)
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0 && passed > 0)) || exit 1
