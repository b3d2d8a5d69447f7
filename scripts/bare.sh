#!/bin/bash
# The project as a new user meets it: a bare Debian 12 in a folder, a clone in it with nothing beside it, then ./demo twice
# and ./test quick. Only compiled objects and Python packages are shared with this machine (ccache and
# pip's cache), because a new user's first hour of compiling would prove nothing more.
#
# usage: scripts/bare.sh [--whole] [FOLDER]     default build/bare; it is made, and removed at the end
#        --whole: and ./test release judge, which takes minutes more
#
# Needs root, for a root file system of its own. What is not committed is not in the clone. The last line is
# 'N passed, N failed, N skipped'.
cd "$(dirname "$0")/.."
. scripts/strict.sh

skip() {
  echo "SKIPPED bare: $1"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}
((EUID == 0)) || skip 'a bare Debian in a folder needs root'
command -v mmdebstrap >/dev/null || skip 'mmdebstrap is not installed'
# Its mounts are made in a name space of their own: they end with it however it ends, and nothing is ever removed through one.
unshare --mount true 2>/dev/null || skip 'this machine lets nobody mount'

whole=
if [[ ${1:-} == --whole ]]; then
  whole=1
  shift
fi
bare=$(realpath -m "${1:-build/bare}")
remove() { rm -rf --one-file-system "$bare"; }
[[ ! -e $bare ]] || remove
mkdir -p "$(dirname "$bare")"
trap remove EXIT
passed=0 failed=0

# The machine's own mirrors and the way to them.
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
  if grep -qs bookworm "$file"; then sources+=("$file"); fi
done
settings=$(mktemp)
apt-config dump --format '%f "%v";%n' | grep -i '^Acquire::.*\(proxy\|https::Ca\|Verify\)' >"$settings" || true
mmdebstrap --quiet --variant=minbase --aptopt="$settings" --dpkgopt=force-unsafe-io bookworm "$bare" "${sources[@]}"
cp "$settings" "$bare/etc/apt/apt.conf.d/99machine"
rm "$settings"
cp /etc/resolv.conf "$bare/etc/resolv.conf"
for file in /etc/pip.conf /root/.config/pip/pip.conf; do
  [[ ! -f $file ]] || install -D -m 644 "$file" "$bare$file"
done
# Not in its usual place, which the package ca-certificates would write anew.
[[ ! -f /etc/ssl/certs/ca-certificates.crt ]] || install -m 644 /etc/ssl/certs/ca-certificates.crt "$bare/etc/machine.crt"
[[ -z $(git status --porcelain) ]] || echo 'what is not committed is not in the clone'
git clone --quiet --no-hardlinks . "$bare/root/anemone"

# inside COMMAND...: in the bare system, with a new user's environment.
ccache=$(ccache --get-config cache_dir 2>/dev/null || true)
export bare ccache
inside() {
  unshare --mount --pid --fork --kill-child bash -c '
    set -euo pipefail
    mount -t proc proc "$bare/proc"
    # Terminals: the completions of the shells are tried in one.
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$bare/dev/pts"
    ln -sf pts/ptmx "$bare/dev/ptmx"
    for pair in "$ccache:/root/.cache/ccache" "/root/.cache/pip:/root/.cache/pip"; do
      from=${pair%%:*} to=$bare${pair##*:}
      [[ -d $from ]] || continue
      mkdir -p "$to"
      mount --bind "$from" "$to"
    done
    words=(HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin)
    [[ ! -f $bare/etc/machine.crt ]] || words+=(PIP_CERT=/etc/machine.crt)
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL PIP_DEFAULT_TIMEOUT; do
      [[ -z ${!name:-} ]] || words+=("$name=${!name}")
    done
    exec chroot "$bare" env -i "${words[@]}" /bin/bash -c "cd /root/anemone && exec \"\$@\"" bash "$@"' bash "$@"
}
# step NAME MOST_SECONDS COMMAND...: must end with 0, and in time.
step() {
  local name=$1 most=$2 begun=$SECONDS code=0
  shift 2
  echo "== $name: $*"
  inside "$@" </dev/null >build/logs/bare-step.log 2>&1 || code=$?
  cat build/logs/bare-step.log
  local took=$((SECONDS - begun))
  if ((code == 0 && took <= most)); then
    passed=$((passed + 1))
    echo "== $name: ok in $took s"
  else
    failed=$((failed + 1))
    echo "FAIL $name: exit $code in $took s (at most $most s)"
    # What ./test lists at its end, where the caller looks for the reasons of a failure.
    sed -n '/^failed:/,$s/^ */     /p' build/logs/bare-step.log
  fi
}

mkdir -p build/logs
echo "== a bare $(sed -n 's/^PRETTY_NAME=//p' "$bare/etc/os-release") with $(inside dpkg-query -f '.' -W | wc -c) packages in $SECONDS s"
step 'the first command' 5400 ./demo
step 'the first command again' 30 ./demo
step 'its quick test' 5400 ./test quick
[[ -z $whole ]] || step 'its tests, with nothing beside it' 5400 ./test release judge
mkdir -p build/logs/bare
cp -f "$bare"/root/anemone/build/logs/*.log build/logs/bare/ || true
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0)) || exit 1
