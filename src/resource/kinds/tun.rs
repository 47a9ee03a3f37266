//! Interfaces of programs.

use super::spec::{Attribute, Below, Default, Mtu, Spec, Traits, fixed};
use crate::resource::Kind;
use crate::resource::mtu::LARGEST_MTU;

const fn of_a_program(kind: Kind, word: &'static str, txqueuelen: u32, traits: Traits) -> Spec {
    Spec {
        kind,
        name: "tun",
        word,
        config: "CONFIG_TUN",
        attributes: ATTRIBUTES,
        mtu: Mtu::Is(1500),
        txqueuelen,
        below: Below::Nothing,
        traits,
    }
}

/// Owner and group would change in place, but only while no program has it open: a new one reports the program at
/// least.
const ATTRIBUTES: &[Attribute] =
    &[fixed("owner", Default::Unset), fixed("group", Default::Unset), fixed("multi-queue", Default::Bool(false))];

/// One with several queues has as many as fit.
const PROGRAM: Traits = Traits { by_program: true, any_queues: true, ..Traits::ETHERNET };

/// The MTU is less the header of Ethernet (`tun_net_init`).
const FRAMES: Traits = Traits { asks: true, largest_mtu: LARGEST_MTU - 14, ..PROGRAM };

/// IP packets, with `TUN_READQ_SIZE` of `include/linux/if_tun.h`.
pub const TUN: Spec =
    of_a_program(Kind::Tun, "tun", 500, Traits { frames: false, mac: None, point_to_point: true, ..PROGRAM });
/// Ethernet frames, with what `ether_setup` gives.
pub const TAP: Spec = of_a_program(Kind::Tap, "tap", 1000, FRAMES);
