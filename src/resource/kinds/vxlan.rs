//! VXLAN tunnel ends.

use super::spec::{Attribute, Below, Default, Mtu, Spec, Traits, fixed, in_place};
use crate::resource::{Impact, Kind};

/// A vxlan. Without a link below it has the whole MTU of an Ethernet device (`vxlan_config_apply`), which lowering
/// gives it.
pub const SPEC: Spec = Spec {
    kind: Kind::Vxlan,
    name: "vxlan",
    word: "vxlan",
    config: "CONFIG_VXLAN",
    attributes: ATTRIBUTES,
    mtu: Mtu::Below { v4: 50, v6: 70 },
    txqueuelen: 1000,
    below: Below::Dies(Impact::InPlace),
    traits: Traits { asks: true, ..Traits::ETHERNET },
};

/// The attributes of a vxlan (`ip link help vxlan`; `vxlan_changelink` in `drivers/net/vxlan/vxlan_core.c` says what
/// can change in place).
pub const ATTRIBUTES: &[Attribute] = &[
    fixed("id", Default::Unset),
    in_place("local", Default::Unset),
    // `group` and `remote` are one attribute of the kernel; the language distinguishes them, the kernel by the address.
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
