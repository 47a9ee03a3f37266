//! What is known of each kind of link: its attributes, their defaults, and whether the kernel can change them in place.
//!
//! One table serves the language, the difference and the documentation; the kernel door has the numbers that go with the names.

use super::{Drift, Impact, Kind, Link, Options, Value};

mod bond;
mod bridge;
mod geneve;
mod linked;
mod plain;
mod tun;
mod tunnel;
mod vxlan;
mod wireguard;

pub use bridge::PORT;

/// An attribute of a kind.
#[derive(Debug)]
pub struct Attribute {
    /// Its name in the language.
    pub name: &'static str,
    /// What a fresh link has; [`Default::Kernel`] where that depends on the machine and is therefore never compared unless written.
    pub default: Default,
    /// What changing it takes.
    pub impact: Impact,
}

/// The value that a fresh link has.
#[derive(Debug, Clone, Copy)]
pub enum Default {
    /// On or off.
    Bool(bool),
    /// A number.
    Number(u64),
    /// A duration in hundredths of a second.
    Centis(u64),
    /// A duration in thousandths of a second.
    Millis(u64),
    /// A word.
    Word(&'static str),
    /// Not set.
    Unset,
    /// Whatever the kernel chooses.
    Kernel,
}

impl Default {
    /// The value, where it is the same everywhere.
    pub fn value(self) -> Option<Value> {
        match self {
            Self::Bool(value) => Some(Value::Bool(value)),
            Self::Number(value) => Some(Value::Number(value)),
            Self::Centis(value) => Some(Value::Centis(value)),
            Self::Millis(value) => Some(Value::Millis(value)),
            Self::Word(value) => Some(Value::word(value)),
            Self::Unset => Some(Value::Unset),
            Self::Kernel => None,
        }
    }
}

/// What is known of a kind of link that topo makes.
#[derive(Debug)]
pub struct Spec {
    /// Which.
    pub kind: Kind,
    /// The kernel's name for it (`IFLA_INFO_KIND`).
    pub name: &'static str,
    /// The language's name for it: the kernel has two for tunnels, by the family of their ends.
    pub word: &'static str,
    /// What the kernel has to be built with.
    pub config: &'static str,
    /// Its own attributes.
    pub attributes: &'static [Attribute],
    /// The MTU of a fresh one.
    pub mtu: Mtu,
    /// The length of the transmit queue of a fresh one, in packets.
    pub txqueuelen: u32,
    /// What it stands on.
    pub below: Below,
}

/// The MTU of a fresh link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mtu {
    /// Always this one.
    Is(u32),
    /// That of the link below, or of an Ethernet device where there is none, less what is put around a packet.
    Below {
        /// What is put around a packet over IPv4.
        v4: u32,
        /// What is put around a packet over IPv6.
        v6: u32,
    },
    /// Something else decides: a bridge has that of its ports.
    Left,
}

/// What a kind of link stands on (`link`), and what it takes to give it another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Below {
    /// On nothing.
    Nothing,
    /// It goes when the link below goes.
    Dies(Impact),
    /// It sends by the link below, and stays when that goes.
    Stays(Impact),
}

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

/// The attributes of `kind`.
pub fn of(kind: &Kind) -> &'static [Attribute] {
    spec(kind).map_or(&[], |spec| spec.attributes)
}

/// Whether `link` goes when what it stands on goes.
pub fn dies_with_link(kind: &Kind) -> bool {
    !spec(kind).is_some_and(|spec| matches!(spec.below, Below::Stays(_)))
}

/// Whether a link of this kind has no larger MTU than what it is on, and at birth the same (`macvlan_change_mtu`, `vlan_dev_change_mtu`).
pub fn no_larger_than_below(kind: &Kind) -> bool {
    spec(kind).is_some_and(|spec| spec.mtu == Mtu::Below { v4: 0, v6: 0 })
}

/// What is put around each packet that `link` sends, in bytes.
pub fn around(link: &Link) -> u32 {
    let six = ["local", "remote"].iter().any(|key| matches!(link.options.get(*key), Some(Value::Ip(ip)) if ip.is_ipv6()));
    let key = if matches!(link.options.get("key"), Some(Value::Number(_))) { tunnel::KEY } else { 0 };
    match spec(&link.kind).map(|spec| spec.mtu) {
        Some(Mtu::Below { v6, .. }) if six => v6 + key,
        Some(Mtu::Below { v4, .. }) => v4 + key,
        _ => 0,
    }
}

const fn in_place(name: &'static str, default: Default) -> Attribute {
    Attribute { name, default, impact: Impact::InPlace }
}

const fn flaps(name: &'static str, default: Default) -> Attribute {
    Attribute { name, default, impact: Impact::Flap }
}

const fn fixed(name: &'static str, default: Default) -> Attribute {
    Attribute { name, default, impact: Impact::Replace }
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
    match kind {
        // It takes one at birth alone (`ifb_netdev_ops` has no `ndo_set_mac_address`).
        Kind::Ifb => Some(Impact::Replace),
        Kind::Ipvlan | Kind::Gre | Kind::Ip6gre | Kind::Ipip | Kind::Sit | Kind::Ip6tnl | Kind::Tun => None,
        _ => Some(Impact::InPlace),
    }
}

/// Whether two values are the same to a kernel: it counts durations in ticks of 1, 3.3, 4 or 10 ms and gives them back rounded down to hundredths of a second
/// (`clock_t_to_jiffies`, `jiffies_to_clock_t`), so that a hundredth may get lost on the way.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Centis(a), Value::Centis(b)) => a.abs_diff(*b) <= 1,
        _ => a == b,
    }
}

/// The attributes that are managed in `wanted` and different in `observed`. One that the kernel did not report is not compared.
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
