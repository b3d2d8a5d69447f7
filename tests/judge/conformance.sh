#!/bin/bash
# Packages that others made: all open, survive reading and writing, and those whose operations the two networks need
# compute what was recorded.
. "$(dirname "$0")/common.sh"
if [[ -z $shared ]]; then
  skip 1115 'recorded packages: they are not there'
  finish
fi
mkdir "$scratch/cases"
tar -xf "$shared/conformance/mil.tar.xz" -C "$scratch/cases"
tar -xf "$shared/conformance/pass.tar.xz" -C "$scratch/cases"

# 1. read → write → read gives the same program (our comparison), and the judge finds the same in both (coremltools').
mapfile -t packages < <(find "$scratch/cases" -name '*.mlpackage' | sort)
mkdir "$scratch/written"
result=$("${ANEMONE_ROUNDTRIP:-$root/build/release/tests/roundtrip}" "$scratch/written" "${packages[@]}" || true)
head -n 40 < <(grep -v ' passed, ' <<<"$result" || true)
line=$(tail -n 1 <<<"$result")
echo "read, written, read again: $line"
read -r p _ f _ s _ <<<"$line"
passed=$((passed + p)) failed=$((failed + ${f:-1}))
"$python" tests/judge/same_verdict.py tests/judge/package_verdict.py "$scratch/written" "${packages[@]}" \
  >"$scratch/verdicts" || true  # its last line says how many failed
head -n 40 < <(grep -v ' passed, ' "$scratch/verdicts" || true)
line=$(tail -n 1 "$scratch/verdicts")
echo "judged before and after: $line"
read -r p _ f _ s _ <<<"$line"
passed=$((passed + p)) failed=$((failed + ${f:-1}))

# 2. the recorded numbers. Nothing may be wrong; what may be refused is listed with its reason.
code=0
"$python" tests/judge/recorded_cases.py --anemone "$anemone" --kind mil --expect-refused tests/judge/refused_mil.txt \
  --list "$scratch/mil.json" "$scratch/cases/mil" >"$scratch/mil.log" || code=$?
tail -n 25 "$scratch/mil.log" | grep -v '^$' || true
read -r p _ f _ s _ <<<"$(tail -n 1 "$scratch/mil.log" | tr -d ,)"
passed=$((passed + p)) failed=$((failed + f))
((code == 0)) || fail "recorded_cases.py exits with $code"
code=0
"$python" tests/judge/recorded_cases.py --anemone "$anemone" --kind pass --expect-refused tests/judge/refused_pass.txt \
  "$scratch/cases/pass" >"$scratch/pass.log" || code=$?
tail -n 25 "$scratch/pass.log" | grep -v '^$' || true
read -r p _ f _ s _ <<<"$(tail -n 1 "$scratch/pass.log" | tr -d ,)"
passed=$((passed + p)) failed=$((failed + f))
((code == 0)) || fail "recorded_cases.py exits with $code"
check 'cases of the two networks all pass' "$python" tests/judge/needed_cases.py tests/judge/needed_mil.txt "$scratch/mil.json"
finish
