#!/bin/bash
# One definition of every function: the linker takes the first of two with the same name and parameters, whatever they
# return, and says nothing when one of them is inline.
#
#   odr.sh HEADERS.o FOLDER            the object of all headers, and where the libraries lie
#   odr.sh --sabotage COMPILER SCRATCH must notice each kind in what it compiles itself
. "$(dirname "$0")/../scripts/strict.sh"

# conflicts FILE...: functions that one file defines for good and another one, too; and inline functions of two .cpp
# files that no header has (HEADERS.o comes first and keeps all of those). Templates and the members that the compiler
# writes itself come in many equal copies.
conflicts() {
  nm -A --defined-only "$@" | awk -v headers="$1" '
    NF > 2 && $(NF - 1) ~ /^[TW]$/ {
      name = $NF
      where = $1
      sub(/:[0-9a-f]*$/, "", where)
      sub(/.*\//, "", where)
      if (name !~ /^_ZN?K?[0-9]*7anemone/) next
      if ($(NF - 1) == "T") strong[name]++
      if (index($1, headers ":") == 1) in_header[name] = 1
      if (!(name SUBSEP where in seen)) places[name] = places[name] " " where
      seen[name, where] = 1
      count[name]++
    }
    END {
      for (name in count) {
        made = name ~ /(C[12]|D[012]|aS|eq)E/ || name ~ /I.*E.*E/
        if (count[name] > 1 && (name in strong || (!(name in in_header) && !made))) print name places[name]
      }
    }' | c++filt | sort
}

if [[ $1 == --sabotage ]]; then
  compiler=$2 scratch=$3 passed=0 failed=0
  mkdir -p "$scratch"
  # try EXPECTED HEADER A B: whether the two files conflict.
  try() {
    local found=none i=0 text
    for text in "$2" "$3" "$4"; do
      echo "$text" >"$scratch/$i.cpp"
      "$compiler" -std=c++20 -O0 -fkeep-inline-functions -c "$scratch/$i.cpp" -o "$scratch/$i.o"
      i=$((i + 1))
    done
    [[ -z $(conflicts "$scratch/0.o" "$scratch/1.o" "$scratch/2.o") ]] || found=conflict
    if [[ $found == "$1" ]]; then passed=$((passed + 1)); else
      failed=$((failed + 1))
      echo "FAIL: expected $1, found $found: $2 | $3 | $4"
    fi
  }
  shared='namespace anemone { inline int twice(int x) { return 2 * x; } struct S { int y = 0; int f() { return y; } }; }'
  try none "$shared" "$shared" "$shared"
  try none "" "namespace anemone { int f() { return 1; } }" "namespace anemone { int g() { return 1; } }"
  try none "" "namespace anemone { namespace { int f() { return 1; } } }" "namespace anemone { int f() { return 1; } }"
  try conflict "" "namespace anemone { int f() { return 1; } }" "namespace anemone { long f() { return 1; } }"
  try conflict "namespace anemone { inline int f() { return 1; } }" "" "namespace anemone { long f() { return 1; } }"
  try conflict "" "namespace anemone { inline int f() { return 1; } }" "namespace anemone { long f() { return 1; } }"
  try conflict "" "namespace anemone { inline int f() { return 1; } }" "namespace anemone { inline long f() { return 1; } }"
  try conflict "" "namespace anemone { struct S { int f() { return 1; } }; }" \
    "namespace anemone { struct S { long x; long f() { return x; } }; }"
  echo "$passed passed, $failed failed, 0 skipped"
  ((failed == 0)) || exit 1
  exit 0
fi

libraries=("$2"/libanemone_*.a)
found=$(conflicts "$1" "${libraries[@]}")
if [[ -n $found ]]; then
  echo "defined more than once, perhaps differently:"
  echo "$found"
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi
echo "${#libraries[@]} libraries have one definition of every function"
echo "1 passed, 0 failed, 0 skipped"
