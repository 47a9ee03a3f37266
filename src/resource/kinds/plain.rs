//! Kinds with few attributes or none.

use super::spec::{Attribute, Below, Default, Mtu, Spec, fixed};
use crate::resource::Kind;

const fn plain(
    kind: Kind,
    name: &'static str,
    config: &'static str,
    attributes: &'static [Attribute],
    mtu: u32,
    txqueuelen: u32,
) -> Spec {
    Spec { kind, name, word: name, config, attributes, mtu: Mtu::Is(mtu), txqueuelen, below: Below::Nothing }
}

/// One end of a veth pair.
pub const VETH: Spec = plain(Kind::Veth, "veth", "CONFIG_VETH", &[], 1500, 1000);

/// A dummy.
pub const DUMMY: Spec = plain(Kind::Dummy, "dummy", "CONFIG_DUMMY", &[], 1500, 1000);

/// An ifb, with `TX_Q_LIMIT` of `drivers/net/ifb.c`.
pub const IFB: Spec = plain(Kind::Ifb, "ifb", "CONFIG_IFB", &[], 1500, 32);

/// A VRF. It takes all that IPv6 can send (`vrf_setup`: `IP6_MAX_MTU`); there is no `changelink`, so another table
/// needs another VRF.
pub const VRF: Spec = plain(Kind::Vrf, "vrf", "CONFIG_NET_VRF", &[fixed("table", Default::Unset)], 65575, 1000);
