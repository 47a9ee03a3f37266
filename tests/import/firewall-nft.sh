# The same with nft: a set, a chain to jump to, a policy, a reject.
# Check: ip netns exec c ping -c 1 -W 2 10.8.0.1
# Check: serves s 22 c 10.8.0.1 22
# Check: ! serves s 81 c 10.8.0.1 81
for n in s c; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns s type veth peer name eth0 netns c
ip -n s addr add 10.8.0.1/24 dev eth0; ip -n s link set eth0 up
ip -n c addr add 10.8.0.2/24 dev eth0; ip -n c link set eth0 up
ip netns exec s nft -f - <<'NFT'
table inet filter {
  set friends { type ipv4_addr; flags interval; elements = { 10.8.0.2, 10.9.0.0/16 } }
  chain tcp_in {
    tcp dport { 22, 8000-8010 } accept
    ip saddr != 10.8.0.0/24 return
    tcp dport 443 counter accept comment "web"
  }
  chain input {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
    ct state invalid drop
    ip saddr @friends icmp type echo-request limit rate 10/second accept
    ip protocol tcp jump tcp_in
    log prefix "input: " reject with icmpx admin-prohibited
  }
}
NFT
