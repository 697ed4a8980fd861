#!/usr/bin/env bash
# Installs the agents that the tests run: `install.sh [FOLDER]`, by default into target/agents.
# A part whose files have not changed since it was installed is left alone.
set -euo pipefail
sources=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$sources/../../../target/agents}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# Two runs at the same time wait for each other.
exec 9>"$folder/lock"
flock 9

need() {
    if ! command -v "$1" >/dev/null; then
        echo "error: $1 is missing, which the agents' tests need; install it: apt-get install python3-venv nodejs npm git" >&2
        exit 1
    fi
}

# Runs a function in the part's new folder, unless the part was installed from the same files.
part() {
    local name=$1 install=$2 files=("${@:3}")
    local stamp
    stamp=$(cat "${files[@]}" "$sources/install.sh" | sha256sum)
    if [ "$(cat "$folder/$name/installed" 2>/dev/null)" = "$stamp" ]; then
        return
    fi
    local start=$SECONDS
    echo "installing the agents' tests: $name"
    rm -rf "${folder:?}/$name"
    mkdir -p "$folder/$name"
    (cd "$folder/$name" && "$install" "$name")
    echo "$stamp" >"$folder/$name/installed"
    echo "installed $name in $((SECONDS - start)) s"
}

# Makes a virtual environment with the first Python that the old packages run on.
venv() {
    local python
    for python in python3 python3.11 python3.10; do
        if "$python" -c "import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 12))" 2>/dev/null; then
            if ! "$python" -m venv .; then
                echo "error: $python cannot make a virtual environment; install it: apt-get install python3-venv" >&2
                exit 1
            fi
            return
        fi
    done
    echo "error: the agents need Python 3.10 or 3.11, and $(python3 --version) is installed" >&2
    exit 1
}

pip() {
    bin/python -m pip --disable-pip-version-check --quiet install --no-deps --no-compile "$@"
}

# The old packages have no wheels, and their setup needs a setuptools of their time and the shim.
old_python() {
    venv
    pip -r "$sources/python-shim/requirements.txt"
    cat "$sources"/{python-flask,python-django,python-job,opbeatcli}/requirements.txt | sort -u >requirements.txt
    # Without its C extension, the agent needs no compiler and no headers of Python.
    OPBEAT_WRAPT_EXTENSIONS=false PYTHONPATH=$sources/python-shim PYTHONDONTWRITEBYTECODE=1 \
        pip --no-build-isolation --no-cache-dir -r requirements.txt
}

otel_python() {
    venv
    pip --only-binary :all: -r "$sources/otel-python/requirements.txt"
}

smtp() {
    venv
    pip --only-binary :all: -r "$sources/smtp/requirements.txt"
}

node_modules() {
    cp "$sources/$1/package.json" "$sources/$1/package-lock.json" .
    npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
}

for program in python3 node npm git; do
    need "$program"
done
part python old_python "$sources"/{python-shim,python-flask,python-django,python-job,opbeatcli}/requirements.txt \
    "$sources/python-shim/sitecustomize.py"
part otel-python otel_python "$sources/otel-python/requirements.txt"
part smtp smtp "$sources/smtp/requirements.txt"
for name in node-express release-tracker browser otel-node; do
    part "$name" node_modules "$sources/$name/package.json" "$sources/$name/package-lock.json"
done
