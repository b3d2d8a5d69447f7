#!/bin/bash
# clang-tidy 14 with the checks of .clang-tidy over the sources that changed lately: at most 40, those of the newest commits
# first, which takes a minute or two. What has not changed since it passed is not read again.
# usage: scripts/check_lint.sh [--all | FILE...]     --all: every source, a quarter of an hour
cd "$(dirname "$0")/.."
. scripts/strict.sh
most=40
if [[ ${1:-} == --all ]]; then
  mapfile -t files < <(find src -name '*.cpp' | sort)
elif (($#)); then
  files=("$@")
else
  # What is not committed, then the commits from the newest on; each file once.
  mapfile -t files < <({ git diff --name-only HEAD; git log -n 60 --name-only --format= ; } 2>/dev/null | awk '!seen[$0]++' |
    grep -E '^src/.*\.cpp$' || true)
fi
cmake --preset release >build/lint.log 2>&1 || { cat build/lint.log; exit 1; }
todo=()
for file in "${files[@]}"; do
  [[ -f $file ]] || continue
  stamp=build/lint/$file
  if [[ $file -nt $stamp || .clang-tidy -nt $stamp ]]; then todo+=("$file"); fi
  [[ ${1:-} == --all ]] || ((${#todo[@]} < most)) || break
done
lint_one() {
  local said
  if said=$(clang-tidy-14 -p build/release --quiet "$1" 2>/dev/null) && [[ -z $said ]]; then
    mkdir -p "build/lint/$(dirname "$1")"
    touch "build/lint/$1"
  else
    printf '%s\n' "$said"
    return 1
  fi
}
export -f lint_one
if ((${#todo[@]})) && ! printf '%s\0' "${todo[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'lint_one "$1"' bash; then
  echo "clang-tidy complains; its checks are in .clang-tidy"
  exit 1
fi
echo "clang-tidy has nothing to say (${#todo[@]} files read)"
