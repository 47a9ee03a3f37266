# What a firewall marks goes by another table.
# Check: ip netns exec h ping -c 1 -W 2 10.99.0.1
# Check: ip netns exec h ping -c 1 -W 2 -m 5 10.98.0.1
for n in h g1 g2; do ip netns add $n; ip -n $n link set lo up; done
ip link add outa netns h type veth peer name eth0 netns g1
ip link add outb netns h type veth peer name eth0 netns g2
ip -n h addr add 10.11.0.2/24 dev outa; ip -n h link set outa up
ip -n h addr add 10.12.0.2/24 dev outb; ip -n h link set outb up
for g in 1 2; do ip -n g$g addr add 10.1$g.0.1/24 dev eth0; ip -n g$g link set eth0 up; done
ip -n g1 addr add 10.99.0.1/32 dev lo
ip -n g2 addr add 10.98.0.1/32 dev lo
ip -n g2 addr add 10.99.0.1/32 dev lo
ip -n g2 route add 10.11.0.0/24 via 10.12.0.2
ip -n h route add default via 10.11.0.1
ip -n h route add default via 10.12.0.1 table 7
ip -n h rule add fwmark 5 table 7 priority 50
ip netns exec h iptables -t mangle -A OUTPUT -d 10.99.0.1 -j MARK --set-mark 5
ip netns exec h iptables -t mangle -A PREROUTING -i outa -j MARK --set-xmark 0x20/0xff
ip netns exec h sysctl -qw net.ipv4.conf.all.rp_filter=0
