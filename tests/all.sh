#!/bin/sh
# Runs the tests and counts them: the last line is `N passed, N failed`. With --quick only those that touch no kernel. With TOPO_LANE=never
# those are left out, and counted, that need a kernel with more features than this machine's.
set -u
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

# One target (`--test NAME`), what it prints in one piece.
if [ "${1:-}" = --one ]; then
    log=$3/$(echo "$2" | tr -d ' ')
    # Split on purpose.
    "$cargo" test --no-fail-fast $2 >"$log" 2>&1 || echo "cargo test ended with $?" >>"$log"
    exec flock "$3" cat "$log"
fi

# The tests make network namespaces. Who is not root is root of a namespace of users, where the machine allows that.
if [ "${1:-}" != --quick ] && [ "$(id -u)" != 0 ]; then
    unshare -Ur true 2>/dev/null || { echo "the tests need root, or a kernel that allows user namespaces (sysctl kernel.unprivileged_userns_clone=1)" >&2; exit 1; }
    exec unshare -Ur sh tests/all.sh "$@"
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

{
    if [ "${1:-}" = --quick ]; then
        echo "without the tests that touch a kernel, this machine's or the lane's: \`make test\` has them" >&2
        set -- pure
    else
        set -- lane hostile kernel program pure
    fi
    printf -- '--test %s\n' "$@"
    # Each part of the benchmark once: it asserts what it measures.
    printf '%s\n' --lib --bins --doc '--bench plan'
} >"$folder/targets"

"$cargo" test --no-run 2>&1 | tail -n 1
# Side by side, as the tests of each are: more than four at once would need much memory.
at_once=$(nproc)
[ "$at_once" -le 4 ] || at_once=4
xargs -P "$at_once" -I '{}' sh tests/all.sh --one '{}' "$folder" <"$folder/targets" | tee "$folder/log"

awk '
    # Such a test passes for its harness.
    !/^\| / && /left out: .* \(TOPO_LANE=never\)/ { left++ }
    /^test result:/ { passed += $4; failed += $6; ignored += $8 }
    /^cargo test ended with/ { bad = 1 }
    END {
        if (ignored) print ignored " ignored"
        if (bad && !failed) { print "the tests could not be built or started"; failed = 1 }
        if (left) print left " left out (TOPO_LANE=never)"
        passed -= left
        printf "%d passed, %d failed\n", passed, failed
        exit failed > 0
    }' "$folder/log"
