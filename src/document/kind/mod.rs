//! Kinds of interfaces, one file each.

mod bond;
mod bridge;
mod existing;
mod linked;
mod tunnel;
mod veth;
mod vxlan;
mod wireguard;

pub use bond::{AdSelect, Bond, BondMode, FailOverMac, HashPolicy, LacpRate, PrimaryReselect};
pub use bridge::Bridge;
pub use existing::{ExistingLink, NoOptions, Queue, Tun};
pub use linked::{Ipvlan, IpvlanFlag, IpvlanMode, Macvlan, MacvlanMode, Vlan, VlanProtocol, Vrf};
pub use tunnel::{EncapsulationLimit, Geneve, Gre, Ip6Tunnel, Tunnel};
pub use veth::Veth;
pub use vxlan::{DontFragment, FdbEntry, Vxlan};
pub use wireguard::{Endpoint, KeyFile, Peer, PublicKey, Wireguard};
