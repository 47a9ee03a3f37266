# Needs of the kernel: vxlan
# An overlay over a routed underlay, with a static list of ends.
# Check: ip netns exec a ping -c 1 -W 3 172.20.0.2
for n in a b; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns a type veth peer name eth0 netns b
ip -n a addr add 10.14.0.1/24 dev eth0; ip -n a link set eth0 up
ip -n b addr add 10.14.0.2/24 dev eth0; ip -n b link set eth0 up
ip -n a link add vx0 type vxlan id 42 local 10.14.0.1 dstport 4789
ip -n b link add vx0 type vxlan id 42 local 10.14.0.2 remote 10.14.0.1 dstport 4789
ip netns exec a bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.14.0.2
ip -n a addr add 172.20.0.1/24 dev vx0; ip -n a link set vx0 up
ip -n b addr add 172.20.0.2/24 dev vx0; ip -n b link set vx0 up
