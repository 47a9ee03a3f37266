#!/bin/sh
# Installs what the demo needs and this machine lacks. With --test also what the tests need: their tools, the kernel of tests/kernel-lane, and, unpacked
# beside it and not installed, the programs of tests/neighbor-lane.
set -eu
PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")/.."

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need cc "gcc libc6-dev"
need ip iproute2
need nft nftables
need iptables-nft iptables
need ping iputils-ping
need socat socat
need sysctl procps
need wg wireguard-tools
need unshare util-linux
lane=no
if [ "${1:-}" = --test ]; then
    need ethtool ethtool
    need wg wireguard-tools
    need dot graphviz
    need tcpdump tcpdump
    [ "${TOPO_LANE:-}" = never ] || [ "$(uname -m)" != x86_64 ] || lane=yes
fi
if [ $lane = yes ]; then
    need qemu-system-x86_64 qemu-system-x86
    need depmod kmod
    need zstd zstd
    need xz xz-utils
fi

if [ -n "$missing" ]; then
    if [ "$(id -u)" != 0 ]; then
        echo "these Debian packages are missing:$missing" >&2
        echo "install them as root: apt-get install$missing" >&2
        exit 1
    fi
    echo "installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    install() { apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends $missing >/dev/null; }
    install 2>/dev/null || { apt-get -q update >/dev/null && install; }
fi

# A browser without a window, in which the tests look at pictures. It has a package since Debian 12; where it cannot be had they say so by name.
browser() { command -v chromium-headless-shell >/dev/null 2>&1; }
fetch_browser() { DEBIAN_FRONTEND=noninteractive timeout 300 apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends chromium-headless-shell fonts-dejavu-core >/dev/null; }
if [ "${1:-}" = --test ] && ! browser; then
    echo "installing chromium-headless-shell"
    if [ "$(id -u)" = 0 ]; then fetch_browser 2>/dev/null || { apt-get -q update >/dev/null && fetch_browser; } || true; fi
    browser || echo "no browser can be had: the tests that look at pictures in one will fail (apt-get install chromium-headless-shell)"
fi

# Downloads and unpacks Docker, firewalld, podman and libvirt where they are missing, once. The tests that need them say so by name where there are none.
[ "${1:-}" != --test ] || bash tests/neighbor-lane/run --prepare || echo "not every neighbor can be had: their tests will fail"
# Downloads and unpacks the kernel, once. The tests that need it say so by name where there is none.
[ $lane = no ] || bash tests/kernel-lane/run --prepare || echo "no kernel for the tests that need more than this machine's; TOPO_LANE=never leaves them out"
