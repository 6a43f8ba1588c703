#!/bin/sh
# Makes a Debian root file system a Python runtime: the official client and the SDK under /var/runtime, as AWS's images
# have them, everything compiled ahead so that the first import reads bytecode.
# In the environment: ROOT (the root file system), HOST_PYTHON (one with pip), LANGUAGE_VERSION, CLIENT (what pip gets).
set -eu

python="python$LANGUAGE_VERSION"
abi="cp$(echo "$LANGUAGE_VERSION" | tr -d .)"
runtime="$ROOT/var/runtime"

mkdir -p "$ROOT/var/lang/bin" "$ROOT/var/lang/lib"
ln -sf "/usr/bin/$python" "$ROOT/var/lang/bin/$python"
ln -sf "$python" "$ROOT/var/lang/bin/python3"

# shellcheck disable=SC2086 # a list of requirements
"$HOST_PYTHON" -m pip install --quiet --no-cache-dir --root-user-action=ignore --target "$runtime" \
  --only-binary=:all: --implementation cp --python-version "$LANGUAGE_VERSION" --abi "$abi" \
  --platform "manylinux_2_28_$(uname -m)" --platform "manylinux2014_$(uname -m)" $CLIENT
rm -rf "$runtime/bin"

# The handler's folder comes first on the path, then layers, then what the runtime itself brings.
cat > "$runtime/bootstrap.py" <<'PYTHON'
import os
import sys

LAYERS = [f"/opt/python/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages", "/opt/python"]
sys.path[:1] = [os.environ["LAMBDA_TASK_ROOT"], *LAYERS]

from awslambdaric.__main__ import main

main(["bootstrap.py", os.environ["_HANDLER"]])
PYTHON

cat > "$runtime/bootstrap" <<SHELL
#!/bin/sh
exec /var/lang/bin/$python /var/runtime/bootstrap.py
SHELL
chmod 755 "$runtime/bootstrap"

chroot "$ROOT" "/usr/bin/$python" -m compileall -q -j 0 --invalidation-mode unchecked-hash \
  /var/runtime "/usr/lib/$python" || true
test -d "$runtime/awslambdaric/__pycache__"
