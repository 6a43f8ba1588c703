#!/bin/sh
# Writes the root file system of a base image as a tar, from Debian's packages alone.
# In the environment: SUITE, PACKAGES (comma-separated), OUTPUT (the tar to write).
set -eu

cd "$(dirname "$0")"

# AWS's images speak en_US.UTF-8; Debian's libc-bin brings C.UTF-8 only, which reads and writes the same characters.
mmdebstrap --quiet --variant=minbase --include="$PACKAGES" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/lintian/*' --dpkgopt='path-exclude=/usr/share/bug/*' \
  --customize-hook='mkdir -p "$1/var/task" "$1/var/runtime" "$1/var/lang/bin" "$1/var/lang/lib" "$1/opt"' \
  --customize-hook='cp -a "$1/usr/lib/locale/C.utf8" "$1/usr/lib/locale/en_US.utf8"' \
  --customize-hook='install -m 755 lambda-entrypoint.sh "$1/lambda-entrypoint.sh"' \
  --customize-hook='install -m 644 exec-wrapper.sh "$1/var/runtime/exec-wrapper.sh"' \
  --customize-hook='rm -rf "$1"/var/cache/* "$1"/var/log/* "$1"/etc/hostname "$1"/etc/resolv.conf' \
  "$SUITE" "$OUTPUT"
