//! Bonds.

use super::spec::{Attribute, Below, Default, Mtu, Spec, Traits, fixed, flaps, in_place};
use crate::resource::Kind;

/// A bond.
pub const SPEC: Spec = Spec {
    kind: Kind::Bond,
    name: "bond",
    word: "bond",
    config: "CONFIG_BONDING",
    attributes: ATTRIBUTES,
    mtu: Mtu::Is(1500),
    txqueuelen: 1000,
    below: Below::Nothing,
    // It has 16 queues (`BOND_DEFAULT_TX_QUEUES`).
    traits: Traits { asks: true, holds_ports: true, mac_of_ports: true, any_queues: true, ..Traits::CLOSED },
};

/// The attributes of a bond (`ip link help bond`; `bond_opts` in `drivers/net/bonding/bond_options.c` says which want
/// it down or without ports).
const ATTRIBUTES: &[Attribute] = &[
    // Only without ports: those would have to be taken out and put in again, which costs as much as a new bond.
    fixed("mode", Default::Word("balance-rr")),
    // 100ms in the modes that cannot do without (`bond_option_mode_set`), which lowering fills in.
    in_place("miimon", Default::Millis(0)),
    in_place("up-delay", Default::Millis(0)),
    in_place("down-delay", Default::Millis(0)),
    in_place("primary", Default::Unset),
    in_place("primary-reselect", Default::Word("always")),
    fixed("fail-over-mac", Default::Word("none")),
    flaps("lacp-rate", Default::Word("slow")),
    flaps("ad-select", Default::Word("stable")),
    in_place("transmit-hash-policy", Default::Word("layer2")),
    in_place("min-links", Default::Number(0)),
];
