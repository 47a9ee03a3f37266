//! The value of `forwarding`.

use crate::document::yaml::word::{Word, Wrong};
use schemars::Schema;

/// Which families are forwarded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Forwarding {
    /// `true`
    Both,
    /// `false`
    Neither,
    /// `ipv4`
    Ipv4,
    /// `ipv6`
    Ipv6,
}

/// `true` or `false`, where families could be written too.
pub(crate) struct Switch(pub(crate) bool);

impl Word for Switch {
    const TEXT: bool = false;
    const EXPECTED: &'static str = "true, false, ipv4 or ipv6";

    fn parse(text: &str) -> Result<Self, Wrong> {
        bool::parse(text)
            .map(Self)
            .map_err(|wrong| Wrong { message: wrong.message.replace("true or false", Self::EXPECTED), ..wrong })
    }

    fn schema() -> Schema {
        bool::schema()
    }
}
