# Read by a runtime's bootstrap, whose arguments are the command of the runtime: executes it, through the function's
# wrapper script if AWS_LAMBDA_EXEC_WRAPPER names one, with the messages and exit codes of AWS's images.
wrapper=${AWS_LAMBDA_EXEC_WRAPPER:-}
[ -n "$wrapper" ] || exec "$@"
if [ ! -f "$wrapper" ]; then
  echo "$wrapper: does not exist"
  exit 127
fi
if [ ! -x "$wrapper" ]; then
  echo "$wrapper: is not an executable"
  exit 126
fi
exec "$wrapper" "$@"
