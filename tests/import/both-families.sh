# The same rules with iptables and ip6tables, and one for IPv4 alone.
# Check: ip netns exec c ping -c 1 -W 2 10.8.0.1
# Check: ip netns exec c ping -6 -c 1 -W 2 fd08::1
# Check: serves s 22 c 10.8.0.1 22
# Check: ! serves s 80 c 10.8.0.1 80
for n in s c; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns s type veth peer name eth0 netns c
ip -n s addr add 10.8.0.1/24 dev eth0; ip -n s addr add fd08::1/64 dev eth0 nodad; ip -n s link set eth0 up
ip -n c addr add 10.8.0.2/24 dev eth0; ip -n c addr add fd08::2/64 dev eth0 nodad; ip -n c link set eth0 up
ip netns exec s sh -c '
  for t in iptables ip6tables; do
    $t -A INPUT -i lo -j ACCEPT
    $t -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    $t -A INPUT -p tcp --dport 22 -j ACCEPT
  done
  iptables -A INPUT -p icmp -j ACCEPT
  ip6tables -A INPUT -p ipv6-icmp -j ACCEPT
  iptables -A INPUT -p udp --dport 53 -j ACCEPT
  iptables -P INPUT DROP
  ip6tables -P INPUT DROP
'
