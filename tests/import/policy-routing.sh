# Two ways out, chosen by the source.
# Check: ip netns exec h ping -c 1 -W 2 -I 10.11.0.2 10.99.0.1
# Check: ip netns exec h ping -c 1 -W 2 -I 10.12.0.2 10.99.0.1
# Check: ip -n h route get 10.99.0.1 from 10.12.0.2 | grep -q 'dev outb'
for n in h g1 g2; do ip netns add $n; ip -n $n link set lo up; done
ip link add outa netns h type veth peer name eth0 netns g1
ip link add outb netns h type veth peer name eth0 netns g2
ip -n h addr add 10.11.0.2/24 dev outa; ip -n h link set outa up
ip -n h addr add 10.12.0.2/24 dev outb; ip -n h link set outb up
for g in 1 2; do ip -n g$g addr add 10.1$g.0.1/24 dev eth0; ip -n g$g link set eth0 up; ip -n g$g addr add 10.99.0.1/32 dev lo; done
ip -n h route add default via 10.11.0.1
ip -n h route add default via 10.12.0.1 dev outb table 100
ip -n h rule add from 10.12.0.0/24 lookup 100 pref 1000
ip -n h rule add fwmark 0x7 prohibit pref 1001
ip -n h route add blackhole 10.66.0.0/16
ip -n h route add unreachable 10.67.0.0/16 metric 77
