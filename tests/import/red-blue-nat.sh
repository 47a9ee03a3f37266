# A bridge on the host, two namespaces behind it, masqueraded.
# Check: ip netns exec RED ping -c 1 -W 2 11.11.11.3
# Check: ip netns exec BLUE ping -c 1 -W 2 11.11.11.1
# Check: ip netns exec WORLD ping -c 1 -W 2 203.0.113.1
# Check: ip netns exec RED ping -c 1 -W 2 203.0.113.2
# Check: serves RED 80 WORLD 203.0.113.1 8080
ip netns add RED
ip netns add BLUE
ip netns add WORLD
ip link add br0 type bridge
ip addr add 11.11.11.1/24 dev br0
ip link set br0 up
ip link add reth0 type veth peer name reth1
ip link add beth0 type veth peer name beth1
ip link set reth0 netns RED
ip link set beth0 netns BLUE
ip link set reth1 master br0
ip link set beth1 master br0
ip link set reth1 up
ip link set beth1 up
ip netns exec RED ip link set lo up
ip netns exec RED ip addr add 11.11.11.2/24 dev reth0
ip netns exec RED ip link set reth0 up
ip netns exec BLUE ip link set lo up
ip netns exec BLUE ip addr add 11.11.11.3/24 dev beth0
ip netns exec BLUE ip link set beth0 up
ip netns exec RED ip route add default via 11.11.11.1
ip netns exec BLUE ip route add default via 11.11.11.1
ip link add wan type veth peer name eth0 netns WORLD
ip addr add 203.0.113.1/24 dev wan
ip link set wan up
ip -n WORLD addr add 203.0.113.2/24 dev eth0
ip -n WORLD link set eth0 up
echo 1 > /proc/sys/net/ipv4/ip_forward
iptables -t nat -A POSTROUTING -s 11.11.11.0/24 ! -o br0 -j MASQUERADE
iptables -t nat -A PREROUTING ! -i br0 -p tcp --dport 8080 -j DNAT --to-destination 11.11.11.2:80
