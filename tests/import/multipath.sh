# Two next hops with weights.
# Check: ip netns exec h ping -c 1 -W 2 10.99.0.1
for n in h g1 g2; do ip netns add $n; ip -n $n link set lo up; done
ip link add outa netns h type veth peer name eth0 netns g1
ip link add outb netns h type veth peer name eth0 netns g2
ip -n h addr add 10.11.0.2/24 dev outa; ip -n h link set outa up
ip -n h addr add 10.12.0.2/24 dev outb; ip -n h link set outb up
for g in 1 2; do ip -n g$g addr add 10.1$g.0.1/24 dev eth0; ip -n g$g link set eth0 up; ip -n g$g addr add 10.99.0.1/32 dev lo; done
for g in 1 2; do ip -n g$g route add 10.0.0.0/8 via 10.1$g.0.2; done
ip -n h route add 10.99.0.0/24 nexthop via 10.11.0.1 dev outa weight 1 nexthop via 10.12.0.1 dev outb weight 3
