#!/bin/sh
# The entrypoint of AWS's base images: exactly one argument, the handler. Where no Runtime API is told, AWS's own
# interface emulator gives one, which is not in this image: mount it to /usr/local/bin/aws-lambda-rie.
if [ $# -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" >&2
  exit 142
fi
export _HANDLER="$1"
if [ -n "${AWS_LAMBDA_RUNTIME_API:-}" ]; then
  exec /var/runtime/bootstrap
fi
if [ -x /usr/local/bin/aws-lambda-rie ]; then
  exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap
fi
echo "AWS_LAMBDA_RUNTIME_API is not set: run this image behind a Runtime API, such as Relambda's, or mount AWS's" \
  "interface emulator to /usr/local/bin/aws-lambda-rie" >&2
exit 143
