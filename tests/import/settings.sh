# Settings of namespaces and of interfaces.
# Check: ip netns exec a ping -c 1 -W 2 10.2.0.2
# Check: test "$(ip netns exec a sysctl -n net.ipv4.conf.eth0.arp_ignore)" = 1
# Check: test "$(ip netns exec a sysctl -n net.ipv4.tcp_keepalive_time)" = 60
# Check: test "$(ip netns exec b cat /proc/sys/net/ipv6/conf/eth0.7/accept_ra)" = 0
ip netns add a; ip netns add b
ip link add eth0 netns a type veth peer name eth0.7 netns b
ip -n a addr add 10.2.0.1/24 dev eth0; ip -n a link set eth0 up
ip -n b addr add 10.2.0.2/24 dev eth0.7; ip -n b link set eth0.7 up
ip netns exec a sysctl -qw net.ipv4.conf.eth0.arp_ignore=1 net.ipv4.tcp_keepalive_time=60
ip netns exec a sysctl -qw net.ipv4.ip_local_port_range="20000 30000"
ip netns exec a sysctl -qw net.ipv4.conf.eth0.rp_filter=2
ip netns exec b sh -c 'echo 0 > /proc/sys/net/ipv6/conf/eth0.7/accept_ra'
ip netns exec b sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv4.icmp_echo_ignore_broadcasts=0
