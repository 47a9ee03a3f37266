//! How `ip`, `nft` and `iptables` say things.

pub mod ip;
pub(crate) mod iptables;
pub mod iptables_read;
pub(crate) mod nft;
mod nft_match;
pub mod nft_read;
pub mod nft_script;
mod nft_words;
mod packet_values;
pub(crate) mod protocol;
pub mod understood;
