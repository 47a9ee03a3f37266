//! Bonds.

use super::codec::{Codec, Form};

/// `IFLA_BOND_*` of `include/uapi/linux/if_link.h`, and the words of `drivers/net/bonding/bond_options.c`.
pub const BOND: &[Codec] = &[
    Codec(
        "mode",
        1,
        Form::Word8(&[
            ("balance-rr", 0),
            ("active-backup", 1),
            ("balance-xor", 2),
            ("broadcast", 3),
            ("802.3ad", 4),
            ("balance-tlb", 5),
            ("balance-alb", 6),
        ]),
    ),
    Codec("miimon", 3, Form::Millis32),
    Codec("up-delay", 4, Form::Millis32),
    Codec("down-delay", 5, Form::Millis32),
    Codec("primary", 11, Form::Link),
    Codec("primary-reselect", 12, Form::Word8(&[("always", 0), ("better", 1), ("failure", 2)])),
    Codec("fail-over-mac", 13, Form::Word8(&[("none", 0), ("active", 1), ("follow", 2)])),
    Codec(
        "transmit-hash-policy",
        14,
        Form::Word8(&[
            ("layer2", 0),
            ("layer3+4", 1),
            ("layer2+3", 2),
            ("encap2+3", 3),
            ("encap3+4", 4),
            ("vlan+srcmac", 5),
        ]),
    ),
    Codec("min-links", 18, Form::U32),
    Codec("lacp-rate", 21, Form::Word8(&[("slow", 0), ("fast", 1)])),
    Codec("ad-select", 22, Form::Word8(&[("stable", 0), ("bandwidth", 1), ("count", 2)])),
];
