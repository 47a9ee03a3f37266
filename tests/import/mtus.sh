# Small and large packets, long queues, alternative names, an interface that is down.
# Check: ip netns exec a ping -c 1 -W 2 -M do -s 8972 10.6.0.2
# Check: ip -n a link show dev spare | grep -q 'state DOWN'
ip netns add a; ip netns add b
ip link add big netns a mtu 9000 type veth peer name big mtu 9000 netns b
ip link add spare netns a type veth peer name other netns b
ip -n a link set spare mtu 1400
ip -n a link set spare txqueuelen 77
ip -n a link property add dev big altname a-very-big-interface
ip -n a addr add 10.6.0.1/24 dev big; ip -n a link set big up
ip -n b addr add 10.6.0.2/24 dev big; ip -n b link set big up
ip -n a link add br9 type bridge stp_state 0 forward_delay 400 ageing_time 20000
ip -n a link set br9 up
