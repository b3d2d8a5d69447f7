# Sourced by the judges of this folder (`. "$(dirname "$0")/common.sh"`): where things are, and how results are counted.
# A judge is an executable NAME.sh or NAME.py; ./test runs all in the order of their names. Its last line is
# `N passed, N failed, N skipped`, and it exits with 0 exactly when nothing failed. Python judges get the same variables
# from the environment: ANEMONE, ANEMONE_SHARED (empty when absent), ANEMONE_PYTHON. What is judged lies in tests/data;
# files of third parties, which the project does not hold, in $shared.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
. scripts/strict.sh
anemone=${ANEMONE:-$root/build/release/anemone}
python=${ANEMONE_PYTHON:-$root/.venv/bin/python}
data=$root/tests/data
shared=${ANEMONE_SHARED-$root/../shared}
[[ -d $shared ]] || shared=
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0 skipped=0

pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); printf 'FAIL %s\n' "$*"; }
# skip COUNT REASON: loud, because a skipped check proves nothing.
skip() { skipped=$((skipped + $1)); printf 'SKIPPED %s\n' "${*:2}"; }

# check NAME COMMAND...: passes when the command exits with 0; otherwise shows the end of what it said.
check() {
  local name=$1 log=$scratch/check.log
  shift
  if "$@" >"$log" 2>&1; then pass; else fail "$name (exit $?): $*"; tail -n 15 "$log" | sed 's/^/     /'; fi
}
# check_exit CODE NAME COMMAND...: passes when the command exits with this code.
check_exit() {
  local code=$1 name=$2 log=$scratch/check.log got=0
  shift 2
  "$@" >"$log" 2>&1 || got=$?
  if ((got == code)); then pass; else fail "$name: exit $got instead of $code: $*"; tail -n 15 "$log" | sed 's/^/     /'; fi
}
# finish: the last line and the exit code.
finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  ((failed == 0)) || exit 1
  exit 0
}
