#!/bin/sh
# Fetches the client's source, with the Node that compiles it. In the environment: CONTEXT (a folder to fill).
set -eu

case $(uname -m) in
  aarch64) platform=linux-arm64 ;;
  *) platform=linux-x64 ;;
esac
mkdir "$CONTEXT/fetched"
cd "$CONTEXT/fetched"
echo '{"private": true}' >package.json
# Nothing that comes from npm is run on this machine.
npm install --silent --ignore-scripts --no-audit --no-fund aws-lambda-ric@4.0.2 node-$platform@22.23.3
mv node_modules/node-$platform node_modules/node
