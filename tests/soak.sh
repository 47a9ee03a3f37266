#!/bin/sh
# The long forms of the tests, one after the other: `make soak`, or some of them by name: `make soak PART="races fuzz"`. Says how far each is; all that they
# print is in target/soak. `SEED=N` repeats a run.
set -u
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
all="laws orders laws-kernel conformance crash refusals failures races fuzz records resources kinds eyes vlans impair handover borrowed docker explain trace doctor import adopt adoption ranges"

if [ "$(id -u)" != 0 ]; then
    unshare -Ur true 2>/dev/null || { echo "the tests need root, or a kernel that allows user namespaces (sysctl kernel.unprivileged_userns_clone=1)" >&2; exit 1; }
    exec unshare -Ur sh "$0" "$@"
fi

for part in "$@"; do
    case " $all " in
    *" $part "*) ;;
    *)
        echo "there is no part \"$part\"; there are: $all" >&2
        exit 64
        ;;
    esac
done
[ $# -gt 0 ] || set -- $all

seed=${SEED:-$(date +%s)}
echo "seed $seed (SEED=$seed repeats this run)"
mkdir -p target/soak

# What a part is: the binary and the module of its tests, and what makes it long.
words() {
    case $1 in
    laws) echo "pure laws TOPO_LAWS=10000 TOPO_SEED=$seed" ;;
    orders) echo "pure orders TOPO_ORDERS=3000 TOPO_SEED=$seed" ;;
    laws-kernel) echo "hostile laws_kernel TOPO_LAWS_KERNEL=500 TOPO_SEED=$seed" ;;
    conformance) echo "hostile conformance TOPO_CONFORMANCE=500 TOPO_SEED=$seed" ;;
    crash) echo "hostile crash TOPO_CRASH=all" ;;
    refusals) echo "hostile refusals TOPO_REFUSALS=all" ;;
    failures) echo "lane failures TOPO_FAILURES=all" ;;
    races) echo "hostile races TOPO_RACES=200" ;;
    fuzz) echo "hostile fuzz TOPO_FUZZ=100000 TOPO_FUZZ_SEED=$seed" ;;
    records) echo "hostile records TOPO_RECORDS=1000" ;;
    resources) echo "hostile resources TOPO_MANY=5000" ;;
    kinds) echo "lane kinds_random TOPO_KINDS=200 TOPO_SEED=$seed" ;;
    eyes) echo "lane eyes TOPO_EYES=all" ;;
    vlans) echo "lane vlans TOPO_VLANS=200 TOPO_SEED=$seed" ;;
    handover) echo "lane handover TOPO_HANDOVERS=200 TOPO_SEED=$seed" ;;
    borrowed) echo "kernel borrowed TOPO_BORROWED=240 TOPO_SEED=$seed" ;;
    docker) echo "hostile docker TOPO_CHURN=2000" ;;
    explain) echo "kernel explain TOPO_FLOWS=5000 TOPO_FIRST=$seed" ;;
    doctor) echo "kernel doctor TOPO_DOCTORED=200 TOPO_FIRST=$seed" ;;
    trace) echo "kernel trace TOPO_TRACES=all TOPO_CRASH=all" ;;
    import) echo "kernel import TOPO_IMPORTS=500" ;;
    adopt) echo "kernel adopt TOPO_ADOPT=all" ;;
    adoption) echo "hostile adoption TOPO_REFUSALS=all" ;;
    ranges) echo "pure many TOPO_MANGLED=10000 TOPO_RANGES=3000 TOPO_FIRST=$seed" ;;
    impair) echo "lane impair TOPO_IMPAIR=1000" ;;
    esac
}

failed=""
for part in "$@"; do
    long=$(words "$part")
    binary=${long%% *}
    long=${long#* }
    test=${long%% *}
    log=target/soak/$part.log
    echo "$part: $long"
    # A line for each twentieth that is done, and what a test sums up.
    {
        env ${long#* } "$cargo" test --test "$binary" "$test::" -- --nocapture 2>&1
        echo "ended with $?"
    } | tee "$log" | awk -v part="$part" '
        { line = $0; sub(/^\| /, "", line) }
        match(line, /[0-9]+ of [0-9]+/) {
            split(substr(line, RSTART, RLENGTH), n, " of ")
            step = n[2] ":" int(20 * n[1] / n[2])
            if (step != last) { last = step; printf "  %s %d of %d\n", part, n[1], n[2]; fflush() }
        }
        /^test result:/ || /^error/ || / races, | requests: | mutated | killed | namespaces, | operations compared/ { print "  " line; fflush() }'
    if tail -n 1 "$log" | grep -qx "ended with 0"; then
        echo "$part: passed"
    else
        echo "$part: FAILED, see $log"
        failed="$failed $part"
    fi
done
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
echo "all passed: $*"
