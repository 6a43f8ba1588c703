#!/bin/sh
# Fetches Node, the official client and parts of the SDK from npm.
# In the environment: CONTEXT (a folder to fill), NODE_VERSION, CLIENT_VERSION, SDK (names of packages).
set -eu

case $(uname -m) in
  aarch64) platform=linux-arm64 ;;
  *) platform=linux-x64 ;;
esac

# Nothing that comes from npm is run on this machine.
fetch() {
  folder=$1
  shift
  mkdir -p "$folder"
  (cd "$folder" && echo '{"private": true}' >package.json && npm install --silent --ignore-scripts --no-audit --no-fund "$@")
}

fetch "$CONTEXT/fetched" "node-$platform@$NODE_VERSION" "aws-lambda-ric@$CLIENT_VERSION"
mv "$CONTEXT/fetched/node_modules/node-$platform/bin/node" "$CONTEXT/node"
client="$CONTEXT/fetched/node_modules/aws-lambda-ric"

mkdir -p "$CONTEXT/runtime"
if [ -f "$client/dist/index.mjs" ]; then
  mv "$client/dist/index.mjs" "$CONTEXT/runtime/client.mjs"
  cat >"$CONTEXT/runtime/index.mjs" <<'JAVASCRIPT'
import { run } from "./client.mjs";
await run(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
JAVASCRIPT
else
  mv "$client/index.mjs" "$CONTEXT/runtime/index.mjs"
fi
rm -rf "$CONTEXT/fetched"

# shellcheck disable=SC2086 # a list of packages
fetch "$CONTEXT/runtime" $SDK
rm "$CONTEXT/runtime/package.json" "$CONTEXT/runtime/package-lock.json"
