//! Kinds that are a further interface on another one, and VRFs.

use super::codec::{Codec, Form};

/// `IFLA_VLAN_*`, and `enum vlan_flags` of `include/uapi/linux/if_vlan.h`.
pub const VLAN: &[Codec] = &[
    Codec("id", 1, Form::U16),
    Codec("reorder-header", 2, Form::Flag(0)),
    Codec("gvrp", 2, Form::Flag(1)),
    Codec("loose-binding", 2, Form::Flag(2)),
    Codec("mvrp", 2, Form::Flag(3)),
    Codec("bridge-binding", 2, Form::Flag(4)),
    // `ETH_P_8021Q`, `ETH_P_8021AD`.
    Codec("protocol", 5, Form::WordBe16(&[("802.1q", 0x8100), ("802.1ad", 0x88a8)])),
];

/// `IFLA_MACVLAN_*`, and `enum macvlan_mode`.
pub const MACVLAN: &[Codec] =
    &[Codec("mode", 1, Form::Word32(&[("private", 1), ("vepa", 2), ("bridge", 4), ("passthru", 8), ("source", 16)]))];

/// `IFLA_IPVLAN_*`, `enum ipvlan_mode`, and `IPVLAN_F_PRIVATE`, `IPVLAN_F_VEPA`.
pub const IPVLAN: &[Codec] = &[
    Codec("mode", 1, Form::Word16(&[("l2", 0), ("l3", 1), ("l3s", 2)])),
    Codec("flag", 2, Form::Word16(&[("bridge", 0), ("private", 1), ("vepa", 2)])),
];

/// `IFLA_VRF_TABLE`.
pub const VRF: &[Codec] = &[Codec("table", 1, Form::U32)];
