//! NAT and firewall.

use super::{At, Lowering};

impl<'d> Lowering<'d> {
    /// The nft table of a node, and rules in other people's chains.
    pub fn tables(&mut self, _at: &At<'d>) {}
}
