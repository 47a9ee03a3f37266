//! MTUs that the kernel and the protocols fix.

/// What IPv4 asks of every link (RFC 791; `ETH_MIN_MTU`).
pub const LEAST_MTU: u32 = 68;
/// The least MTU with which a link has IPv6 (`IPV6_MIN_MTU`).
pub const IPV6_LEAST_MTU: u32 = 1280;
/// The MTU of a fresh Ethernet interface, and of a bridge without ports (`ETH_DATA_LEN`).
pub const ETHERNET_MTU: u32 = 1500;
/// The largest MTU that an Ethernet interface takes (`ETH_MAX_MTU`).
pub const LARGEST_MTU: u32 = 65_535;
