//! Files of other programs as topologies: containerlab's and netplan's.

mod commands;
mod containerlab;
mod draft;
mod netplan;
mod shell;
mod values;

pub use containerlab::containerlab;
pub use draft::Drafted;
pub use netplan::netplan;
