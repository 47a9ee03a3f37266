//! IP tunnels.

use super::codec::{Codec, Form};

/// `IFLA_GRE_*` of `include/uapi/linux/if_tunnel.h`.
pub const GRE: &[Codec] = &[
    Codec("local", 6, Form::Ip(6)),
    Codec("remote", 7, Form::Ip(7)),
    Codec("key", 2, Form::GreKey),
    Codec("ttl", 8, Form::U8),
    Codec("tos", 9, Form::U8),
    Codec("pmtu-discovery", 10, Form::Bool),
];

/// The same over IPv6. An option that is left out is a flag (`IP6_TNL_F_IGN_ENCAP_LIMIT`).
pub const IP6GRE: &[Codec] = &[
    Codec("local", 6, Form::Ip(6)),
    Codec("remote", 7, Form::Ip(7)),
    Codec("key", 2, Form::GreKey),
    Codec("ttl", 8, Form::U8),
    Codec("encapsulation-limit", 11, Form::EncapLimit(13)),
];

/// `IFLA_IPTUN_*` of `include/uapi/linux/if_tunnel.h`.
pub const IPTUN: &[Codec] = &[
    Codec("local", 2, Form::Ip(2)),
    Codec("remote", 3, Form::Ip(3)),
    Codec("ttl", 4, Form::U8),
    Codec("tos", 5, Form::U8),
    Codec("pmtu-discovery", 10, Form::Bool),
];

/// The same over IPv6.
pub const IP6TNL: &[Codec] = &[
    Codec("local", 2, Form::Ip(2)),
    Codec("remote", 3, Form::Ip(3)),
    Codec("ttl", 4, Form::U8),
    Codec("encapsulation-limit", 6, Form::EncapLimit(8)),
];
