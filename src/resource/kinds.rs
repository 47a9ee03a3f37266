//! What is known of each kind of link: its attributes, their defaults, and whether the kernel can change them in place.
//!
//! One table serves the language, the difference and the documentation; the kernel door has the numbers that go with the names.

use super::{Drift, Impact, Kind, Options, Value};

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
            Self::Word(value) => Some(Value::word(value)),
            Self::Unset => Some(Value::Unset),
            Self::Kernel => None,
        }
    }
}

const fn in_place(name: &'static str, default: Default) -> Attribute {
    Attribute { name, default, impact: Impact::InPlace }
}

const fn fixed(name: &'static str, default: Default) -> Attribute {
    Attribute { name, default, impact: Impact::Replace }
}

/// The attributes of a bridge (`ip link help bridge`; defaults from `br_dev_setup`, `br_multicast_init` in `net/bridge`).
pub const BRIDGE: &[Attribute] = &[
    in_place("stp", Default::Bool(false)),
    in_place("forward-delay", Default::Centis(1500)),
    in_place("hello-time", Default::Centis(200)),
    in_place("max-age", Default::Centis(2000)),
    in_place("ageing-time", Default::Centis(30000)),
    in_place("priority", Default::Number(0x8000)),
    in_place("group-forward-mask", Default::Number(0)),
    in_place("group-address", Default::Kernel),
    in_place("multicast-snooping", Default::Bool(true)),
    in_place("multicast-router", Default::Number(1)),
    in_place("multicast-query-use-ifaddr", Default::Bool(false)),
    in_place("multicast-querier", Default::Bool(false)),
    in_place("multicast-hash-max", Default::Number(4096)),
    in_place("multicast-last-member-count", Default::Number(2)),
    in_place("multicast-startup-query-count", Default::Number(2)),
    in_place("multicast-last-member-interval", Default::Centis(100)),
    in_place("multicast-membership-interval", Default::Centis(26000)),
    in_place("multicast-querier-interval", Default::Centis(25500)),
    in_place("multicast-query-interval", Default::Centis(12500)),
    in_place("multicast-query-response-interval", Default::Centis(1000)),
    in_place("multicast-startup-query-interval", Default::Centis(3125)),
    in_place("multicast-stats", Default::Bool(false)),
    in_place("multicast-igmp-version", Default::Number(2)),
    in_place("multicast-mld-version", Default::Number(1)),
    in_place("nf-call-iptables", Default::Bool(false)),
    in_place("nf-call-ip6tables", Default::Bool(false)),
    in_place("nf-call-arptables", Default::Bool(false)),
    in_place("no-linklocal-learn", Default::Bool(false)),
];

/// The attributes of a port of a bridge (`bridge link set`; defaults from `new_nbp` in `net/bridge/br_if.c`).
pub const PORT: &[Attribute] = &[
    // That of a veth end (10 Gbit/s, `port_cost` in `net/bridge/br_if.c`), which other kinds may not have.
    in_place("cost", Default::Number(2)),
    in_place("priority", Default::Number(32)),
    in_place("hairpin", Default::Bool(false)),
    in_place("guard", Default::Bool(false)),
    in_place("root-block", Default::Bool(false)),
    in_place("fast-leave", Default::Bool(false)),
    in_place("learning", Default::Bool(true)),
    in_place("flood", Default::Bool(true)),
    in_place("multicast-flood", Default::Bool(true)),
    in_place("broadcast-flood", Default::Bool(true)),
    in_place("multicast-to-unicast", Default::Bool(false)),
    in_place("multicast-router", Default::Number(1)),
    in_place("proxy-arp", Default::Bool(false)),
    in_place("proxy-arp-wifi", Default::Bool(false)),
    in_place("neighbor-suppress", Default::Bool(false)),
    in_place("isolated", Default::Bool(false)),
    in_place("locked", Default::Bool(false)),
];

/// The attributes of a vxlan (`ip link help vxlan`; `vxlan_changelink` in `drivers/net/vxlan/vxlan_core.c` says what can change in place).
pub const VXLAN: &[Attribute] = &[
    fixed("id", Default::Unset),
    in_place("local", Default::Unset),
    // `group` and `remote` are one attribute of the kernel; the language tells them apart, the kernel by the address.
    in_place("remote", Default::Unset),
    fixed("port", Default::Number(4789)),
    fixed("source-port-low", Default::Number(0)),
    fixed("source-port-high", Default::Number(0)),
    in_place("ttl", Default::Number(0)),
    in_place("tos", Default::Number(0)),
    in_place("df", Default::Word("unset")),
    in_place("learning", Default::Bool(true)),
    fixed("proxy", Default::Bool(false)),
    fixed("l2miss", Default::Bool(false)),
    fixed("l3miss", Default::Bool(false)),
    in_place("ageing", Default::Number(300)),
    fixed("limit", Default::Number(0)),
];

/// The attributes of a macvlan. `mode` changes in place, to and from `passthru` it does not (`macvlan_changelink`).
pub const MACVLAN: &[Attribute] = &[in_place("mode", Default::Word("vepa"))];

/// The attributes of `kind`.
pub fn of(kind: &Kind) -> &'static [Attribute] {
    match kind {
        Kind::Bridge => BRIDGE,
        Kind::Vxlan => VXLAN,
        Kind::Macvlan => MACVLAN,
        Kind::Loopback | Kind::Veth | Kind::Physical | Kind::Any | Kind::Other(_) => &[],
    }
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
    match kind {
        Kind::Vxlan => Impact::InPlace,
        _ => Impact::Replace,
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
