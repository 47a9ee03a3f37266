# Needs of the kernel: vrf, bond, macvlan, gre, dummy
# A VRF, a bond, a macvlan and a tunnel.
# Check: ip netns exec a ping -c 1 -W 3 10.17.0.2
# Check: ip netns exec a ping -c 1 -W 3 -I red 10.18.0.2
# Check: ip netns exec a ping -c 1 -W 3 172.21.0.2
for n in a b; do ip netns add $n; ip -n $n link set lo up; done
for i in 1 2; do ip link add s$i netns a type veth peer name s$i netns b; done
ip link add v netns a type veth peer name v netns b
for n in a b; do
  ip -n $n link add bond0 type bond mode active-backup miimon 100
  for i in 1 2; do ip -n $n link set s$i down; ip -n $n link set s$i master bond0; ip -n $n link set s$i up; done
  ip -n $n link set bond0 up
done
ip -n a addr add 10.17.0.1/24 dev bond0
ip -n b addr add 10.17.0.2/24 dev bond0
ip -n a link add red type vrf table 100
ip -n a link set red up
ip -n a link set v master red
ip -n a addr add 10.18.0.1/24 dev v; ip -n a link set v up
ip -n b link set v up
ip -n b link add link v name mv0 type macvlan mode bridge
ip -n b addr add 10.18.0.2/24 dev mv0; ip -n b link set mv0 up
ip -n a link add d0 type dummy
ip -n a addr add 10.200.0.1/32 dev d0; ip -n a link set d0 up
ip -n a link add tun0 type gre local 10.17.0.1 remote 10.17.0.2 ttl 64
ip -n b link add tun0 type gre local 10.17.0.2 remote 10.17.0.1 ttl 64
ip -n a addr add 172.21.0.1/30 dev tun0; ip -n a link set tun0 up
ip -n b addr add 172.21.0.2/30 dev tun0; ip -n b link set tun0 up
