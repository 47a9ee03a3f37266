//! The offload features of a link (`offload`, `ethtool -K`), by the language's names.
//!
//! Each name stands for one or more features of the device, those of them that it can change. What counts is what the
//! device is asked to do, not what it comes to: without checksums it does no TSO, and does it again by itself when they
//! are back.

use super::{Drift, Impact, Options, Value};

/// A name, and what it stands for.
#[derive(Debug)]
pub struct Offload {
    /// Its name in the language.
    pub name: &'static str,
    /// Its name for `ethtool -K`.
    pub word: &'static str,
    /// How its features begin and end (`netdev_features_strings` of `net/ethtool/common.c`).
    features: (&'static str, &'static str),
}

/// All of them. The features are those that `ethtool -K` changes under these names.
pub const ALL: [Offload; 5] = [
    Offload { name: "tx-checksum", word: "tx", features: ("tx-checksum-", "") },
    Offload { name: "rx-checksum", word: "rx", features: ("rx-checksum", "rx-checksum") },
    Offload { name: "tso", word: "tso", features: ("tx-tcp", "-segmentation") },
    Offload { name: "gso", word: "gso", features: ("tx-generic-segmentation", "tx-generic-segmentation") },
    Offload { name: "gro", word: "gro", features: ("rx-gro", "rx-gro") },
];

impl Offload {
    /// The one with this name.
    pub fn of(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|offload| offload.name == name)
    }

    /// Whether it stands for this feature, too.
    pub fn covers(&self, feature: &str) -> bool {
        feature.starts_with(self.features.0) && feature.ends_with(self.features.1)
    }
}

/// Whether `value` has this feature on: all are, or none, or those that it names.
pub fn is_on(value: &Value, feature: &str) -> bool {
    match value {
        Value::Bool(on) => *on,
        Value::Word(features) => features.split(' ').any(|on| on == feature),
        _ => false,
    }
}

/// Those of `options` that `by` has, too.
pub fn only(options: &Options, by: &Options) -> Options {
    options
        .iter()
        .filter(|(name, _)| by.contains_key(*name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// What is wanted and otherwise. What was not read is otherwise: a link that is just being made has what the kernel
/// gives it.
pub(super) fn drift(wanted: &Options, observed: &Options, drift: &mut Vec<Drift>) {
    for offload in &ALL {
        let (Some(new), old) = (wanted.get(offload.name), observed.get(offload.name)) else { continue };
        if old != Some(new) {
            let old = old.map_or_else(|| "the kernel's".to_owned(), ToString::to_string);
            drift.push(Drift::new(&format!("offload {}", offload.name), old, new.to_string(), Impact::InPlace));
        }
    }
}
