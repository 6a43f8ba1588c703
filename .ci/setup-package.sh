#!/bin/bash
# Installs Debian packages: setup-package.sh NAME... Says what to do where it cannot.
set -euo pipefail
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "the tests need $*: install it (Debian and Ubuntu: sudo apt-get install $*)" >&2
  exit 1
fi
echo "installing $* with apt-get"
apt-get update -qq
# A package that brings a service must not start it.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
