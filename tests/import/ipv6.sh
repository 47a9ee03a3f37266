# Two networks of IPv6 and a router.
# Check: ip netns exec a ping -6 -c 1 -W 3 fd00:2::2
for n in a r b; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns a type veth peer name ra netns r
ip link add eth0 netns b type veth peer name rb netns r
ip -n a link set eth0 up; ip -n b link set eth0 up; ip -n r link set ra up; ip -n r link set rb up
ip -n a addr add fd00:1::2/64 dev eth0 nodad
ip -n r addr add fd00:1::1/64 dev ra nodad
ip -n r addr add fd00:2::1/64 dev rb nodad
ip -n b addr add fd00:2::2/64 dev eth0 nodad
ip -n a -6 route add default via fd00:1::1
ip -n b -6 route add fd00:1::/64 via fd00:2::1
ip netns exec r sysctl -qw net.ipv6.conf.all.forwarding=1
