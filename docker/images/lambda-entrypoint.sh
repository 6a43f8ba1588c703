#!/bin/sh
# The entrypoint of AWS's base images, as far as a Runtime API that is reached from outside needs it: exactly one
# argument, the handler. There is no interface emulator in this image, so AWS_LAMBDA_RUNTIME_API must be set.
if [ $# -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" >&2
  exit 142
fi
export _HANDLER="$1"
if [ -z "${AWS_LAMBDA_RUNTIME_API:-}" ]; then
  echo "AWS_LAMBDA_RUNTIME_API is not set: this image runs behind a Runtime API, such as Relambda's" >&2
  exit 143
fi
exec /var/runtime/bootstrap
