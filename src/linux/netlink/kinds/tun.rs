//! Interfaces of programs: read like any other, made by way of a device file (`crate::linux::object::link::tun`).

use super::codec::{Codec, Form};

/// `IFLA_TUN_*` of `include/uapi/linux/if_link.h`.
pub const TUN: &[Codec] =
    &[Codec("owner", 1, Form::Id), Codec("group", 2, Form::Id), Codec("multi-queue", 7, Form::Bool)];

/// `IFLA_TUN_TYPE`.
pub const TYPE: u16 = 3;
/// `IFF_TAP` of `include/uapi/linux/if_tun.h`, as the kernel reports it.
pub const TAP: u8 = 2;
