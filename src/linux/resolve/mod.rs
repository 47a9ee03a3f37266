//! What only the machine knows: names of tables, public keys, features of the kernel.

pub(crate) mod containers;
pub(crate) mod features;
pub(crate) mod ipv6;
pub mod key_files;
pub(crate) mod names;
pub mod rt_tables;
pub(crate) mod settable;
pub(crate) mod unnamed;

pub use names::*;
