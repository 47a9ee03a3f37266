//! The kernel's numbers and encodings of the attributes that [`crate::resource::kinds`] names, used for both
//! directions.

mod bond;
mod bridge;
pub(crate) mod codec;
mod linked;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod tun;
mod tunnel;
mod vxlan;

pub use table::{kind, link_number, read, read_port, says_all, sends_where_it_is_born, write, write_port};
