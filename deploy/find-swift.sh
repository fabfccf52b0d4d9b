#!/usr/bin/env bash
# Prints the path of a `swift` that can build Sluice, or says in one sentence why there is none.
#
#   deploy/find-swift.sh      # the path on standard output, exit 0; a sentence on standard error, exit 1
#
# A toolchain that was unpacked but never put on PATH counts: the usual places are looked into after PATH.
set -euo pipefail

readonly needed=6.3

is_new_enough() {
    [[ "$(printf '%s\n%s\n' "$needed" "$1" | sort --version-sort | head -n 1)" == "$needed" ]]
}

candidates=()
if on_path="$(command -v swift)"; then
    candidates+=("$on_path")
fi
candidates+=(/opt/swift/usr/bin/swift /usr/bin/swift "${HOME:-/nonexistent}/.local/share/swiftly/bin/swift")

found=""
for candidate in "${candidates[@]}"; do
    [[ -x "$candidate" ]] || continue
    said="$("$candidate" --version 2>&1 </dev/null)" || true
    version="$(sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' <<<"$said" | head -n 1)"
    if [[ -z "$version" ]]; then
        # Most often a library that the toolchain needs and that its installation page lists.
        found="${found:-$candidate, which does not run (${said%%$'\n'*})}"
    elif is_new_enough "$version"; then
        printf '%s\n' "$candidate"
        exit 0
    else
        found="${found:-$version ($candidate)}"
    fi
done

echo "Sluice needs Swift $needed or newer and found ${found:-no swift on PATH}: see https://www.swift.org/install/" >&2
exit 1
