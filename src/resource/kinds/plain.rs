//! Kinds with few attributes or none.

use super::spec::{Attribute, Below, Default, Mtu, Spec, Traits, fixed};
use crate::resource::mtu::IPV6_LEAST_MTU;
use crate::resource::{Impact, Kind};

const fn plain(
    kind: Kind,
    name: &'static str,
    config: &'static str,
    attributes: &'static [Attribute],
    mtu: u32,
    txqueuelen: u32,
    traits: Traits,
) -> Spec {
    Spec { kind, name, word: name, config, attributes, mtu: Mtu::Is(mtu), txqueuelen, below: Below::Nothing, traits }
}

/// Any MTU (`dummy_setup`, `ifb_setup`), but below 68 there is no IPv4 (`inetdev_valid_mtu`).
const UNLIMITED: Traits = Traits { largest_mtu: u32::MAX, ..Traits::CLOSED };

/// (`vrf_setup`: `IPV6_MIN_MTU` and `IP6_MAX_MTU`)
const ROUTING: Traits = Traits { least_mtu: IPV6_LEAST_MTU, largest_mtu: 65_575, holds_ports: true, ..Traits::CLOSED };

/// One end of a veth pair.
pub const VETH: Spec =
    plain(Kind::Veth, "veth", "CONFIG_VETH", &[], 1500, 1000, Traits { asks: true, ..Traits::CLOSED });

/// A dummy.
pub const DUMMY: Spec = plain(Kind::Dummy, "dummy", "CONFIG_DUMMY", &[], 1500, 1000, UNLIMITED);

/// An ifb, with `TX_Q_LIMIT` of `drivers/net/ifb.c`. It takes a hardware address at creation alone (`ifb_netdev_ops`
/// has no `ndo_set_mac_address`).
pub const IFB: Spec =
    plain(Kind::Ifb, "ifb", "CONFIG_IFB", &[], 1500, 32, Traits { mac: Some(Impact::Replace), ..UNLIMITED });

/// A VRF. It takes all that IPv6 can send (`vrf_setup`: `IP6_MAX_MTU`); there is no `changelink`, so another table
/// needs another VRF.
pub const VRF: Spec =
    plain(Kind::Vrf, "vrf", "CONFIG_NET_VRF", &[fixed("table", Default::Unset)], 65575, 1000, ROUTING);

/// A monitor of netlink: what it shows are messages, so that it has no hardware address (`nlmon_validate`). Its MTU is
/// that of a message in one page (`NLMSG_GOODSIZE`), which is 3776 where pages have 4 KiB; it takes any other, too.
pub const NLMON: Spec =
    plain(Kind::Nlmon, "nlmon", "CONFIG_NLMON", &[], 3776, 1000, Traits { frames: false, mac: None, ..UNLIMITED });
