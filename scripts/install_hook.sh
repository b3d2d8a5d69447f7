#!/bin/bash
# Optional: before every commit, the changed sources must be formatted, and the source rules must hold. Seconds.
# usage: scripts/install_hook.sh [--remove]
cd "$(dirname "$0")/.."
. scripts/strict.sh
hook=$(git rev-parse --git-path hooks)/pre-commit
if [[ ${1:-} == --remove ]]; then
  rm -f "$hook"
  exit 0
fi
if [[ -e $hook ]] && ! grep -q 'anemone: format' "$hook"; then
  echo "install_hook: there is another hook already: $hook" >&2
  exit 1
fi
mkdir -p "$(dirname "$hook")"
cat >"$hook" <<'HOOK'
#!/bin/bash
# anemone: format and source rules. Made by scripts/install_hook.sh; 'git commit --no-verify' goes without.
scripts/check_format.sh || exit 1
[[ ! -x build/release/tests/tidy_test ]] || build/release/tests/tidy_test "$PWD"
HOOK
chmod +x "$hook"
echo "installed $hook"
