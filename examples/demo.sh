#!/bin/sh
# The main job, told as it goes: plan, apply, pings, a break by hand that plan shows and apply repairs, destroy, and the proof that nothing is left.
#
# Everything happens in a network of its own that ends with this script; the machine's network is not touched. Any step that does not do what it says
# ends the demo with an error.
set -eu
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")/.." && pwd)

if [ "${1:-}" != --inside ]; then
    topo=${TOPO:-$here/target/debug/topo}
    [ -x "$topo" ] || { echo "no program at $topo: cargo build" >&2; exit 1; }
    [ -d /etc/netns ] || mkdir /etc/netns 2>/dev/null || { echo "the demo mounts an empty folder over /etc/netns, and there is none: mkdir /etc/netns (as root)" >&2; exit 1; }
    if [ "$(id -u)" = 0 ]; then
        set -- unshare --net --mount --propagation private
    else
        set -- unshare --user --map-root-user --net --mount --propagation private
        "$@" true 2>/dev/null || { echo "the demo needs root, or a kernel that allows user namespaces" >&2; exit 77; }
    fi
    exec "$@" sh "$here/examples/demo.sh" --inside "$topo"
fi

mount -t tmpfs -o mode=755 run /run
mkdir /run/netns /run/lock /run/demo
mount -t tmpfs -o mode=755 etc-netns /etc/netns
mount -t sysfs sysfs /sys 2>/dev/null || true
ip link set lo up
cp "$2" /run/demo/topo
PATH=/run/demo:$PATH
cp "$here/topologies/nat.yaml" /run/demo/nat.yaml
cd /run/demo

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m'); else bold='' dim='' plain=''; fi
step=0
say() { step=$((step + 1)); printf '\n%s%d. %s%s\n' "$bold" "$step" "$*" "$plain"; }
show() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; }
fail() { printf '\nThe demo failed: %s\n' "$*" >&2; exit 1; }
# run STATUS COMMAND…: shows a command, runs it, and insists on its exit status.
run() {
    wanted=$1
    shift
    show "$*"
    got=0
    "$@" || got=$?
    [ "$got" = "$wanted" ] || fail "\"$*\" ended with $got, not $wanted"
}
# state: all that a network can leave behind.
state() {
    ip -br link; ip -br addr; ip route show table all; ip -6 route show table all; ip rule; nft list ruleset
    ls -A /run/netns /etc/netns; ls -A /run; sysctl -a 2>/dev/null | grep '^net\.' | grep -v -e conntrack_count -e udp_mem
}

before=$(state)
say "A topology: RED and BLUE on a bridge, the host as their router, the world behind NAT."
sed -n '/^name:/,$p' nat.yaml

say "What would change? Nothing is touched yet."
run 2 topo plan --detailed-exitcode nat.yaml

say "Make it so."
run 0 topo apply --yes nat.yaml
run 0 topo plan nat.yaml

say "RED reaches BLUE over the bridge, and the world through NAT."
run 0 topo exec RED -- ping -q -c 2 -i 0.2 -W 2 10.4.0.3
run 0 topo exec RED -- ping -q -c 2 -i 0.2 -W 2 203.0.113.80
topo exec INTERNET -- socat TCP-LISTEN:80,reuseaddr 'SYSTEM:echo you are $SOCAT_PEERADDR' &
server=$!
sleep 0.3
show "topo exec RED -- socat -u TCP:203.0.113.80:80 -"
seen=$(topo exec RED -- socat -u TCP:203.0.113.80:80,connect-timeout=2 -) || fail "no connection from RED to the world"
wait "$server"
echo "$seen"
[ "$seen" = "you are 203.0.113.1" ] || fail "the world saw another address than the host's"

say "What is there now."
run 0 topo list
run 0 topo show nat

say "Somebody breaks it by hand: a route, a cable and the NAT rule."
run 0 ip -n RED route del default
run 0 ip link set blue0 down
run 0 nft flush table inet topo-nat
run 1 topo exec BLUE -- ping -q -c 1 -W 1 10.4.0.2

say "plan sees exactly that."
run 2 topo plan --detailed-exitcode nat.yaml

say "apply repairs it, and touches nothing else."
run 0 topo apply --yes nat.yaml
run 0 topo exec BLUE -- ping -q -c 2 -i 0.2 -W 2 203.0.113.80

say "Take it away, by name: the file is not needed."
run 0 topo destroy --yes nat
run 0 topo list

say "Is anything left?"
after=$(state)
i=0
while [ "$after" != "$before" ] && [ "$i" -lt 20 ]; do sleep 0.1; after=$(state); i=$((i + 1)); done
if [ "$after" = "$before" ]; then
    echo "Links, addresses, routes, rules, nft ruleset, namespaces, files and $(sysctl -a 2>/dev/null | grep -c '^net\.') sysctls are what they were."
else
    printf '%s\n' "$before" >/run/demo/before
    printf '%s\n' "$after" >/run/demo/after
    diff /run/demo/before /run/demo/after || true
    fail "something is left"
fi
