//! All kinds of links, and questions about them.

use super::spec::{Attribute, Below, Mtu, Spec, Traits};
use super::{bond, bridge, geneve, linked, plain, tun, tunnel, vxlan, wireguard};
use crate::resource::kind::Kind;
use crate::resource::mtu::ETHERNET_MTU;
use crate::resource::{Drift, Impact, Options, Value, kinds};

/// Every kind of link that topo makes, the frequent ones first.
pub const ALL: &[&Spec] = &[
    &plain::VETH,
    &bridge::SPEC,
    &linked::VLAN,
    &vxlan::SPEC,
    &linked::MACVLAN,
    &linked::MACVTAP,
    &linked::IPVLAN,
    &plain::DUMMY,
    &plain::IFB,
    &plain::NLMON,
    &bond::SPEC,
    &plain::VRF,
    &tunnel::GRE,
    &tunnel::GRETAP,
    &tunnel::IP6GRE,
    &tunnel::IP6GRETAP,
    &tunnel::IPIP,
    &tunnel::SIT,
    &tunnel::IP6TNL,
    &geneve::SPEC,
    &tun::TUN,
    &tun::TAP,
    &wireguard::SPEC,
];

/// What is known of `kind`; `None` for one that topo does not make.
pub fn spec(kind: &Kind) -> Option<&'static Spec> {
    ALL.iter().find(|spec| spec.kind == *kind).copied()
}

/// What sets `kind` apart; of one that topo does not make, what can be taken for granted.
pub fn traits(kind: &Kind) -> Traits {
    match kind {
        Kind::Loopback => Traits { largest_mtu: u32::MAX, any_queues: true, ..Traits::CLOSED },
        known => spec(known).map_or(Traits { largest_mtu: u32::MAX, ..Traits::ETHERNET }, |spec| spec.traits),
    }
}

/// The MTU of a fresh link of `kind` that depends on nothing.
pub fn usual_mtu(kind: &Kind) -> u32 {
    match spec(kind).map(|spec| spec.mtu) {
        Some(Mtu::Is(mtu)) => mtu,
        None if *kind == Kind::Loopback => 65_536,
        _ => ETHERNET_MTU,
    }
}

/// The attributes of `kind`.
pub fn of(kind: &Kind) -> &'static [Attribute] {
    spec(kind).map_or(&[], |spec| spec.attributes)
}

/// Whether a link of this kind has the MTU of its ports, unless one is written once it is there
/// (`br_mtu_auto_adjust`).
pub fn mtu_of_ports(kind: &Kind) -> bool {
    spec(kind).is_some_and(|spec| spec.mtu == Mtu::Left)
}

/// Whether `link` goes when what it depends on goes.
pub fn dies_with_link(kind: &Kind) -> bool {
    !spec(kind).is_some_and(|spec| matches!(spec.below, Below::Stays(_)))
}

/// Whether a link of this kind that is put on one of kind `lower` is beside it, on what that is on
/// (`macvlan_common_newlink`, `ipvlan_link_new`).
pub fn beside(kind: &Kind, lower: &Kind) -> bool {
    let macvlan = |kind: &Kind| matches!(kind, Kind::Macvlan | Kind::Macvtap);
    macvlan(kind) && macvlan(lower) || *kind == Kind::Ipvlan && *lower == Kind::Ipvlan
}

/// Whether a link of this kind has no larger MTU than what it is on, and at creation the same (`macvlan_change_mtu`,
/// `vlan_dev_change_mtu`).
pub fn no_larger_than_below(kind: &Kind) -> bool {
    spec(kind).is_some_and(|spec| spec.mtu == Mtu::Below { v4: 0, v6: 0 })
}

/// Adds the defaults of `attributes` to `options` where they say nothing.
pub fn fill(attributes: &[Attribute], options: &mut Options) {
    for attribute in attributes {
        if let Some(value) = attribute.default.value() {
            options.entry(attribute.name.into()).or_insert(value);
        }
    }
}

/// What changing the lower device of `kind` takes.
pub fn link_impact(kind: &Kind) -> Impact {
    match spec(kind).map(|spec| spec.below) {
        Some(Below::Dies(impact) | Below::Stays(impact)) => impact,
        _ => Impact::Replace,
    }
}

/// What another hardware address takes; `None` where a link of this kind has none of its own.
pub fn mac_impact(kind: &Kind) -> Option<Impact> {
    traits(kind).mac
}

/// Whether two values are the same to a kernel: it counts durations in ticks of 1, 3.3, 4 or 10 ms and gives them back
/// rounded down to hundredths of a second (`clock_t_to_jiffies`, `jiffies_to_clock_t`), so that a hundredth may get
/// lost on the way.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Centis(a), Value::Centis(b)) => a.abs_diff(*b) <= 1,
        _ => a == b,
    }
}

/// The attributes that are managed in `wanted` and different in `observed`. One that the kernel did not report is not
/// compared.
pub fn drift(attributes: &[Attribute], wanted: &Options, observed: &Options, drift: &mut Vec<Drift>) {
    for attribute in attributes {
        let (Some(new), Some(old)) = (wanted.get(attribute.name), observed.get(attribute.name)) else { continue };
        if same(new, old) {
            continue;
        }
        let passthru = attribute.name == "mode" && [new, old].contains(&&Value::word("passthru"));
        // A tunnel keeps its family, which is IPv4 where no address says another (`vxlan_nl2conf`).
        let six = |value: &Value| matches!(value, Value::Ip(ip) if ip.is_ipv6());
        let impact = if passthru || six(new) != six(old) { Impact::Replace } else { attribute.impact };
        drift.push(Drift::new(attribute.name, old.to_string(), new.to_string(), impact));
    }
}

impl Kind {
    /// The kernel's name for it (`IFLA_INFO_KIND`), empty where it has none.
    pub fn name(&self) -> &str {
        match self {
            Self::Loopback => "loopback",
            Self::Physical | Self::Any => "",
            Self::Other(name) => name,
            known => kinds::spec(known).map_or("", |spec| spec.name),
        }
    }

    /// Whether links of it ask for hardware addresses and take part in multicast, unless another program says
    /// otherwise.
    pub fn asks(&self) -> bool {
        traits(self).asks
    }

    /// The language's name for it.
    pub fn word(&self) -> &str {
        kinds::spec(self).map_or_else(|| self.name(), |spec| spec.word)
    }

    /// The kind with the kernel's name `name`; of two with one name the first.
    pub fn of(name: &str) -> Self {
        match name {
            "" => Self::Physical,
            name => kinds::ALL
                .iter()
                .find(|spec| spec.name == name)
                .map_or_else(|| Self::Other(name.to_owned()), |spec| spec.kind.clone()),
        }
    }
}
