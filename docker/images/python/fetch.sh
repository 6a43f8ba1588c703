#!/bin/sh
# Fetches the official client and the SDK from the index of Python packages, for the image's Python and not this one's.
# In the environment: CONTEXT (a folder to fill), HOST_PYTHON (one with pip), LANGUAGE_VERSION, CLIENT (what pip gets),
# and MACHINE, if the image is for another than this one.
set -eu
: "${MACHINE:=$(uname -m)}"

# shellcheck disable=SC2086 # a list of requirements
"$HOST_PYTHON" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-compile \
  --target "$CONTEXT/runtime" --only-binary=:all: --implementation cp --python-version "$LANGUAGE_VERSION" \
  --platform "manylinux_2_28_$MACHINE" --platform "manylinux2014_$MACHINE" $CLIENT
rm -rf "$CONTEXT/runtime/bin"

# The handler's folder comes first on the path, then layers, then what the runtime itself brings.
cat > "$CONTEXT/runtime/bootstrap.py" <<'PYTHON'
import os
import sys

if sys.version_info >= (3, 12):
    os.environ.setdefault("LC_CTYPE", "C.UTF-8")  # Python's own doing on Amazon Linux 2023, which lacks LANG's locale
LAYERS = [f"/opt/python/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages", "/opt/python"]
sys.path[:1] = [os.environ["LAMBDA_TASK_ROOT"], *LAYERS]

from awslambdaric.__main__ import main

main(["bootstrap.py", os.environ["_HANDLER"]])
PYTHON
