# hosts and resolv.conf of namespaces.
# Check: ip netns exec a ping -c 1 -W 2 server
# Check: ip netns exec a grep -q 'nameserver 10.3.0.53' /etc/resolv.conf
mkdir -p /etc/netns/a
printf '127.0.0.1 localhost\n10.3.0.2 server server.lab  # the other one\n10.3.0.3 third\n' > /etc/netns/a/hosts
printf 'nameserver 10.3.0.53\nsearch lab example.com\noptions ndots:2\n' > /etc/netns/a/resolv.conf
ip netns add a; ip netns add b
ip link add eth0 netns a type veth peer name eth0 netns b
ip -n a addr add 10.3.0.1/24 dev eth0; ip -n a link set eth0 up
ip -n b addr add 10.3.0.2/24 dev eth0; ip -n b link set eth0 up
