# The first process of every sandbox: it runs the function's runtime as its child, as the cloud bids it.
#
# Run as `sh -c "$(cat init.sh)" relambda-init COMMAND...` by dash, bash or any POSIX shell; COMMAND is the runtime.
# Standard input, one line each: first a secret token, then commands
#   start       run COMMAND; its end is told with `exit CODE` (128 + N for signal N)
#   kill        kill every process but this one, reap them, then tell `killed`
#   mark ID     tell `mark ID PEAK`, behind all output so far; PEAK is the most memory used, in bytes, 0 if unknown
# The end of standard input means that the cloud is gone: leave, which ends all processes of the container.
#
# What is told goes between the runtime's own output as a frame: NUL RS token SPACE words RS NUL. The token comes by
# standard input and not as an argument, since the runtime can read arguments in /proc. A frame is one write shorter
# than PIPE_BUF, so it is never torn.

exec 2>/dev/null
unset HOME  # the engine sets it, Lambda does not
IFS= read -r token || exit 0

tell() {
  printf '\000\036%s %s\036\000' "$token" "$*"
}

# A handler keeps this waiting shell alive when the runtime signals its own process group; exec takes it away again.
# The runtime's streams are laid in the inner shell only, so that this one's "Killed" does not reach its output.
run() {
  trap - INT QUIT
  trap : TERM HUP USR1 USR2
  (exec "$@" </dev/null 2>&1)
  tell exit $?
}

# Shells reap strangers' orphans only while they wait for a child of their own: a short one is given to them.
reap() {
  (:)
}

kill_all() {
  tries=0
  while kill -9 -1; do
    reap
    tries=$((tries + 1))
    [ $tries -lt 20000 ] || exit 70
  done
  wait
}

memory_peak() {
  peak=0
  for file in /sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes; do
    if [ -r "$file" ]; then read -r peak <"$file" && return; fi
  done
}

marks=0
while IFS= read -r line; do
  case $line in
    start) (run "$@") & ;;
    kill)
      kill_all
      tell killed
      ;;
    'mark '*)
      memory_peak
      tell mark "${line#mark }" "$peak"
      marks=$(((marks + 1) % 64))
      [ $marks -ne 0 ] || reap
      ;;
    *) exit 64 ;;
  esac
done
