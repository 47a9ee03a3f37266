//! What of a node its rules depend on.

use crate::resource::Family;
use std::collections::BTreeSet;

/// What of a node the rules depend on.
pub struct Around {
    /// The families that it has addresses of.
    pub families: BTreeSet<Family>,
    /// Its interfaces.
    pub interfaces: BTreeSet<String>,
    /// Interfaces and subnets of daemons, and whose they are.
    pub daemons: Vec<(String, &'static str)>,
}

impl Around {
    pub(super) fn has(&self, family: Family) -> bool {
        self.families.contains(&family)
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        match name.strip_suffix('*') {
            Some(stem) => self.interfaces.iter().any(|there| there.starts_with(stem)),
            None => self.interfaces.contains(name),
        }
    }
}
