#!/usr/bin/env bash
# Installs the packages that drive the browser: `install.sh [FOLDER]`, by default into target/walk.
# Returns at once if they were installed from the same files.
set -euo pipefail
sources=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$sources/../../../target/walk}
mkdir -p "$folder"
cd "$folder"

# Two runs at the same time wait for each other.
exec 9>lock
flock 9
stamp=$(cat "$sources"/{package.json,package-lock.json,install.sh} | sha256sum)
if [ "$(cat installed 2>/dev/null)" = "$stamp" ]; then
    exit
fi
cp "$sources/package.json" "$sources/package-lock.json" .
npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
echo "$stamp" >installed
