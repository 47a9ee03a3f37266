//! Kinds of interfaces, one file each.

mod bond;
mod bridge;
mod existing;
mod linked;
mod tunnel;
mod veth;
mod vxlan;
mod wireguard;

pub use self::bond::{AdSelect, Bond, BondMode, FailOverMac, HashPolicy, LacpRate, PrimaryReselect};
pub use self::bridge::Bridge;
pub use self::existing::{ExistingLink, NoOptions, Queue, Tun};
pub use self::linked::{Ipvlan, IpvlanFlag, IpvlanMode, Macvlan, MacvlanMode, Vlan, VlanProtocol, Vrf};
pub use self::tunnel::{EncapsulationLimit, Geneve, Gre, Ip6Tunnel, Tunnel};
pub use self::veth::{Veth, VethBridge};
pub use self::vxlan::{DontFragment, FdbEntry, Vxlan};
pub use self::wireguard::{Endpoint, KeyFile, Peer, PublicKey, Wireguard};
