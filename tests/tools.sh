#!/bin/sh
# Installs what the demo and the tests need and this machine lacks.
set -eu
PATH=$PATH:/usr/sbin:/sbin

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need cc "gcc libc6-dev"
need ip iproute2
need nft nftables
need iptables-nft iptables
need ping iputils-ping
need socat socat
need sysctl procps
need unshare util-linux
[ -z "$missing" ] && exit 0

if [ "$(id -u)" != 0 ]; then
    echo "these Debian packages are missing:$missing" >&2
    echo "install them as root: apt-get install$missing" >&2
    exit 1
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
install() { apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends $missing >/dev/null; }
install 2>/dev/null || { apt-get -q update >/dev/null && install; }
