//! WireGuard tunnels.

use super::spec::{Attribute, Below, Default, Mtu, Spec, Traits, fixed, in_place};
use crate::resource::Kind;

/// `wg set`. Its peers are resources of their own.
const WIREGUARD: &[Attribute] = &[
    in_place("public-key", Default::Kernel),
    in_place("listen-port", Default::Kernel),
    in_place("fwmark", Default::Number(0)),
    // The namespace in which its packets leave is the one that it is created in (`wg_newlink`).
    fixed("transport", Default::Kernel),
];

/// A WireGuard tunnel. Its MTU is that of Ethernet, less what it puts around a packet (`wg_setup`).
pub const SPEC: Spec = Spec {
    kind: Kind::Wireguard,
    name: "wireguard",
    word: "wireguard",
    config: "CONFIG_WIREGUARD",
    attributes: WIREGUARD,
    mtu: Mtu::Is(1420),
    txqueuelen: 1000,
    below: Below::Nothing,
    traits: Traits { frames: false, has_keys: true, ..Traits::ETHERNET },
};
