#!/usr/bin/env bash
# Installs the receivers of OTLP that the tests run: `install.sh [FOLDER]`, by default into target/receivers.
# A part whose files have not changed since it was installed is left alone.
set -euo pipefail
sources=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$sources/../../../target/receivers}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# Two runs at the same time wait for each other.
exec 9>"$folder/lock"
flock 9

for program in python3 node npm; do
    if ! command -v "$program" >/dev/null; then
        echo "error: $program is missing, which the receivers need: apt-get install python3-venv nodejs npm" >&2
        exit 1
    fi
done

# Runs a function in the part's new folder, unless the part was installed from the same files.
part() {
    local name=$1 install=$2 files=("${@:3}")
    local stamp
    stamp=$(cat "${files[@]}" "$sources/install.sh" | sha256sum)
    if [ "$(cat "$folder/$name/installed" 2>/dev/null)" = "$stamp" ]; then
        return
    fi
    local start=$SECONDS
    echo "installing the receiver $name"
    rm -rf "${folder:?}/$name"
    mkdir -p "$folder/$name"
    (cd "$folder/$name" && "$install" "$name")
    echo "$stamp" >"$folder/$name/installed"
    echo "installed $name in $((SECONDS - start)) s"
}

python_packages() {
    python3 -m venv .
    bin/python -m pip --disable-pip-version-check --quiet install --no-deps --no-compile --only-binary :all: \
        -r "$sources/$1/requirements.txt"
}

node_modules() {
    cp "$sources/$1/package.json" "$sources/$1/package-lock.json" .
    npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
}

part python python_packages "$sources/python/requirements.txt"
part node node_modules "$sources/node/package.json" "$sources/node/package-lock.json"
part phoenix python_packages "$sources/phoenix/requirements.txt"
