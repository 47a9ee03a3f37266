//! Routes.

use super::id::RouteKey;
use super::{Class, Drift, IfName, Impact, LinkId, Need, Node, Raw, ResourceId, Setting};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// A route.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Route {
    /// The node.
    pub node: Node,
    /// What distinguishes it from others.
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
    /// The further metrics of its path, by their numbers (`RTAX_*` of `include/uapi/linux/rtnetlink.h`). The language
    /// has none of them: a manual change sets them.
    #[serde(default)]
    pub metrics: BTreeMap<u16, u32>,
    /// The congestion control of its connections (`congctl`), which a manual change sets.
    #[serde(default)]
    pub congctl: Option<String>,
    /// The next-hop object that it goes by (`ip nexthop`), which says the next hops then. The language has none.
    #[serde(default)]
    pub nhid: Option<u32>,
    /// After how many seconds it goes by itself (IPv6), as it was when it was read.
    #[serde(default)]
    pub expires: Option<u32>,
    /// Its further parts by their numbers (`RTA_*` of `include/uapi/linux/rtnetlink.h`): the language has none of them.
    #[serde(default)]
    pub raw: Raw,
    /// Who put it there, where it is not marked: a number of `rt_protos`.
    #[serde(default = "boot")]
    pub protocol: u8,
    /// Whether a next hop of it is dead (its link lost the address or was down): it has to be written again.
    pub dead: bool,
    /// Whether it carries protocol 0x74.
    pub marked: bool,
}

/// `RT_SCOPE_HOST`.
const HOST: u8 = 254;

/// `RTPROT_BOOT`, as `ip route add` has it.
const BOOT: u8 = 3;

fn boot() -> u8 {
    BOOT
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
    /// Delivered here, sent as broadcast.
    Broadcast,
    /// Delivered here, and at others.
    Anycast,
    /// Sent as multicast.
    Multicast,
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
            Self::Broadcast => "broadcast",
            Self::Anycast => "anycast",
            Self::Multicast => "multicast",
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
    /// Its further parts by their numbers (`RTA_*`), such as an encapsulation: the language has none of them.
    #[serde(default)]
    pub raw: Raw,
}

impl NextHop {
    /// A next hop without more to say of it.
    pub fn new(via: Option<IpAddr>, dev: Option<IfName>) -> Self {
        Self { via, dev, weight: 1, onlink: false, raw: Raw::default() }
    }
}

/// `RTA_FLOW`.
const FLOW: u16 = 11;
/// `RTA_PREF`.
const PREF: u16 = 20;
/// `RTA_ENCAP_TYPE`.
const ENCAP_TYPE: u16 = 21;
/// `RTA_ENCAP`, which is said with its type.
const ENCAP: u16 = 22;
/// `LWTUNNEL_ENCAP_*` of `include/uapi/linux/lwtunnel.h` from 1 on.
const ENCAPS: [&str; 10] = ["mpls", "ip", "ila", "ip6", "seg6", "bpf", "seg6local", "rpl", "ioam6", "xfrm"];

impl Raw {
    /// The parts of a route or next hop as `ip route` calls them; of an encapsulation its type alone.
    pub fn route_words(&self) -> Vec<String> {
        let word = |(number, value): (&u16, &Vec<u8>)| match *number {
            ENCAP => None,
            ENCAP_TYPE => {
                let kind = self.bytes(ENCAP_TYPE).map(u16::from_ne_bytes)?;
                Some(format!(
                    "encap {}",
                    usize::from(kind).checked_sub(1).and_then(|at| ENCAPS.get(at)).copied().unwrap_or("unknown")
                ))
            }
            FLOW => self.u32(FLOW).map(super::raw::realms),
            PREF => Some(format!("pref {}", if value.first() == Some(&1) { "high" } else { "low" })),
            number => Some(format!("attribute {number} {}", super::raw::hex(value))),
        };
        self.0.iter().filter_map(word).collect()
    }

    /// Whether an encapsulation is among them, of which no words say all.
    pub fn has_encapsulation(&self) -> bool {
        self.0.contains_key(&ENCAP)
    }
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
        words.extend(self.raw.route_words());
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
    /// The number of the mask of the metrics that are locked, each by the bit of its number (`RTAX_LOCK`).
    pub const METRIC_LOCK: u16 = 1;
    /// The number of the metric that [`Route::mtu`] is (`RTAX_MTU`).
    pub const METRIC_MTU: u16 = 2;

    /// A unicast route of topo's with everything else at its default.
    pub fn bare(node: Node, key: RouteKey) -> Self {
        Self {
            node,
            key,
            kind: RouteKind::Unicast,
            nexthops: Vec::new(),
            source: None,
            scope: Setting::Left,
            mtu: None,
            metrics: BTreeMap::new(),
            congctl: None,
            nhid: None,
            expires: None,
            raw: Raw::default(),
            protocol: BOOT,
            dead: false,
            marked: true,
        }
    }

    /// What the language does not have of it, besides metrics and what belongs to a next hop.
    pub fn more_words(&self) -> String {
        let words =
            [self.congctl.as_ref().map(|name| format!("congctl {name}")), self.nhid.map(|id| format!("nhid {id}"))];
        words.into_iter().flatten().chain(self.raw.route_words()).collect::<Vec<_>>().join(" ")
    }

    /// Its further metrics by the names that `ip route` has for them, with the kernel's numbers.
    pub fn named_metrics(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let name = |number: u16| {
            usize::from(number).checked_sub(1).and_then(|at| METRICS.get(at)).copied().unwrap_or("metric")
        };
        self.metrics.iter().map(move |(number, value)| (name(*number), *value))
    }

    /// Its further metrics as `ip route` writes them.
    pub fn metric_words(&self) -> String {
        self.named_metrics().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(" ")
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
        let mut needs = vec![
            Need::inside(ResourceId::Namespace(self.node.clone())),
            Need::class(self.node.clone(), Class::Address),
        ];
        let mut devs = self.nexthops.iter().filter_map(|hop| hop.dev.as_ref());
        if let ([_], Some(dev)) = (self.nexthops.as_slice(), devs.clone().next()) {
            needs.push(Need::inside(ResourceId::Link(LinkId { node: self.node.clone(), name: dev.clone() })));
        } else {
            needs.extend(
                devs.by_ref()
                    .map(|dev| Need::uses(ResourceId::Link(LinkId { node: self.node.clone(), name: dev.clone() }))),
            );
        }
        needs
    }

    /// Whether it ends in the node itself (IPv4): nothing leaves by its link, so that the kernel takes it over one that
    /// is down, and keeps it when one goes down (`fib_create_info`, `fib_sync_down_dev`).
    pub fn ends_here(&self) -> bool {
        self.key.to.addr().is_ipv4() && (self.scope == Setting::Is(HOST) || self.kind == RouteKind::Local)
    }

    /// The fields in which `self` (wanted) differs from `observed`. A route is replaced in place (`NLM_F_REPLACE`).
    pub fn drift(&self, observed: &Self) -> Vec<Drift> {
        let Self {
            node: _,
            key,
            kind,
            nexthops,
            source,
            scope,
            mtu,
            metrics,
            congctl,
            nhid,
            expires,
            raw,
            protocol: _,
            dead: _,
            marked,
        } = self;
        let mut drift = Vec::new();
        if *kind != observed.kind {
            drift.push(Drift::in_place("type", observed.kind.word(), kind.word()));
        }
        let hops = |hops: &[NextHop]| hops.iter().map(NextHop::to_string).collect::<Vec<_>>().join(", ");
        // What a next-hop object says may change without the route.
        if (nhid.is_none() || *nhid != observed.nhid) && !same_hops(nexthops, &observed.nexthops) {
            drift.push(Drift::in_place("nexthop", hops(&observed.nexthops), hops(nexthops)));
        }
        if *source != observed.source {
            drift.push(Drift::optional("source", observed.source.as_ref(), source.as_ref(), Impact::InPlace));
        }
        // The scope is part of what an IPv4 route is found by when it is replaced (`fib_find_alias`), and IPv6 has
        // none.
        if key.to.addr().is_ipv4() {
            Drift::setting(&mut drift, "scope", scope, &observed.scope, Impact::Replace);
        }
        if *mtu != observed.mtu {
            drift.push(Drift::optional("mtu", observed.mtu.as_ref(), mtu.as_ref(), Impact::InPlace));
        }
        if *metrics != observed.metrics {
            drift.push(Drift::in_place("metrics", observed.metric_words(), self.metric_words()));
        }
        if (congctl, nhid, raw) != (&observed.congctl, &observed.nhid, &observed.raw) {
            drift.push(Drift::in_place("attributes", observed.more_words(), self.more_words()));
        }
        if expires.is_none() && observed.expires.is_some() {
            drift.push(Drift::in_place("lifetime", "limited", "forever"));
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
                let same = have.via == want.via
                    && have.weight == want.weight
                    && have.onlink == want.onlink
                    && have.raw == want.raw;
                same && (want.dev.is_none() || have.dev == want.dev)
            };
            rest.iter().position(fits).map(|at| rest.swap_remove(at)).is_some()
        })
}
