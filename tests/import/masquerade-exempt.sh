# A tunnel's traffic is not translated: a chain that returns.
# Check: ip netns exec in ping -c 1 -W 2 198.51.100.2
for n in in gw out; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns in type veth peer name in0 netns gw
ip link add eth0 netns out type veth peer name out0 netns gw
ip -n in addr add 192.168.7.2/24 dev eth0; ip -n in link set eth0 up
ip -n gw addr add 192.168.7.1/24 dev in0; ip -n gw link set in0 up
ip -n gw addr add 198.51.100.1/24 dev out0; ip -n gw link set out0 up
ip -n out addr add 198.51.100.2/24 dev eth0; ip -n out link set eth0 up
ip -n in route add default via 192.168.7.1
ip netns exec gw sh -c '
  echo 1 > /proc/sys/net/ipv4/ip_forward
  iptables -t nat -N SNATS
  iptables -t nat -A POSTROUTING -s 192.168.7.0/24 -j SNATS
  iptables -t nat -A SNATS -d 10.0.0.0/8 -j RETURN
  iptables -t nat -A SNATS -o out0 -j SNAT --to-source 198.51.100.1
'
