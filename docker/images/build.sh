#!/bin/sh
# Builds the root file system of a runtime image as a tar, from packages alone.
# In the environment: SUITE, PACKAGES (comma-separated), FAMILY, OUTPUT (the tar to write), WORK (an empty folder),
# CACHE (a tar that keeps the bare Debian between builds; may be missing), and what the family's script needs.
set -eu

here=$(dirname "$0")
export ROOT="$WORK/root"
bare="$WORK/bare.tar"

if [ -f "$CACHE" ]; then
  echo "using the Debian $SUITE kept in $CACHE"
  bare="$CACHE"
else
  echo "fetching Debian $SUITE with $PACKAGES"
  mmdebstrap --quiet --variant=minbase --include="$PACKAGES" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/lintian/*' --dpkgopt='path-exclude=/usr/share/bug/*' \
    "$SUITE" "$bare"
  if mkdir -p "$(dirname "$CACHE")" 2>/dev/null && cp "$bare" "$CACHE.$$" 2>/dev/null; then
    mv "$CACHE.$$" "$CACHE"
  fi
fi

mkdir "$ROOT"
tar -C "$ROOT" --numeric-owner --exclude='./dev/*' -xf "$bare"
mkdir -p "$ROOT/var/task" "$ROOT/var/runtime" "$ROOT/opt"

# AWS's images speak en_US.UTF-8; Debian's libc-bin brings C.UTF-8 only, which reads and writes the same characters.
test -e "$ROOT/usr/lib/locale/en_US.utf8" || cp -a "$ROOT/usr/lib/locale/C.utf8" "$ROOT/usr/lib/locale/en_US.utf8"

install -m 755 "$here/lambda-entrypoint.sh" "$ROOT/lambda-entrypoint.sh"
echo "making it a $FAMILY runtime"
sh "$here/families/$FAMILY.sh"

rm -rf "$ROOT"/var/lib/apt/lists/* "$ROOT"/var/cache/* "$ROOT"/var/log/* "$ROOT"/tmp/* "$ROOT"/usr/share/doc/* \
  "$ROOT"/usr/share/man/* "$ROOT"/usr/share/locale/* "$ROOT/etc/hostname" "$ROOT/etc/resolv.conf"
tar -C "$ROOT" --numeric-owner --sort=name -cf "$OUTPUT" .
