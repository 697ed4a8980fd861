#!/bin/sh
# Counts the instructions of one request on its own thread, beyond the bare application, with valgrind's callgrind.
# The result does not depend on other load of the machine. The count of a run of N requests is subtracted from that of a
# run of 2 N, so that the start of the application does not count.
#
# Usage: benchmarks/instructions.sh [N] [VARIANT...]; N is a multiple of 128.
set -eu

cd "$(dirname "$0")"
count=${1:-2048}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- floor opbeat opbeat-enc otel-tower sentry-tower sentry-tower-enc \
    actix-floor actix-opbeat actix-otel actix-sentry

cargo build --release --quiet --bin request-cost
program=${CARGO_TARGET_DIR:-target}/release/request-cost
profiles=$(mktemp -d)
trap 'rm -rf "$profiles"' EXIT

# Prints the instructions that the first thread executes for $3 requests. Callgrind writes one file per thread.
run() {
    rm -f "$profiles"/*
    valgrind --tool=callgrind --separate-threads=yes --callgrind-out-file="$profiles/out" \
        "$program" variant "$1" "$2" "$3" >"$profiles/log" 2>&1 || { cat "$profiles/log" >&2; exit 1; }
    # The total of a single thread may be in the file without a number.
    for profile in "$profiles/out-01" "$profiles/out"; do
        if [ -s "$profile" ]; then
            sed -n 's/^\(totals\|summary\): //p' "$profile" | head -n 1
            return
        fi
    done
    echo "callgrind wrote no profile; install valgrind" >&2
    exit 1
}

request() {
    once=$(run "$1" "$2" "$count")
    twice=$(run "$1" "$2" $((2 * count)))
    echo $(((twice - once) / count))
}

for path in /users/42 /spans; do
    echo "Instructions of \`GET $path\` on its own thread:"
    echo
    echo "| | request | beyond bare |"
    echo "|---|---:|---:|"
    bare=$(request bare "$path")
    actix=
    echo "| bare | $bare | |"
    for name; do
        case $name in
            actix-*)
                if [ -z "$actix" ]; then
                    actix=$(request actix-bare "$path")
                    echo "| actix-bare | $actix | |"
                fi
                beyond=$actix ;;
            *) beyond=$bare ;;
        esac
        own=$(request "$name" "$path")
        echo "| $name | $own | $((own - beyond)) |"
    done
    echo
done
