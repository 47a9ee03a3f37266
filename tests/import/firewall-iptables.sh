# A gateway that lets one network out, and ssh in, with a chain of its own.
# Check: ip netns exec LAN ping -c 1 -W 2 192.0.2.2
# Check: ! ip netns exec NET ping -c 1 -W 1 10.7.0.2
# Check: serves LAN 22 NET 10.7.0.2 22
# Check: ! serves LAN 80 NET 10.7.0.2 80
for n in LAN GW NET; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns LAN type veth peer name lan netns GW
ip link add eth0 netns NET type veth peer name net netns GW
ip -n LAN addr add 10.7.0.2/24 dev eth0; ip -n LAN link set eth0 up
ip -n NET addr add 192.0.2.2/24 dev eth0; ip -n NET link set eth0 up
ip -n GW addr add 10.7.0.1/24 dev lan; ip -n GW link set lan up
ip -n GW addr add 192.0.2.1/24 dev net; ip -n GW link set net up
ip -n LAN route add default via 10.7.0.1
ip -n NET route add 10.7.0.0/24 via 192.0.2.1
ip netns exec GW sh -c '
  echo 1 > /proc/sys/net/ipv4/ip_forward
  iptables -P FORWARD DROP
  iptables -N IN
  iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  iptables -A FORWARD -i lan -o net -s 10.7.0.0/24 -j ACCEPT
  iptables -A FORWARD -i net -o lan -j IN
  iptables -A IN -p tcp -m tcp --dport 22 -m comment --comment "ssh; \"yes\"" -j ACCEPT
  iptables -A IN -s 203.0.113.0/24 -j RETURN
  iptables -A IN -p tcp -m multiport --dports 8000:8010,9000 -j ACCEPT
  iptables -A INPUT -i net -p icmp --icmp-type echo-request -m limit --limit 5/sec -j ACCEPT
'
