#!/bin/sh
# Makes sure that a Docker engine answers, for `make run` and `make test`. Run it as often as you like.
#
# An engine that answers (DOCKER_HOST, the current Docker context, the usual sockets) is used as it is. Otherwise, as
# root on Debian or Ubuntu, docker.io is installed and dockerd is started, its log in $RELAMBDA_DOCKERD_LOG
# (/var/log/relambda-dockerd.log).
# Exit codes: 0 an engine answers; 1 dockerd was started and does not answer; 2 there is none and this script cannot
# install one (not root, or no apt-get); 3 the address that DOCKER_HOST or the Docker context names does not answer.
set -u

socket=/var/run/docker.sock
log=${RELAMBDA_DOCKERD_LOG:-/var/log/relambda-dockerd.log}
seconds=60

say() {
  echo "setup-engine: $*" >&2
}

# Asks one socket over HTTP, since there may be no client yet.
answers() {
  [ -S "$1" ] || return 1
  if command -v curl >/dev/null; then
    curl -fs --max-time 5 --unix-socket "$1" http://docker/_ping >/dev/null
  else
    command -v docker >/dev/null && timeout 5 docker -H "unix://$1" version >/dev/null 2>&1
  fi
}

usual_socket() {
  run=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
  for candidate in "$socket" "$run/docker.sock" "$HOME/.docker/run/docker.sock" "$HOME/.docker/desktop/docker.sock" \
    "$HOME/.colima/default/docker.sock" "$HOME/.orbstack/run/docker.sock" "$HOME/.rd/docker.sock" \
    "$run/podman/podman.sock"; do
    if answers "$candidate"; then
      say "an engine answers at $candidate"
      return 0
    fi
  done
  return 1
}

# Asks the engine that DOCKER_HOST or the Docker context names, with Docker's own client where there is one.
named_answers() {
  if command -v docker >/dev/null; then
    timeout 10 docker version >/dev/null 2>&1
    return
  fi
  case ${DOCKER_HOST:-} in
    unix://*) answers "${DOCKER_HOST#unix://}" ;;
    tcp://*) curl -fs --max-time 5 "http://${DOCKER_HOST#tcp://}/_ping" >/dev/null ;;
    *) return 1 ;;
  esac
}

# An engine that the user named is the only one to use.
named_engine() {
  context=$(docker context show 2>/dev/null || echo default)
  [ -n "${DOCKER_HOST:-}" ] || [ "$context" != default ] || return 1
  if named_answers; then
    say "the engine of ${DOCKER_HOST:-the Docker context $context} answers"
    exit 0
  fi
  say "the engine of ${DOCKER_HOST:-the Docker context $context} does not answer: start it, or choose another"
  exit 3
}

install_engine() {
  if [ -S "$socket" ] && [ ! -w "$socket" ]; then
    say "there is an engine at $socket that you may not use: add yourself to its group with" \
      "\`sudo usermod -aG docker $(id -un)\` and log in again"
    exit 2
  fi
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    say "no Docker engine answers. Install and start Docker (Docker Desktop, or your system's package docker.io or" \
      "docker-ce), or set DOCKER_HOST to an engine's address; as root on Debian or Ubuntu this script does it"
    exit 2
  fi
  command -v dockerd >/dev/null && return 0
  say "installing docker.io with apt-get"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >&2 && apt-get install -qq -y --no-install-recommends docker.io iptables ca-certificates curl >&2 || {
    say "apt-get could not install docker.io; its words are above"
    exit 2
  }
}

# Containers need the cgroup file systems, which a machine without systemd may not have mounted.
mount_cgroups() {
  mount | grep -q ' on /sys/fs/cgroup' && return 0
  say "mounting cgroups"
  if grep -q cgroup2 /proc/filesystems && mount -t cgroup2 none /sys/fs/cgroup; then
    return 0
  fi
  mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup || return 1
  for controller in $(awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups); do
    mkdir -p "/sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" "$controller" "/sys/fs/cgroup/$controller" || return 1
  done
}

start_engine() {
  if [ -d /run/systemd/system ] && systemctl start docker 2>/dev/null; then
    say "started the service docker"
  else
    mount_cgroups || say "the cgroup file systems could not be mounted; dockerd may refuse to start"
    say "starting dockerd, its log is $log"
    setsid nohup dockerd >"$log" 2>&1 </dev/null &
  fi
  waited=0
  until answers "$socket"; do
    if [ "$waited" -ge "$seconds" ]; then
      say "dockerd does not answer after $seconds s; the end of $log:"
      tail -n 15 "$log" >&2
      exit 1
    fi
    sleep 1
    waited=$((waited + 1))
  done
  say "an engine answers at $socket"
}

named_engine
usual_socket && exit 0
install_engine
start_engine
