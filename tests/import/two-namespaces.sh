# Two namespaces and a cable between them.
# Check: ip netns exec RED ping -c 1 -W 2 10.0.0.2
ip netns add RED
ip netns add BLUE
ip link add veth0 type veth peer name veth1
ip link set veth0 netns RED
ip link set veth1 netns BLUE
ip netns exec RED ip addr add 10.0.0.1/24 dev veth0
ip netns exec BLUE ip addr add 10.0.0.2/24 dev veth1
ip netns exec RED ip link set veth0 up
ip netns exec BLUE ip link set veth1 up
