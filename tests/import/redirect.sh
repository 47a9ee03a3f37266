# A port that answers on another one, for others and for the node itself.
# Check: serves srv 8080 cli 10.4.0.1 80
# Check: serves srv 8080 srv 10.4.0.1 80
for n in srv cli; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns srv type veth peer name eth0 netns cli
ip -n srv addr add 10.4.0.1/24 dev eth0; ip -n srv link set eth0 up
ip -n cli addr add 10.4.0.2/24 dev eth0; ip -n cli link set eth0 up
ip netns exec srv iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080
ip netns exec srv iptables -t nat -A OUTPUT -d 10.4.0.1/32 -p tcp --dport 80 -j REDIRECT --to-ports 8080
