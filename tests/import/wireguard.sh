# Needs of the kernel: wireguard
# A tunnel, keys and all.
# Check: ip netns exec a ping -c 1 -W 5 10.77.0.2
for n in a b; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns a type veth peer name eth0 netns b
ip -n a addr add 10.15.0.1/24 dev eth0; ip -n a link set eth0 up
ip -n b addr add 10.15.0.2/24 dev eth0; ip -n b link set eth0 up
umask 077
wg genkey > /run/a.key; wg genkey > /run/b.key; wg genpsk > /run/ab.psk
ip -n a link add wg0 type wireguard
ip -n b link add wg0 type wireguard
ip netns exec a wg set wg0 private-key /run/a.key listen-port 51820 peer $(wg pubkey < /run/b.key) preshared-key /run/ab.psk allowed-ips 10.77.0.2/32 endpoint 10.15.0.2:51821 persistent-keepalive 25
ip netns exec b wg set wg0 private-key /run/b.key listen-port 51821 peer $(wg pubkey < /run/a.key) preshared-key /run/ab.psk allowed-ips 10.77.0.1/32 endpoint 10.15.0.1:51820
ip -n a addr add 10.77.0.1/24 dev wg0; ip -n a link set wg0 up
ip -n b addr add 10.77.0.2/24 dev wg0; ip -n b link set wg0 up
rm /run/a.key /run/b.key /run/ab.psk
