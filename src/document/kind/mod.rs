//! Kinds of interfaces, one file each.

mod bond;
mod bridge;
mod existing;
mod linked;
mod tunnel;
mod veth;
mod vxlan;
mod wireguard;

pub use bond::{Bond, BondMode, HashPolicy, LacpRate};
pub use bridge::Bridge;
pub use existing::{ExistingLink, NoOptions, Queue, Tun};
pub use linked::{Ipvlan, IpvlanFlag, IpvlanMode, Macvlan, MacvlanMode, Vlan, VlanProtocol, Vrf};
pub use tunnel::{Geneve, Tunnel};
pub use veth::Veth;
pub use vxlan::{DontFragment, FdbEntry, Vxlan};
pub use wireguard::{Endpoint, KeyFile, Peer, PublicKey, Wireguard};
