//! Rules over a wanted state: what no single value shows, because it takes several to be wrong.
//!
//! A rule is a function that looks at a [`View`] and adds findings. Themes are files. To add a rule: write it, name it
//! in its theme's list, and put a file that breaks it into `tests/bad/`.

mod address;
mod below;
mod cable;
mod filter;
mod hop;
mod link;
mod mtu;
mod packet;
mod packets;
mod policy;
mod route;
pub(crate) mod rule;
pub(crate) mod run;
mod segment;
mod stacked;
mod sysctl;
mod translation;
mod view;
mod vlan;
mod vxlan;
mod wireguard;
mod written;

pub use run::run;
