//! Kinds that are a further interface on another one.

use super::spec::{Attribute, Below, Default, Mtu, Spec, Traits, fixed, in_place};
use crate::resource::{Impact, Kind};

const fn on(
    kind: Kind,
    name: &'static str,
    config: &'static str,
    attributes: &'static [Attribute],
    txqueuelen: u32,
    traits: Traits,
) -> Spec {
    let mtu = Mtu::Below { v4: 0, v6: 0 };
    Spec { kind, name, word: name, config, attributes, mtu, txqueuelen, below: Below::Dies(Impact::Replace), traits }
}

/// A VLAN (`vlan_changelink` in `net/8021q/vlan_netlink.c` takes flags and maps alone).
pub const VLAN: Spec = on(
    Kind::Vlan,
    "vlan",
    "CONFIG_VLAN_8021Q",
    &[
        fixed("id", Default::Unset),
        fixed("protocol", Default::Word("802.1q")),
        in_place("reorder-header", Default::Bool(true)),
        in_place("gvrp", Default::Bool(false)),
        in_place("mvrp", Default::Bool(false)),
        in_place("loose-binding", Default::Bool(false)),
        in_place("bridge-binding", Default::Bool(false)),
    ],
    1000,
    Traits::CLOSED,
);

/// `mode` changes in place, to and from `passthru` it does not (`macvlan_changelink`).
const MODE: &[Attribute] = &[in_place("mode", Default::Word("vepa"))];

/// With a hardware address of its own.
const OF_ITS_OWN: Traits = Traits { asks: true, takes_over: true, ..Traits::ETHERNET };

/// A macvlan.
pub const MACVLAN: Spec =
    on(Kind::Macvlan, "macvlan", "CONFIG_MACVLAN", MODE, 1000, Traits { closed: true, ..OF_ITS_OWN });

/// A macvtap, with `TUN_READQ_SIZE` of `include/linux/if_tun.h`.
pub const MACVTAP: Spec = on(Kind::Macvtap, "macvtap", "CONFIG_MACVTAP", MODE, 500, OF_ITS_OWN);

/// An ipvlan. All on one interface have one mode and one flag: who changes one changes them all
/// (`ipvlan_set_port_mode`).
pub const IPVLAN: Spec = on(
    Kind::Ipvlan,
    "ipvlan",
    "CONFIG_IPVLAN",
    &[in_place("mode", Default::Word("l3")), in_place("flag", Default::Word("bridge"))],
    1000,
    Traits { takes_over: true, mac: None, ..Traits::CLOSED },
);
