//! Interfaces of programs.

use super::spec::{Attribute, Below, Default, Mtu, Spec, fixed};
use crate::resource::Kind;

const fn of_a_program(kind: Kind, word: &'static str, txqueuelen: u32) -> Spec {
    Spec {
        kind,
        name: "tun",
        word,
        config: "CONFIG_TUN",
        attributes: ATTRIBUTES,
        mtu: Mtu::Is(1500),
        txqueuelen,
        below: Below::Nothing,
    }
}

/// Owner and group would change in place, but only while no program has it open: a new one tells the program at least.
const ATTRIBUTES: &[Attribute] =
    &[fixed("owner", Default::Unset), fixed("group", Default::Unset), fixed("multi-queue", Default::Bool(false))];

/// IP packets, with `TUN_READQ_SIZE` of `include/linux/if_tun.h`.
pub const TUN: Spec = of_a_program(Kind::Tun, "tun", 500);
/// Ethernet frames, with what `ether_setup` gives.
pub const TAP: Spec = of_a_program(Kind::Tap, "tap", 1000);
