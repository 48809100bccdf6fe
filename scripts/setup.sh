#!/usr/bin/env bash
# Installs what the build needs: scripts/packages.debian with apt-get, scripts/packages.brew with brew.
# Does nothing, quickly, when all of it is there.
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
  echo "setup: $*" >&2
  exit 1
}

# The packages of list $1 that `installed` (a newline-separated list, $2) does not name and whose
# command is not there either.
missing_packages() {
  local package command
  while read -r package command; do
    [[ -z $package || $package == \#* ]] && continue
    [[ $'\n'$2$'\n' == *$'\n'$package$'\n'* ]] && continue
    [[ -n $command ]] && command -v "$command" >/dev/null && continue
    echo "$package"
  done <"$1"
}

setup_debian() {
  local installed missing root=()
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
  missing=$(missing_packages scripts/packages.debian "$installed")
  [[ -z $missing ]] && return
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null || die "not root and no sudo; as root: apt-get install" $missing
    root=(sudo)
  fi
  echo "setup: installing" $missing >&2
  local apt=(${root[@]+"${root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -q)
  "${apt[@]}" update </dev/null >&2 ||
    echo "setup: apt-get update failed (offline?); trying with the lists that are there" >&2
  "${apt[@]}" install -y --no-install-recommends $missing </dev/null >&2 ||
    die "apt-get could not install the packages above; is this machine offline? needed:" $missing
}

setup_macos() {
  local missing
  xcode-select -p >/dev/null 2>&1 || die "no compiler; run: xcode-select --install"
  command -v brew >/dev/null || die "Homebrew is needed (https://brew.sh); then run this again"
  missing=$(missing_packages scripts/packages.brew "$(brew list --formula -1)")
  [[ -z $missing ]] && return
  echo "setup: installing" $missing >&2
  brew install $missing </dev/null >&2 || die "brew could not install the formulae above"
}

if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
  setup_debian
elif [[ $(uname -s) == Darwin ]]; then
  setup_macos
else
  die "only Debian, Ubuntu and macOS are known here; install the equivalents of" \
    "scripts/packages.debian by hand, then run make"
fi
