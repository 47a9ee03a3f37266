# Needs of the kernel: netem
# A slow line.
# Check: ip netns exec a ping -c 1 -W 2 10.16.0.2
# Check: tc -n a qdisc show dev eth0 | grep -q 'delay 20ms'
ip netns add a; ip netns add b
ip link add eth0 netns a type veth peer name eth0 netns b
ip -n a addr add 10.16.0.1/24 dev eth0; ip -n a link set eth0 up
ip -n b addr add 10.16.0.2/24 dev eth0; ip -n b link set eth0 up
tc -n a qdisc add dev eth0 root netem delay 20ms loss 0.1%
