//! The marks that objects of topo carry.

use super::name::Name;

/// The protocol number that routes, rules, addresses and neighbours of topo carry (`RTA_PROTOCOL`, `FRA_PROTOCOL`,
/// `IFA_PROTO`, `NDA_PROTOCOL`).
pub const PROTOCOL: u8 = 0x74;

/// The alias that marks links, and the comment that marks rules, of `topology`.
pub fn mark(topology: &Name) -> String {
    format!("topo:{topology}")
}

/// The interface group of links of `topology` outside its own namespaces: 0x74000000 and 24 bits of the FNV-1a hash of
/// its name.
pub fn group(topology: &Name) -> u32 {
    0x7400_0000 | (hash(topology.as_str().as_bytes()) & 0x00ff_ffff)
}

/// The 32-bit FNV-1a hash (draft-eastlake-fnv), stable across versions of topo.
pub fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
