//! Routes.

use super::id::RouteKey;
use super::{Class, Drift, IfName, Impact, LinkId, Need, Node, ResourceId, Setting};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// A route.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Route {
    /// The node.
    pub node: Node,
    /// What tells it from others.
    pub key: RouteKey,
    /// Its type.
    pub kind: RouteKind,
    /// The next hops; empty for types that have none.
    pub nexthops: Vec<NextHop>,
    /// The preferred source address.
    pub source: Option<IpAddr>,
    /// Its scope as a number of `rt_scope` (IPv4 only): 0 with a gateway, 253 (link) without, 254 (host) for `local`.
    pub scope: Setting<u8>,
    /// The MTU of its path in bytes.
    pub mtu: Option<u32>,
    /// The further metrics of its path, by their numbers (`RTAX_*` of `include/uapi/linux/rtnetlink.h`). The language has none of them: a hand sets them.
    #[serde(default)]
    pub metrics: BTreeMap<u16, u32>,
    /// Whether a next hop of it is dead (its link lost the address or was down): it has to be written again.
    pub dead: bool,
    /// Whether it carries protocol 0x74.
    pub marked: bool,
}

/// The type of a route (`ip route add TYPE`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum RouteKind {
    /// Forwarded to a next hop.
    Unicast,
    /// Delivered here.
    Local,
    /// Dropped silently.
    Blackhole,
    /// Dropped, ICMP host unreachable.
    Unreachable,
    /// Dropped, ICMP administratively prohibited.
    Prohibit,
    /// Ends the look-up in this table.
    Throw,
}

impl RouteKind {
    /// The word of `ip route`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unicast => "unicast",
            Self::Local => "local",
            Self::Blackhole => "blackhole",
            Self::Unreachable => "unreachable",
            Self::Prohibit => "prohibit",
            Self::Throw => "throw",
        }
    }
}

/// A next hop.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct NextHop {
    /// The gateway, of either family.
    pub via: Option<IpAddr>,
    /// The interface. `None` in a wanted state where the kernel is to find it from `via`.
    pub dev: Option<IfName>,
    /// Its share among several, 1 to 256.
    pub weight: u16,
    /// Whether the gateway is taken to be on the link although no subnet says so.
    pub onlink: bool,
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if let Some(via) = self.via {
            words.push(format!("via {via}"));
        }
        if let Some(dev) = &self.dev {
            words.push(format!("dev {dev}"));
        }
        if self.weight != 1 {
            words.push(format!("weight {}", self.weight));
        }
        if self.onlink {
            words.push("onlink".to_owned());
        }
        f.write_str(&words.join(" "))
    }
}

/// A number of `rt_scope` as `ip` writes it.
pub fn scope_word(scope: u8) -> String {
    match scope {
        0 => "global".to_owned(),
        200 => "site".to_owned(),
        253 => "link".to_owned(),
        254 => "host".to_owned(),
        255 => "nowhere".to_owned(),
        other => other.to_string(),
    }
}

/// `RTAX_*` from 1 on, as `ip route` calls them.
const METRICS: [&str; 17] = [
    "lock",
    "mtu",
    "window",
    "rtt",
    "rttvar",
    "ssthresh",
    "cwnd",
    "advmss",
    "reordering",
    "hoplimit",
    "initcwnd",
    "features",
    "rto_min",
    "initrwnd",
    "quickack",
    "congctl",
    "fastopen_no_cookie",
];

impl Route {
    /// Its further metrics as `ip route` calls them, with the kernel's numbers.
    pub fn metric_words(&self) -> String {
        let name = |number: u16| usize::from(number).checked_sub(1).and_then(|at| METRICS.get(at)).copied().unwrap_or("metric");
        self.metrics.iter().map(|(number, value)| format!("{} {value}", name(*number))).collect::<Vec<_>>().join(" ")
    }

    /// The scope of an IPv4 route, where `ip` would not choose it by itself.
    pub fn unusual_scope(&self) -> Option<u8> {
        let scope = *self.scope.get().filter(|_| self.key.to.addr().is_ipv4())?;
        let gateway = self.nexthops.iter().any(|hop| hop.via.is_some());
        let usual = match self.kind {
            RouteKind::Local => 254,
            RouteKind::Unicast if !gateway => 253,
            _ => 0,
        };
        (scope != usual).then_some(scope)
    }

    /// Its identity.
    pub fn id(&self) -> ResourceId {
        ResourceId::Route(self.node.clone(), self.key.clone())
    }

    /// The links of its next hops, and all addresses of its node.
    pub fn requires(&self) -> Vec<Need> {
        let mut needs = vec![Need::inside(ResourceId::Namespace(self.node.clone())), Need::class(self.node.clone(), Class::Address)];
        let mut devs = self.nexthops.iter().filter_map(|hop| hop.dev.as_ref());
        if let ([_], Some(dev)) = (self.nexthops.as_slice(), devs.clone().next()) {
            needs.push(Need::inside(ResourceId::Link(LinkId { node: self.node.clone(), name: dev.clone() })));
        } else {
            needs.extend(devs.by_ref().map(|dev| Need::uses(ResourceId::Link(LinkId { node: self.node.clone(), name: dev.clone() }))));
        }
        needs
    }

    /// The fields in which `self` (wanted) differs from `observed`. A route is replaced in place (`NLM_F_REPLACE`).
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self { node: _, key, kind, nexthops, source, scope, mtu, metrics, dead: _, marked } = self;
        let mut drift = Vec::new();
        if *kind != observed.kind {
            drift.push(Drift::in_place("type", observed.kind.word(), kind.word()));
        }
        let hops = |hops: &[NextHop]| hops.iter().map(NextHop::to_string).collect::<Vec<_>>().join(", ");
        if !same_hops(nexthops, &observed.nexthops) {
            drift.push(Drift::in_place("nexthop", hops(&observed.nexthops), hops(nexthops)));
        }
        if *source != observed.source {
            drift.push(Drift::optional("source", observed.source.as_ref(), source.as_ref(), Impact::InPlace));
        }
        // The scope is part of what an IPv4 route is found by when it is replaced (`fib_find_alias`), and IPv6 has none.
        if key.to.addr().is_ipv4() {
            Drift::setting(&mut drift, "scope", scope, &observed.scope, Impact::Replace);
        }
        if *mtu != observed.mtu {
            drift.push(Drift::optional("mtu", observed.mtu.as_ref(), mtu.as_ref(), Impact::InPlace));
        }
        if *metrics != observed.metrics {
            drift.push(Drift::in_place("metrics", observed.metric_words(), self.metric_words()));
        }
        if observed.dead {
            drift.push(Drift::in_place("state", "dead", "alive"));
        }
        if *marked && !observed.marked {
            drift.push(Drift::in_place("mark", "none", "topo"));
        }
        drift
    }
}

/// Whether the hops are the same, in any order, where a missing `dev` fits any.
fn same_hops(wanted: &[NextHop], observed: &[NextHop]) -> bool {
    let mut rest: Vec<&NextHop> = observed.iter().collect();
    wanted.len() == observed.len()
        && wanted.iter().all(|want| {
            let fits = |have: &&NextHop| {
                have.via == want.via && have.weight == want.weight && have.onlink == want.onlink && (want.dev.is_none() || have.dev == want.dev)
            };
            rest.iter().position(fits).map(|at| rest.swap_remove(at)).is_some()
        })
}
