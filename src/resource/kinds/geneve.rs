//! GENEVE tunnel ends.

use super::spec::{Attribute, Below, Default, Mtu, Spec, Traits, fixed, in_place};
use crate::resource::Kind;

/// A geneve tunnel. The kernel's MTU depends on the route to the other end at creation (`geneve_link_config`), so topo
/// always writes the one of an Ethernet below.
pub const SPEC: Spec = Spec {
    kind: Kind::Geneve,
    name: "geneve",
    word: "geneve",
    config: "CONFIG_GENEVE",
    attributes: ATTRIBUTES,
    mtu: Mtu::Below { v4: 50, v6: 70 },
    txqueuelen: 1000,
    below: Below::Nothing,
    traits: Traits { less_around: true, distinct: &["id", "remote", "port"], ..Traits::ETHERNET },
};

/// The attributes of a geneve tunnel (`geneve_nl2info` in `drivers/net/geneve.c` says what can change in place).
const ATTRIBUTES: &[Attribute] = &[
    fixed("id", Default::Unset),
    in_place("remote", Default::Unset),
    fixed("port", Default::Number(6081)),
    in_place("ttl", Default::Number(0)),
    in_place("tos", Default::Number(0)),
    in_place("df", Default::Word("unset")),
];
