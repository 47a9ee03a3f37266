//! What links have that is one of a kind: the kernel refuses it to a second one as long as the first has it.

use super::mark::hash;
use super::{IfName, Kind, Link, LinkId, Mac, Node, Setting, Value};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Something that one link alone can have.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Claim {
    /// A name in a node: names and alternative names are one set (`netdev_name_node_add`).
    Name(Node, String),
    /// The hardware address of a macvlan that is up, on what it is on (`macvlan_addr_busy`).
    Mac(LinkId, Mac),
    /// The ends and the key of a tunnel of a kind, in the node that it was created in (`ip_tunnel_find`,
    /// `ip6gre_tunnel_find`, `ip6_tnl_locate`).
    Ends(Node, String),
    /// The UDP port of a WireGuard interface that is up, in the node that its packets leave from (`wg_socket_init`).
    Port(Node, u64),
}

impl Claim {
    /// What `link` has; not its own name, which it has for as long as it is there.
    pub fn of(link: &Link) -> Vec<Self> {
        let names = link.alternative_names.get().into_iter().flatten();
        let mut claims: Vec<Self> = names.map(|name| Self::Name(link.id.node.clone(), name.clone())).collect();
        let up = link.up == Setting::Is(true);
        match link.kind {
            Kind::Macvlan | Kind::Macvtap if up && link.options.get("mode") != Some(&Value::word("passthru")) => {
                claims.extend(link.link.iter().zip(link.mac.get()).map(|(lower, mac)| Self::Mac(lower.clone(), *mac)));
            }
            Kind::Wireguard if up => {
                if let Some(Value::Number(port @ 1..)) = link.options.get("listen-port") {
                    claims.push(Self::Port(link.transport(), *port));
                }
            }
            Kind::Gre | Kind::Gretap | Kind::Ip6gre | Kind::Ip6gretap | Kind::Ipip | Kind::Sit | Kind::Ip6tnl => {
                claims.push(ends(link))
            }
            _ => {}
        }
        claims
    }

    /// What `link` has once it is as `wanted` says, where that says something.
    pub fn after(wanted: &Link, link: Option<&Link>) -> Vec<Self> {
        let mut after = link.unwrap_or(wanted).clone();
        // One that goes down gets its new address while it still is up (`do_setlink`).
        after.up = if after.up == Setting::Is(true) { after.up } else { wanted.up.over(&after.up) };
        after.mac = wanted.mac.over(&after.mac);
        after.alternative_names = wanted.alternative_names.over(&after.alternative_names);
        after.link = wanted.link.clone().or(after.link);
        after.options.extend(wanted.options.clone());
        Self::of(&after)
    }

    /// The name of a link, as one that it takes when it is made.
    pub fn name_of(link: &LinkId) -> Self {
        Self::Name(link.node.clone(), link.name.to_string())
    }

    /// The link that has this name, if it is a name.
    pub fn named(&self) -> Option<LinkId> {
        match self {
            Self::Name(node, name) => Some(LinkId { node: node.clone(), name: IfName::from(name.as_str()) }),
            _ => None,
        }
    }

    /// `link` with what it is to have in the end in the place of this; of a name it has one less.
    #[must_use]
    pub fn handed_on(&self, link: &Link, goal: &Link) -> Link {
        let mut after = link.clone();
        match self {
            Self::Name(..) => self.give_up_name(&mut after),
            Self::Mac(..) => after.mac = goal.mac.over(&link.mac),
            Self::Ends(..) => after.take_options(goal, &["local", "remote", "key"]),
            Self::Port(..) => after.take_options(goal, &["listen-port"]),
        }
        after
    }

    /// `link` with a passing value in the place of this, which nothing else has.
    #[must_use]
    pub fn passed(&self, link: &Link) -> Link {
        let mut after = link.clone();
        let id = link.id.to_string();
        match self {
            Self::Name(..) => self.give_up_name(&mut after),
            Self::Mac(..) => after.mac = Setting::Is(Mac::high(format!("passing {id}").as_bytes())),
            // Addresses that are no topology's: reserved for the future, and for discarding (RFC 1112, section 4; RFC
            // 6666).
            Self::Ends(..) => {
                let number = hash(id.as_bytes());
                let six = matches!(link.options.get("local"), Some(Value::Ip(ip)) if ip.is_ipv6());
                let [_, rest @ ..] = number.to_be_bytes();
                let [high, low] = [number >> 16, number & 0xffff].map(|half| u16::try_from(half).unwrap_or(1));
                let far = if six {
                    IpAddr::V6(Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, high, low))
                } else {
                    let [a, b, c] = rest;
                    IpAddr::V4(Ipv4Addr::new(240, a, b, c))
                };
                after.options.insert("remote".into(), Value::Ip(far));
            }
            // The kernel chooses one that is free.
            Self::Port(..) => _ = after.options.insert("listen-port".into(), Value::Number(0)),
        }
        after
    }

    fn give_up_name(&self, link: &mut Link) {
        if let (Self::Name(_, name), Setting::Is(names)) = (self, &mut link.alternative_names) {
            names.remove(name);
        }
    }
}

impl Link {
    /// Takes from `goal` those of its options that it has.
    fn take_options(&mut self, goal: &Self, names: &[&str]) {
        let taken = names.iter().filter_map(|name| goal.options.get_key_value(*name));
        self.options.extend(taken.map(|(name, value)| (name.clone(), value.clone())));
    }
}

/// The ends of a tunnel, with what it sends by.
fn ends(link: &Link) -> Claim {
    let born = link.link.as_ref().map_or(&link.id.node, |lower| &lower.node);
    let by = link.link.as_ref().map_or(String::new(), |lower| lower.name.to_string());
    let ends = ["local", "remote", "key"].map(|name| link.options.get(name).map_or(String::new(), Value::to_string));
    Claim::Ends(born.clone(), format!("{} {} {by}", link.kind.name(), ends.join(" ")))
}
