# Sourced by ./demo, ./test and the scripts after strict.sh: installs what a bare Debian 12 (bookworm) lacks, and says what it does.
# Nothing happens, in a few milliseconds, when everything is there.

# To build and run. GoogleTest and Google Benchmark are small, and with them the tests build in the same folder.
build_packages=(
  g++ cmake ninja-build ccache pkg-config
  libfmt-dev libcli11-dev nlohmann-json3-dev libtomlplusplus-dev libexpected-dev libfast-float-dev
  libprotozero-dev libzip-dev zlib1g-dev libmd-dev libxxhash-dev libhwy-dev
  libopencv-core-dev libopencv-imgproc-dev libopencv-imgcodecs-dev libopencv-videoio-dev
  libgtest-dev libbenchmark-dev
)
# For the whole test suite: the second compiler with its library and its fuzzer, the formatter, Python for the judges,
# ONNX's own test models, the shells whose completions are tried, who writes videos.
test_packages=(
  clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev libc++-14-dev libc++abi-14-dev
  python3-venv xz-utils mmdebstrap
  libonnx-testdata zsh fish groff-base ffmpeg
)
# A browser for the pages and another's stopwatch: judges skip, loudly, what needs them, so that a machine may go without.
judge_packages=(chromium hyperfine)

say() { printf '%s\n' "$*" >&2; }

# setup_packages PACKAGE...: installs those that are missing.
setup_packages() {
  local installed missing=() package as_root=()
  if ! command -v dpkg-query >/dev/null; then
    say "setup: this is not Debian; the build needs what these packages hold: $*"
    return 0
  fi
  # It exits with 1 when it never heard of one of them, which is what a bare machine is.
  installed=" $(dpkg-query -W -f='${db:Status-Status}:${Package} ' "$@" 2>/dev/null || true)"
  for package in "$@"; do
    [[ $installed == *" installed:$package "* ]] || missing+=("$package")
  done
  ((${#missing[@]} == 0)) && return 0
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      say "setup: ${#missing[@]} packages are missing and there is no sudo; as root run:"
      say "  apt-get install --no-install-recommends ${missing[*]}"
      return 1
    fi
    as_root=(sudo)
  fi
  say "setup: installing ${#missing[@]} missing packages: ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0)
  local log
  log=$(mktemp)
  # The package lists may be absent or old: they are fetched when the first try fails.
  if "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  say "setup: fetching the package lists first (apt-get update)"
  if "${apt[@]}" update >"$log" 2>&1 && "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  tail -n 20 "$log" >&2
  rm -f "$log"
  say "setup: apt-get could not install them; see above"
  return 1
}

# A Python of at least 3.11 that can make environments; Debian's own first, because its packages are known to fit.
find_python() {
  local candidate
  for candidate in /usr/bin/python3 python3.13 python3.12 python3.11 python3; do
    if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

# setup_python: .venv with exactly the packages of tests/requirements.txt; made anew when that file or Python changes.
setup_python() {
  local python stamp log
  if ! python=$(find_python); then
    say "setup: no Python of at least 3.11 with venv and ensurepip"
    return 1
  fi
  stamp="$("$python" -c 'import sys; print(sys.version)') $(sha256sum <tests/requirements.txt)"
  [[ -f .venv/stamp && $(<.venv/stamp) == "$stamp" ]] && return 0
  say "setup: making .venv with the packages of tests/requirements.txt"
  rm -rf .venv
  log=$(mktemp)
  if "$python" -m venv .venv >"$log" 2>&1 &&
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: \
      -r tests/requirements.txt >>"$log" 2>&1; then
    printf '%s\n' "$stamp" >.venv/stamp
    rm -f "$log"
    return 0
  fi
  tail -n 20 "$log" >&2
  rm -rf "$log" .venv
  say "setup: the Python packages could not be installed; see above"
  return 1
}

# setup_npm: .venv/node_modules with exactly the packages of tests/package-lock.json, which says their hashes. Debian's npm
# where there is none; without npm, or its registry, what needs these packages is skipped and says so.
setup_npm() {
  local stamp log
  stamp=$(sha256sum tests/package.json tests/package-lock.json)
  [[ -f .venv/npm_stamp && $(<.venv/npm_stamp) == "$stamp" ]] && return 0
  if ! command -v npm >/dev/null && ! { setup_packages npm && command -v npm >/dev/null; }; then
    say "setup: no npm: the accessibility of pages is not judged"
    return 1
  fi
  say "setup: installing the packages of tests/package-lock.json"
  log=$(mktemp)
  cp tests/package.json tests/package-lock.json .venv/
  if npm ci --prefix "$(realpath .venv)" --ignore-scripts --no-audit --no-fund >"$log" 2>&1; then
    printf '%s\n' "$stamp" >.venv/npm_stamp
    rm -f "$log"
    return 0
  fi
  tail -n 20 "$log" >&2
  rm -rf "$log" .venv/node_modules
  say "setup: npm could not install them (see above): the accessibility of pages is not judged"
  return 1
}
