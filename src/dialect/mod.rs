//! How `ip`, `nft` and `iptables` say things.

pub mod ip;
pub(crate) mod iptables;
pub(crate) mod nft;
pub mod nft_script;
pub(crate) mod protocol;
