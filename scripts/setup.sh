#!/usr/bin/env bash
# setup.sh [LIST...]
# Installs what the build needs: scripts/packages.debian with apt-get, scripts/packages.brew with brew.
# On Debian each LIST adds scripts/packages.debian.LIST (tests, nightly): packages that only some
# checks need, so that it is no failure if they cannot be installed. Does nothing, quickly, when all
# of it is there.
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
  echo "setup: $*" >&2
  exit 1
}

say() { echo "setup: $*" >&2; }

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

installed_debian() {
  dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p'
}

# COMMAND... as root, without questions.
as_root() {
  local root=()
  [[ $(id -u) == 0 ]] || root=(sudo)
  ${root[@]+"${root[@]}"} env DEBIAN_FRONTEND=noninteractive "$@" </dev/null >&2
}

update_lists() {
  as_root apt-get -q update || say "apt-get update failed (offline?); trying with the lists that are there"
}

can_be_root() { [[ $(id -u) == 0 ]] || command -v sudo >/dev/null; }

# What the build needs.
require_debian() {
  local missing
  missing=$(missing_packages scripts/packages.debian "$(installed_debian)")
  [[ -z $missing ]] && return
  can_be_root || die "not root and no sudo; as root: apt-get install" $missing
  say "installing" $missing
  update_lists
  as_root apt-get -q install -y --no-install-recommends $missing ||
    die "apt-get could not install the packages above; is this machine offline? needed:" $missing
}

# Lists that may stay incomplete.
offer_debian() {
  local list missing
  for list in "$@"; do
    missing=$(missing_packages "scripts/packages.debian.$list" "$(installed_debian)")
    [[ -z $missing ]] && continue
    if ! can_be_root; then
      say "not root and no sudo; checks that need these are skipped:" $missing
      continue
    fi
    say "installing for $list:" $missing
    update_lists
    as_root apt-get -q install -y --no-install-recommends --no-remove $missing ||
      say "apt-get could not install these; checks that need them are skipped:" $missing
  done
}

setup_macos() {
  local missing
  xcode-select -p >/dev/null 2>&1 || die "no compiler; run: xcode-select --install"
  command -v brew >/dev/null || die "Homebrew is needed (https://brew.sh); then run this again"
  missing=$(missing_packages scripts/packages.brew "$(brew list --formula -1)")
  [[ -z $missing ]] && return
  say "installing" $missing
  brew install $missing </dev/null >&2 || die "brew could not install the formulae above"
}

for list in "$@"; do
  [[ -f scripts/packages.debian.$list ]] || die "there is no list scripts/packages.debian.$list"
done
if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
  require_debian
  offer_debian "$@"
elif [[ $(uname -s) == Darwin ]]; then
  setup_macos
else
  die "only Debian, Ubuntu and macOS are known here; install the equivalents of" \
    "scripts/packages.debian by hand, then run make"
fi
