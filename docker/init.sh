# The first process of every sandbox: it runs the function's runtime and its extensions, as the cloud bids it.
#
# Run as `sh -c "$(cat init.sh)" relambda-init COMMAND...` by dash, bash or any POSIX shell. COMMAND is the runtime;
# none is an OS-only function's, whose runtime is its bootstrap.
# Standard input, one line each: first a secret token, then commands
#   dress CODE  what runs before the runtime and each extension, as `printf %b` reads it: their variables, and COMMAND
#   start       where /opt/extensions holds files: tell `extension NAME` of each, then `extensions`; else as `run`
#   extend      run each file in /opt/extensions; the end of one is told with `gone CODE NAME`
#   run         run COMMAND; its end is told with `exit CODE` (128 + N for signal N). Before it, when it could not be
#               executed, with `unfit CODE PROGRAM`: the system's error, what a shell tells (126, 127), or 1 for no program
#   term        send SIGTERM to the runtime, if it runs
#   kill        kill every process but this one, reap them, then tell `killed`
#   mark ID     tell `mark ID PEAK`, behind all output so far; PEAK is the most memory used, in bytes, 0 if unknown
# The end of standard input means that the cloud is gone: leave, which ends all processes of the container.
#
# What is told goes between the runtime's own output as a frame: NUL RS token SPACE words RS NUL. The token comes by
# standard input and not as an argument, since the runtime can read arguments in /proc. A frame is one write shorter
# than PIPE_BUF, so it is never torn. Standard error is for the output of extensions. A shell hands on what it reads
# into a variable that came with its environment: ours begin as no user's may.

exec 3>&2 2>/dev/null
unset HOME  # the engine sets it, Lambda does not
IFS= read -r _token || exit 0
_runner=none

tell() {
  printf '\000\036%s %s\036\000' "$_token" "$*"
}

unfit() {
  tell unfit "$1" "$(printf %.99s "$2")" # a path may be longer than a frame
}

# Looks at a program before it is executed: a shell interprets what the system refuses. Returns the system's error, 1
# for no program; else `_native` tells whether it is the machine's code.
look() {
  _program=$1
  case $1 in
    '') return 1 ;;
    */*) ;;
    *) _program=$(command -v "$1") || return 2 ;;
  esac
  [ "$_program" != "${_program##*/}" ] || return 0 # a builtin has that name too
  [ -e "$_program" ] || return 2
  [ -f "$_program" ] && [ -x "$_program" ] || return 13
  [ ! -r "$_program" ] || IFS= read -r _head <"$_program"
  case $_head in
    '#!'*)
      set -f
      # shellcheck disable=SC2086 # the interpreter and its argument
      set -- ${_head#??}
      set +f
      [ -e "$1" ] || return 2
      ;;
    ?ELF*) _native=yes ;;
    *) [ ! -r "$_program" ] || return 8 ;;
  esac
}

# dash leaves SIGINT and SIGQUIT ignored in what runs in the background, and no trap takes that back.
_heeding=
if [ -z "$BASH_VERSION" ] && /usr/bin/env --default-signal=INT,QUIT /usr/bin/env >/dev/null; then
  _heeding='/usr/bin/env --default-signal=INT,QUIT'
fi

# A runtime has no shell's variables but those of its own. Where exec fails for all the looking, most shells end and run
# the trap. bash does not, and goes on only in a process of its own, which tells the code by a signal that nothing else
# ends by.
execute() {
  trap 'unfit $? "$1"' EXIT
  look "$1" || exit $?
  unset PWD OLDPWD SHLVL
  # shellcheck disable=SC2016 # for the other shell
  [ -z "${_native:+$BASH_VERSION}" ] ||
    set -- "$BASH" -c 'unset PWD OLDPWD; shopt -s execfail; exec "$@"; kill -$(($? - 64)) $$' relambda-init "$@"
  [ -z "$_native" ] || _heeding= # it would give another machine's code to a shell
  # shellcheck disable=SC2086 # words of ours
  exec $_heeding "$@" </dev/null 2>&1 3>&-
}

# A handler keeps a waiting shell alive when what it waits for signals its own process group; exec takes it away again.
# The streams are laid in the inner shell only, so that the waiting one's "Killed" does not reach the output.
run() {
  trap - INT QUIT
  trap : TERM HUP USR1 USR2
  [ $# -gt 0 ] || for _file in /opt/bootstrap /var/task/bootstrap; do
    [ ! -f "$_file" ] || set -- "$_file"
  done
  (execute "$@")
  _code=$?
  case ${BASH_VERSION:+$_code} in
    190 | 191)
      _code=$((_code - 64))
      unfit $_code "$1"
      ;;
  esac
  tell exit $_code
}

# Variables that extensions do not have: AWS, "Lambda Extensions API", "Environment variables"; and the shell's own.
extend() {
  trap - INT QUIT
  trap : TERM HUP USR1 USR2
  (
    unset _HANDLER AWS_EXECUTION_ENV AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME LAMBDA_RUNTIME_DIR \
      LAMBDA_TASK_ROOT AWS_XRAY_CONTEXT_MISSING AWS_XRAY_DAEMON_ADDRESS _AWS_XRAY_DAEMON_ADDRESS _AWS_XRAY_DAEMON_PORT \
      PWD OLDPWD SHLVL
    look "/opt/extensions/$1" && [ -z "$_native" ] || _heeding= # whose words would be output
    # shellcheck disable=SC2086 # words of ours
    exec $_heeding "/opt/extensions/$1" </dev/null >&3 2>&3 3>&-
  )
  tell gone $? "$1"
}

begin_run() {
  (eval "$_dress" && run "$@") &
  _runner=$!
}

begin_extend() {
  (
    _extension=$1
    eval "$_dress"
    extend "$_extension"
  ) &
}

each_extension() {
  for _file in /opt/extensions/*; do
    [ ! -f "$_file" ] || "$@" "${_file##*/}"
  done
}

# The runtime is the child of the shell that waits for it.
terminate() {
  for _stat in /proc/[0-9]*/stat; do
    read -r _fields <"$_stat" || continue
    set -f
    # shellcheck disable=SC2086 # fields behind the command's name, which may hold anything
    set -- ${_fields##*) }
    set +f
    [ "$2" != "$_runner" ] || kill -TERM "${_fields%% *}"
  done
}

# Shells reap strangers' orphans only while they wait for a child of their own: a short one is given to them.
reap() {
  (:)
}

kill_all() {
  _tries=0
  while kill -9 -1; do
    reap
    _tries=$((_tries + 1))
    [ $_tries -lt 20000 ] || exit 70
  done
  wait
}

memory_peak() {
  _peak=0
  for _file in /sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes; do
    if [ -r "$_file" ]; then read -r _peak <"$_file" && return; fi
  done
}

_marks=0
_dress=:
while IFS= read -r _line; do
  case $_line in
    'dress '*)
      _dress=$(printf '%b.' "${_line#dress }")
      _dress=${_dress%.}
      ;;
    start)
      if [ -d /opt/extensions ] && [ -n "$(each_extension echo)" ]; then
        each_extension tell extension
        tell extensions
      else
        begin_run "$@"
      fi
      ;;
    extend) each_extension begin_extend ;;
    run) begin_run "$@" ;;
    term) terminate ;;
    kill)
      kill_all
      tell killed
      ;;
    'mark '*)
      memory_peak
      tell mark "${_line#mark }" "$_peak"
      _marks=$(((_marks + 1) % 64))
      [ $_marks -ne 0 ] || reap
      ;;
    *) exit 64 ;;
  esac
done
