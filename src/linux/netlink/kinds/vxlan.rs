//! VXLAN and GENEVE tunnel ends.

use super::codec::{Codec, Form};

/// Whether what a tunnel sends may be fragmented (`enum ifla_vxlan_df`, `enum ifla_geneve_df`).
const DF: &[(&str, u32)] = &[("unset", 0), ("set", 1), ("inherit", 2)];

/// `IFLA_VXLAN_*` of `include/uapi/linux/if_link.h`. A multicast group is the remote end.
pub const VXLAN: &[Codec] = &[
    Codec("id", 1, Form::U32),
    Codec("remote", 2, Form::Ip(16)),
    Codec("local", 4, Form::Ip(17)),
    Codec("ttl", 5, Form::OrInherit(28)),
    Codec("tos", 6, Form::U8),
    Codec("learning", 7, Form::Bool),
    Codec("ageing", 8, Form::U32),
    Codec("limit", 9, Form::U32),
    Codec("source-port-low", 10, Form::RangeBe16(0)),
    Codec("source-port-high", 10, Form::RangeBe16(2)),
    Codec("proxy", 11, Form::Bool),
    Codec("l2miss", 13, Form::Bool),
    Codec("l3miss", 14, Form::Bool),
    Codec("port", 15, Form::Be16),
    Codec("df", 29, Form::Word8(DF)),
];

/// `IFLA_GENEVE_*` of `include/uapi/linux/if_link.h`.
pub const GENEVE: &[Codec] = &[
    Codec("id", 1, Form::U32),
    Codec("remote", 2, Form::Ip(7)),
    Codec("ttl", 3, Form::U8),
    Codec("tos", 4, Form::U8),
    Codec("port", 5, Form::Be16),
    Codec("df", 13, Form::Word8(DF)),
];
