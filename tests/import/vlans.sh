# Needs of the kernel: vlan, bridge_vlan_filtering
# Subinterfaces on a trunk, and a bridge that filters.
# Check: ip netns exec r ping -c 1 -W 2 10.20.0.2
# Check: ip netns exec r ping -c 1 -W 2 10.30.0.2
for n in r x y; do ip netns add $n; ip -n $n link set lo up; done
ip link add sw type bridge vlan_filtering 1
ip link set sw up
ip link add trunk type veth peer name eth0 netns r
ip link add px type veth peer name eth0 netns x
ip link add py type veth peer name eth0 netns y
for p in trunk px py; do ip link set $p master sw up; done
bridge vlan del dev trunk vid 1
bridge vlan add dev trunk vid 20
bridge vlan add dev trunk vid 30
bridge vlan del dev px vid 1
bridge vlan add dev px vid 20 pvid untagged
bridge vlan del dev py vid 1
bridge vlan add dev py vid 30 pvid untagged
ip -n r link set eth0 up
ip -n r link add link eth0 name eth0.20 type vlan id 20
ip -n r link add link eth0 name eth0.30 type vlan id 30
ip -n r addr add 10.20.0.1/24 dev eth0.20; ip -n r link set eth0.20 up
ip -n r addr add 10.30.0.1/24 dev eth0.30; ip -n r link set eth0.30 up
ip -n x addr add 10.20.0.2/24 dev eth0; ip -n x link set eth0 up
ip -n y addr add 10.30.0.2/24 dev eth0; ip -n y link set eth0 up
