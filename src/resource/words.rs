//! Operations in the words of `ip`, `bridge`, `sysctl` and `nft`.

use super::Operation;

/// The commands that a person would run for `operation`, a line each.
pub fn commands(_operation: &Operation) -> Vec<String> {
    Vec::new()
}
