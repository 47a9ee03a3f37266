//! Packet rules in the words of nft and iptables.

use super::{Name, TableRule};

impl TableRule {
    /// The rule in nft's words, without its comment.
    pub fn text(&self, _topology: &Name) -> String {
        String::new()
    }
}
