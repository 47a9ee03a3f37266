//! Kernel settings of a namespace.

use super::{Class, Drift, LinkId, Need, Node, ResourceId};
use serde::{Deserialize, Serialize};
use std::net::Ipv6Addr;

/// How the key of the secret of stable addresses ends.
const STABLE_SECRET: &str = "/stable_secret";

/// A number in hex as the kernel prints it; any other word as it is.
fn decimal(word: &str) -> String {
    let number =
        word.strip_prefix("0x").or(word.strip_prefix("0X")).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    number.map_or_else(|| word.to_owned(), |number| number.to_string())
}

/// A setting under `/proc/sys/net` of a namespace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sysctl {
    /// The node.
    pub node: Node,
    /// Its path below `/proc/sys`, with `/` between the parts (`net/ipv4/ip_forward`).
    pub key: String,
    /// Its value; blanks folded to one space, none at the ends.
    pub value: String,
}

impl Sysctl {
    /// The key of the switch for forwarding IPv4.
    pub const FORWARDING_V4: &str = "net/ipv4/ip_forward";
    /// The key of the switch for forwarding IPv6.
    pub const FORWARDING_V6: &str = "net/ipv6/conf/all/forwarding";
    /// The switches for forwarding, which are always managed in a namespace that topo makes.
    pub const FORWARDING: [&str; 2] = [Self::FORWARDING_V4, Self::FORWARDING_V6];

    /// Whether it is one of the switches for forwarding.
    pub fn forwards(&self) -> bool {
        Self::FORWARDING.contains(&self.key.as_str())
    }

    /// The setting `key` (with `/`) of `node`, `value` as the kernel prints it: its blanks folded, numbers in decimal
    /// (the documentation of the kernel has bit masks in hex), the secret of stable addresses as an address.
    pub fn new(node: Node, key: impl Into<String>, value: &str) -> Self {
        let key = key.into();
        let value = match value.trim().parse::<Ipv6Addr>() {
            Ok(secret) if key.ends_with(STABLE_SECRET) => secret.to_string(),
            _ => value.split_whitespace().map(decimal).collect::<Vec<_>>().join(" "),
        };
        Self { node, key, value }
    }

    /// Whether it is the secret from which an interface makes its addresses (RFC 7217). It cannot be read until it is
    /// set, and then not be unset: an empty value stands for one that is not set.
    pub fn is_stable_secret(key: &str) -> bool {
        key.ends_with(STABLE_SECRET)
    }

    /// Whether it is there only once connections are tracked in the namespace (`nf_conntrack_standalone_init_sysctl`),
    /// which a table with NAT or states sees to.
    pub fn comes_with_tracking(&self) -> bool {
        self.key.starts_with("net/netfilter/nf_conntrack")
    }

    /// The setting that has to be written before this one although it has another meaning: no interface makes addresses
    /// from a secret that it does not have, and being given one it begins to (`addrconf_sysctl_stable_secret`).
    pub fn waits_for(&self) -> Option<String> {
        let rest = self.key.strip_suffix("/addr_gen_mode")?;
        Some(format!("{rest}{STABLE_SECRET}"))
    }

    /// The interface that it belongs to (`net/ipv4/conf/eth0/…`, `net/ipv6/neigh/eth0/…`), with which it goes.
    pub fn link(&self) -> Option<LinkId> {
        let mut parts = self.key.split('/');
        let of_link = parts.next() == Some("net")
            && matches!(parts.next(), Some("ipv4" | "ipv6" | "mpls"))
            && matches!(parts.next(), Some("conf" | "neigh"));
        let name = parts.next().filter(|name| of_link && !matches!(*name, "all" | "default"))?;
        Some(LinkId { node: self.node.clone(), name: name.into() })
    }

    /// The key of the setting that switches IPv6 off on an interface, or on `all` or by `default`.
    pub fn disable_ipv6(of: &str) -> String {
        format!("net/ipv6/conf/{of}/disable_ipv6")
    }

    /// The interface on which it switches IPv6 off, which costs it all IPv6 addresses and routes (`addrconf_ifdown`).
    pub fn ends_ipv6(&self) -> Option<LinkId> {
        let off = self.key.starts_with("net/ipv6/conf/") && self.key.ends_with("/disable_ipv6") && self.value != "0";
        self.link().filter(|_| off)
    }

    /// The setting whose writing writes this one too: `ip_forward` those of all interfaces and `accept_redirects`
    /// (`inet_forward_change`), `forwarding` of all IPv6 interfaces theirs (`addrconf_fixup_forwarding`), likewise
    /// `disable_ipv6` (`addrconf_disable_ipv6`), an IPv4 default that of every interface which has none of its own
    /// (`devinet_copy_dflt_conf`).
    pub fn written_with(&self) -> Option<ResourceId> {
        let parts: Vec<&str> = self.key.split('/').collect();
        let main = match parts.as_slice() {
            ["net", "ipv4", "conf", "all", "forwarding"] => return None,
            ["net", "ipv4", "conf", _, "forwarding"] | ["net", "ipv4", "conf", "all", "accept_redirects"] => {
                Self::FORWARDING_V4.to_owned()
            }
            ["net", "ipv6", "conf", "all", _] => return None,
            ["net", "ipv6", "conf", _, "disable_ipv6"] => "net/ipv6/conf/all/disable_ipv6".to_owned(),
            ["net", "ipv6", "conf", _, "forwarding"] => Self::FORWARDING_V6.to_owned(),
            ["net", "ipv4", "conf", "all" | "default", _] => return None,
            ["net", "ipv4", "conf", _, name] => format!("net/ipv4/conf/default/{name}"),
            _ => return None,
        };
        Some(ResourceId::Sysctl(self.node.clone(), main))
    }

    /// The value that the setting `other` has when this one, which writes it too, is written. Who forwards takes no
    /// redirects (`inet_forward_change`).
    pub fn gives(&self, other: &str) -> String {
        match (other, self.value.as_str()) {
            ("net/ipv4/conf/all/accept_redirects", "0") => "1".to_owned(),
            ("net/ipv4/conf/all/accept_redirects", _) => "0".to_owned(),
            _ => self.value.clone(),
        }
    }

    /// Whether writing `switch`, one of those for forwarding, gives this one the value that it has: then it comes and
    /// goes with that.
    pub fn follows(&self, switch: &Self) -> bool {
        switch.forwards() && self.value == switch.gives(&self.key)
    }

    /// The settings that writing this one writes too, for these interfaces.
    pub fn writes_too<'a>(key: &str, links: impl Iterator<Item = &'a str>) -> Vec<String> {
        let parts: Vec<&str> = key.split('/').collect();
        let (family, name, mut keys) = match parts.as_slice() {
            ["net", "ipv4", "ip_forward"] => (
                "ipv4",
                "forwarding",
                vec!["net/ipv4/conf/all/accept_redirects".to_owned(), "net/ipv4/conf/default/forwarding".to_owned()],
            ),
            ["net", "ipv6", "conf", "all", name @ ("forwarding" | "disable_ipv6")] => {
                ("ipv6", *name, vec![format!("net/ipv6/conf/default/{name}")])
            }
            ["net", "ipv4", "conf", "default", name] => ("ipv4", *name, Vec::new()),
            _ => return Vec::new(),
        };
        keys.extend(links.map(|link| format!("net/{family}/conf/{link}/{name}")));
        keys
    }

    /// The settings of these interfaces that begin with the value of this one, where it is a default.
    pub fn inherited<'a>(key: &str, links: impl Iterator<Item = &'a str>) -> Vec<String> {
        let parts: Vec<&str> = key.split('/').collect();
        match parts.as_slice() {
            ["net", family @ ("ipv4" | "ipv6"), "conf", "default", name] => {
                links.map(|link| format!("net/{family}/conf/{link}/{name}")).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Its identity.
    pub fn id(&self) -> ResourceId {
        ResourceId::Sysctl(self.node.clone(), self.key.clone())
    }

    /// Its class: those of an interface come after the links, the others before them.
    pub fn class(&self) -> Class {
        if self.link().is_some() { Class::LinkSysctl } else { Class::Sysctl }
    }

    /// The namespace, and the interface where it belongs to one.
    pub fn requires(&self) -> Vec<Need> {
        let mut needs = vec![Need::inside(ResourceId::Namespace(self.node.clone()))];
        needs.extend(self.link().map(|link| Need::inside(ResourceId::Link(link))));
        needs
    }

    /// The fields in which `self` (wanted) differs from `observed`. Lists of ports (`ip_local_reserved_ports`) compare
    /// as sets.
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self { node: _, key, value } = self;
        let same = *value == observed.value || (key.ends_with("_ports") && ports(value) == ports(&observed.value));
        if same { Vec::new() } else { vec![Drift::in_place("value", &observed.value, value)] }
    }
}

/// A list of ports and ranges, sorted, with neighbours merged.
fn ports(text: &str) -> Vec<(u32, u32)> {
    let range = |part: &str| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        Some((low.trim().parse().ok()?, high.trim().parse().ok()?))
    };
    let mut ranges: Vec<(u32, u32)> = text.split([',', ' ']).filter_map(range).collect();
    ranges.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::new();
    for (low, high) in ranges {
        match merged.last_mut() {
            Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
            _ => merged.push((low, high)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_the_kernel_prints_them() {
        let value = |key: &str, value: &str| Sysctl::new(Node::host(), key, value).value;
        assert_eq!(value("net/ipv4/fib_multipath_hash_fields", "0x0037"), "55");
        assert_eq!(value("net/ipv4/tcp_rmem", " 0x10\t 2  3 "), "16 2 3");
        assert_eq!(value("net/ipv4/tcp_congestion_control", "0xcubic"), "0xcubic");
        assert_eq!(
            value("net/ipv6/conf/e0/stable_secret", "2001:0db8:0001:0002:0003:0004:0005:0006"),
            "2001:db8:1:2:3:4:5:6"
        );
    }
}
