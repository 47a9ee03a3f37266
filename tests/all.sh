#!/bin/sh
# Runs the tests and counts them: the last line is `N passed, N failed`. With --quick only those that touch no kernel. With TOPO_LANE=never
# those are left out, and counted, that need a kernel with more features than this machine's.
set -u
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

# The tests make network namespaces. Who is not root is root of a namespace of users, where the machine allows that.
if [ "${1:-}" != --quick ] && [ "$(id -u)" != 0 ]; then
    unshare -Ur true 2>/dev/null || { echo "the tests need root, or a kernel that allows user namespaces (sysctl kernel.unprivileged_userns_clone=1)" >&2; exit 1; }
    exec unshare -Ur sh "$0" "$@"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ "${1:-}" = --quick ]; then
    # A test file that has the sandbox in it touches a kernel.
    set -- --lib --bins
    for file in tests/*.rs; do
        grep -q '^mod sandbox;' "$file" || set -- "$@" --test "$(basename "$file" .rs)"
    done
    echo "without the tests that touch a kernel, this machine's or the lane's: \`make test\` has them"
else
    set --
fi
{ "$cargo" test --no-fail-fast "$@" 2>&1 || echo "cargo test ended with $?"; } | tee "$log"

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
    }' "$log"
