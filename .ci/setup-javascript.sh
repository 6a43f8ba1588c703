#!/bin/bash
# Installs what a folder's package-lock.json says: setup-javascript.sh FOLDER. Brings Node.js 20 or newer where it lacks.
set -euo pipefail
if ! command -v npm >/dev/null; then "$(dirname "$0")/setup-package.sh" nodejs npm; fi
cd "$1"
echo "installing the JavaScript SDK into $1/node_modules"
npm ci --silent
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
  npm install --silent --no-save --no-package-lock "node-linux-$(node -p process.arch)@22"
fi
touch node_modules/.package-lock.json
