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

for part in "${missing[@]}"; do
    echo "NOT TESTED, part missing: $part"
done
[ "${#missing[@]}" = 0 ] || [ -z "${CI:-}" ] || [ "${1:-}" != --report ]
