//! Links: creation, change, deletion, and what only some kinds have.

mod automatic;
pub(crate) mod body;
pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod failure;
pub(crate) mod features;
pub(crate) mod tun;
pub(crate) mod vlan;
pub(crate) mod wireguard;
