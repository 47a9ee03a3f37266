# What only nft's words can say: clamped segments, flags.
# Check: ip netns exec a ping -c 1 -W 2 10.13.1.2
for n in a r b; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns a type veth peer name ra netns r
ip link add eth0 netns b type veth peer name rb netns r
ip -n a addr add 10.13.0.2/24 dev eth0; ip -n a link set eth0 up
ip -n b addr add 10.13.1.2/24 dev eth0; ip -n b link set eth0 up
ip -n r addr add 10.13.0.1/24 dev ra; ip -n r link set ra up
ip -n r addr add 10.13.1.1/24 dev rb; ip -n r link set rb up
ip -n a route add default via 10.13.0.1; ip -n b route add default via 10.13.1.1
ip netns exec r sh -c '
  sysctl -qw net.ipv4.ip_forward=1
  iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
  nft add table inet f
  nft add chain inet f through "{ type filter hook forward priority 10; policy accept; }"
  nft add rule inet f through tcp flags \& \(fin\|syn\) == fin\|syn drop
  nft add rule inet f through meta l4proto { tcp, udp } th dport 53 counter accept
'
