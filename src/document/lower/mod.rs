//! From what a user wrote to what there shall be: defaults filled in, names resolved, far ends of pairs named.

mod address;
pub(crate) mod answer;
mod check;
pub(crate) mod context;
mod file;
mod hairpin;
mod hosts;
mod impair;
mod index;
mod insert;
mod kinds;
mod link;
pub(crate) mod node;
mod packet;
pub(crate) mod pair;
mod port;
pub(crate) mod raw;
mod route;
mod rule;
mod setting;
mod stacked;
mod table;
pub(crate) mod topology;
mod tunnel;
mod vlan;
mod wireguard;
