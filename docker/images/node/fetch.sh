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

# The client's native part is of the stable Node-API, and its source is the same in all versions of the client: it is
# built once, and serves every version of Node.
fetch "$CONTEXT/native" aws-lambda-ric@4.0.2 node-$platform@22.23.3
ln -sfn node-$platform "$CONTEXT/native/node_modules/node"

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
