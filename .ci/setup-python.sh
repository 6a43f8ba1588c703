#!/bin/bash
# Makes the virtual environment: setup-python.sh PYTHON VENV. As root on Debian it installs Python when there is none.
set -euo pipefail
python=$1 venv=$2

debian_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

install() {
  echo "installing $* with apt-get"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

if ! command -v "$python" >/dev/null; then
  debian_root || { echo "Relambda needs Python 3.11 or newer: install it, or name it with PYTHON=/path/to/python3" >&2; exit 1; }
  install python3 python3-venv
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Relambda needs Python 3.11 or newer, and $python is $("$python" -V 2>&1): name another with PYTHON=/path/to/python3" >&2
  exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  debian_root || { echo "$python has no venv module: install python3-venv (Debian, Ubuntu) or a whole Python" >&2; exit 1; }
  install python3-venv
fi
echo "making $venv"
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --upgrade 'pip>=25.1'
