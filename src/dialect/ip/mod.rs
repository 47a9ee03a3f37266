//! Operations in the words of `ip`, `bridge`, `tc`, `sysctl`, `nft`: what a user would type for them.
//!
//! Used by `plan --commands`, by `-v`, and by errors, which name what was tried. The commands can be run, in order, in
//! a shell as root. What `ip` of iproute2 6.1 cannot say is left out: the mark of an address (`IFA_PROTO`). Its `tc`
//! rounds delays to 64 ns, which topo sees and mends.

pub(crate) mod commands;
mod kinds;
mod link;
mod network;
mod qdisc;
pub(crate) mod syntax;
mod system;
mod vlan;
mod wireguard;
pub(crate) mod words;

pub use commands::commands;
pub use words::Words;

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
