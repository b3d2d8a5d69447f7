# Sourced first by every script: one set of shell options, and no script that ends without a word.
#   -e           a command that fails ends the script, except where its result is asked for: `if`, `&&`, `||`, `!`.
#                Inside a function that is called in such a place it does not hold, so functions return their status.
#   -u           a name that was never set is an error
#   pipefail     a pipe fails when any part does; what may fail (grep without a match) says so: `|| true`
#   -E, inherit_errexit   functions, subshells and $(…) inherit all this
# What -e ends says its place and command first.
set -Eeuo pipefail
shopt -s inherit_errexit
on_error() {
  local code=$?
  printf '%s:%s: exit %s from: %s\n' "${BASH_SOURCE[1]#"$PWD"/}" "${BASH_LINENO[0]}" "$code" "$BASH_COMMAND" >&2
}
trap on_error ERR
