#!/bin/sh
# Starts a Python runtime under debugpy: a wrapper script as AWS's runtimes call it, with the interpreter and its
# arguments. RELAMBDA_DEBUGPY holds debugpy's options, RELAMBDA_EXEC_WRAPPER the function's own wrapper script or nothing.
# debugpy is the function's: in its package or in a layer. Without one the runtime starts as ever, and says so.
interpreter=$1
shift
wrapper=${RELAMBDA_EXEC_WRAPPER:-}
unset RELAMBDA_EXEC_WRAPPER
for folder in /var/task /opt/python /opt/python/lib/python3.*/site-packages; do
  if [ -f "$folder/debugpy/__main__.py" ]; then
    # shellcheck disable=SC2086 # the options are words, the wrapper may be none
    exec ${wrapper:+"$wrapper"} "$interpreter" -Xfrozen_modules=off "$folder/debugpy" $RELAMBDA_DEBUGPY "$@"
  fi
done
echo "Relambda: no debugger, since debugpy is in neither the package nor a layer: pip install --target FOLDER debugpy"
exec ${wrapper:+"$wrapper"} "$interpreter" "$@"
