#!/bin/bash
# Is every source file as clang-format 14 would write it? Files that have not changed since they passed are not read again.
# --fix formats them instead.
cd "$(dirname "$0")/.."
. scripts/strict.sh
stamp=build/format.stamp
mkdir -p build
mapfile -t files < <(find src tests fuzz bench -name '*.cpp' -o -name '*.h' 2>/dev/null | sort)
if [[ ${1:-} == --fix ]]; then
  printf '%s\0' "${files[@]}" | xargs -0 -n 20 -P "$(nproc)" clang-format-14 -i
  exit
fi
changed=()
for file in "${files[@]}"; do
  [[ $file -nt $stamp || .clang-format -nt $stamp ]] && changed+=("$file")
done
touch build/format.now
if ((${#changed[@]})) &&
  ! problems=$(printf '%s\0' "${changed[@]}" | xargs -0 -n 10 -P "$(nproc)" clang-format-14 --dry-run -Werror 2>&1); then
  # The first place of each file is enough to find it.
  grep ': error: ' <<<"$problems" | sort -t: -k1,1 -u || printf '%s\n' "$problems"
  echo "these files are not formatted; 'scripts/check_format.sh --fix' does it"
  exit 1
fi
mv build/format.now "$stamp"
echo "${#files[@]} files are formatted (${#changed[@]} read)"
