# Hardware addresses that are written, neighbours and forwarding entries that stay.
# Check: ip netns exec a ping -c 1 -W 2 10.5.0.2
# Check: ip -n a neigh show 10.5.0.2 | grep -q '02:00:00:00:00:0b PERMANENT'
# Check: bridge fdb show dev pb | grep -q '02:00:00:00:00:0b.*static'
ip netns add a; ip netns add b
ip link add br0 type bridge
ip link set br0 up
ip link add pa type veth peer name eth0 address 02:00:00:00:00:0a netns a
ip link add pb type veth peer name eth0 netns b
ip -n b link set eth0 address 02:00:00:00:00:0b
ip link set pa master br0 up
ip link set pb master br0 up
ip -n a addr add 10.5.0.1/24 dev eth0; ip -n a link set eth0 up
ip -n b addr add 10.5.0.2/24 dev eth0; ip -n b link set eth0 up
ip -n a neigh add 10.5.0.2 lladdr 02:00:00:00:00:0b dev eth0 nud permanent
bridge fdb replace 02:00:00:00:00:0b dev pb master static
bridge link set dev pa isolated on
bridge link set dev pa isolated off
bridge link set dev pa hairpin on
