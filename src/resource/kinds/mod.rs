//! What is known of each kind of link: its attributes, their defaults, and whether the kernel can change them in place.
//!
//! One table serves the language, the difference and the documentation; the kernel door has the numbers that go with
//! the names.

mod bond;
mod bridge;
mod geneve;
mod linked;
mod plain;
pub(crate) mod spec;
pub(crate) mod table;
mod tun;
pub(crate) mod tunnel;
mod vxlan;
mod wireguard;

pub use super::link::around;
pub use bridge::{GOES_LAST, PORT};
pub use spec::{Attribute, Below, Default, Mtu, Spec, Traits};
pub use table::{
    ALL, beside, dies_with_link, drift, fill, link_impact, mac_impact, mtu_of_ports, no_larger_than_below, of, same,
    spec, traits, usual_mtu,
};
