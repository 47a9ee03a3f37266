# A - R1 - R2 - B, with static routes.
# Check: ip netns exec A ping -c 1 -W 2 10.3.0.2
# Check: ip netns exec B ping -c 1 -W 2 10.1.0.2
for n in A R1 R2 B; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns A type veth peer name left netns R1
ip link add right netns R1 type veth peer name left netns R2
ip link add right netns R2 type veth peer name eth0 netns B
ip -n A addr add 10.1.0.2/24 dev eth0
ip -n R1 addr add 10.1.0.1/24 dev left
ip -n R1 addr add 10.2.0.1/30 dev right
ip -n R2 addr add 10.2.0.2/30 dev left
ip -n R2 addr add 10.3.0.1/24 dev right
ip -n B addr add 10.3.0.2/24 dev eth0
ip -n A link set eth0 up; ip -n B link set eth0 up
ip -n R1 link set left up; ip -n R1 link set right up
ip -n R2 link set left up; ip -n R2 link set right up
ip -n A route add default via 10.1.0.1
ip -n B route add default via 10.3.0.1
ip -n R1 route add 10.3.0.0/24 via 10.2.0.2
ip -n R2 route add 10.1.0.0/24 via 10.2.0.1
ip netns exec R1 sysctl -qw net.ipv4.ip_forward=1
ip netns exec R2 sysctl -qw net.ipv4.ip_forward=1
