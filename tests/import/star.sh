# Five hosts around a bridge in a namespace of its own, made by a loop.
# Check: ip netns exec h1 ping -c 1 -W 2 10.9.0.5
# Check: ip netns exec h4 ping -c 1 -W 2 10.9.0.2
ip netns add sw
ip -n sw link add br0 type bridge
ip -n sw link set br0 up
for i in 1 2 3 4 5; do
  ip netns add h$i
  ip link add eth0 netns h$i type veth peer name p$i netns sw
  ip -n sw link set p$i master br0 up
  ip -n h$i addr add 10.9.0.$i/24 dev eth0
  ip -n h$i link set eth0 up
  ip -n h$i link set lo up
done
