# NAT as the nftables wiki has it.
# Check: ip netns exec in ping -c 1 -W 2 198.51.100.2
# Check: serves in 80 out 198.51.100.1 8080
for n in in gw out; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns in type veth peer name in0 netns gw
ip link add eth0 netns out type veth peer name out0 netns gw
ip -n in addr add 192.168.7.2/24 dev eth0; ip -n in link set eth0 up
ip -n gw addr add 192.168.7.1/24 dev in0; ip -n gw link set in0 up
ip -n gw addr add 198.51.100.1/24 dev out0; ip -n gw link set out0 up
ip -n out addr add 198.51.100.2/24 dev eth0; ip -n out link set eth0 up
ip -n in route add default via 192.168.7.1
ip netns exec gw sysctl -qw net.ipv4.ip_forward=1
ip netns exec gw nft add table nat
ip netns exec gw nft 'add chain nat postrouting { type nat hook postrouting priority 100 ; }'
ip netns exec gw nft 'add chain nat prerouting { type nat hook prerouting priority -100 ; }'
ip netns exec gw nft add rule nat postrouting ip saddr 192.168.7.0/24 oif out0 masquerade
ip netns exec gw nft add rule nat prerouting iif out0 tcp dport 8080 dnat to 192.168.7.2:80
