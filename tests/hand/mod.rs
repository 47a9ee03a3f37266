//! Edits by hand, with `ip`, `nft` and `sysctl`, in the namespaces of a topology on the real kernel.

use crate::generator::Dice;
use crate::sandbox::{sh, try_sh};

/// What a hand may do, for a namespace (`$n`) and one of its links (`$l`).
const MESSES: [&str; 24] = [
    "ip -n $n link delete dev $l",
    "ip -n $n link set dev $l down",
    "ip -n $n link set dev $l mtu 1290",
    "ip -n $n link set dev $l nomaster",
    "ip -n $n address flush dev $l scope global",
    "ip -n $n address add 10.250.1.1/16 dev $l",
    "ip -n $n link add extra0 type bridge; ip -n $n link set extra0 up",
    "ip -n $n route flush proto static; ip -n $n route flush proto 116",
    "ip -n $n rule add priority 77 table 99",
    "ip netns exec $n nft flush ruleset",
    "ip netns exec $n sysctl -qw net.ipv4.ip_forward=1",
    "ip netns exec $n sh -c 'echo 1 >/proc/sys/net/ipv6/conf/'$l/disable_ipv6",
    "ip netns exec $n sh -c 'for one in 4 6; do echo 1 >/proc/sys/net/ipv$one/conf/'$l'/forwarding; done'",
    "ip -n $n -o address show dev $l scope global | while read -r _ _ _ address _; do ip -n $n address change \"$address\" dev $l valid_lft 300 preferred_lft 200; done",
    "ip netns delete $n",
    "ip -n $n link set dev $l txqueuelen 5",
    "ip -n $n route flush dev $l; ip -n $n -6 route flush dev $l",
    "ip -n $n route flush table local; ip -n $n -6 route flush table local",
    "ip -n $n -6 address flush dev $l scope link",
    "ip -n $n address delete 127.0.0.1/8 dev lo; ip -n $n -6 address delete ::1/128 dev lo",
    "ip -n $n route add 172.31.0.0/16 dev $l tos 0x10; ip -n $n route append 172.31.0.0/16 dev $l realm 5; ip -n $n route append 172.31.0.0/16 dev $l mtu 1300",
    "ip -n $n rule add priority 78 not from 10.0.0.0/8 suppress_prefixlength 0 table 99 protocol 116; ip -n $n rule add priority 79 goto 32766",
    "ip -n $n nexthop add id 9 dev $l; ip -n $n route add 172.30.0.0/16 nhid 9",
    "ip -n $n rule delete priority 0; ip -n $n link set dev $l name renamed0",
];

/// Whether a namespace has something of somebody else, which no apply would put back after a mess.
fn is_shared(space: &str) -> bool {
    space == "guest"
        || ["take0", "eth9"].iter().any(|link| try_sh(&format!("ip -n '{space}' link show dev {link}")).code == 0)
}

/// Up to four edits; answers with what was done.
pub fn mess(dice: &mut Dice<'_>) -> Vec<String> {
    let mut done = Vec::new();
    for _ in 0..dice.below(5) {
        // The namespace of somebody else is no place for a mess: nothing would put it back.
        let spaces: Vec<String> =
            sh("ls /run/netns").split_whitespace().filter(|name| !is_shared(name)).map(str::to_owned).collect();
        if spaces.is_empty() {
            break;
        }
        let space = &spaces[dice.below(spaces.len())];
        let links =
            try_sh(&format!("ip -n '{space}' -br link | awk '{{print $1}}' | sed 's/@.*//' | grep -v '^lo$'")).stdout;
        let links: Vec<&str> = links.split_whitespace().collect();
        let link = if links.is_empty() { "none0" } else { links[dice.below(links.len())] };
        let edit =
            MESSES[dice.below(MESSES.len())].replace("$n", &format!("'{space}'")).replace("$l", &format!("'{link}'"));
        // What a hand cannot do here, it does not.
        _ = try_sh(&edit);
        done.push(edit);
    }
    done
}
