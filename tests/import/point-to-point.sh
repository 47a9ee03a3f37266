# Links without subnets: peers, /31, a gateway that no subnet has.
# Check: ip netns exec a ping -c 1 -W 2 10.255.0.2
# Check: ip netns exec a ping -c 1 -W 2 192.0.2.1
# Check: ip netns exec b ping -c 1 -W 2 10.254.0.1
for n in a b; do ip netns add $n; ip -n $n link set lo up; done
ip link add p netns a type veth peer name p netns b
ip link add q netns a type veth peer name q netns b
for n in a b; do ip -n $n link set p up; ip -n $n link set q up; done
ip -n a addr add 10.255.0.1 peer 10.255.0.2 dev p
ip -n b addr add 10.255.0.2 peer 10.255.0.1 dev p
ip -n a addr add 10.254.0.0/31 dev q
ip -n a addr add 10.254.0.1/32 dev lo
ip -n b addr add 10.254.0.1/31 dev q
ip -n b addr add 192.0.2.1/32 dev lo
ip -n a route add 192.0.2.0/24 via 172.16.0.9 dev p onlink
ip -n a route del 192.0.2.0/24
ip -n a route add 192.0.2.1/32 dev p src 10.255.0.1
ip -n a addr add 10.254.7.7/24 dev q label q:1
