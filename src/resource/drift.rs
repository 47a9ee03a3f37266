//! Fields that differ, and what changing them takes.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What changing a field takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Impact {
    /// Changed where it stands, nothing else notices.
    InPlace,
    /// The link goes down or comes up: routes over it, and IPv6 addresses, are lost on the way.
    Flap,
    /// The object is removed and made anew.
    Replace,
}

/// A field that differs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Drift {
    /// The field, by its name in the language where it has one.
    pub field: String,
    /// What is there; empty for nothing.
    pub old: String,
    /// What is wanted; empty for nothing.
    pub new: String,
    /// What the change takes.
    pub impact: Impact,
}

impl Drift {
    /// A difference in `field`.
    pub fn new(field: &str, old: impl Into<String>, new: impl Into<String>, impact: Impact) -> Self {
        Self { field: field.to_owned(), old: old.into(), new: new.into(), impact }
    }

    /// A difference that is mended in place.
    pub fn in_place(field: &str, old: impl Into<String>, new: impl Into<String>) -> Self {
        Self::new(field, old, new, Impact::InPlace)
    }

    /// A difference between values that may be missing.
    pub fn optional<T: fmt::Display>(field: &str, old: Option<&T>, new: Option<&T>, impact: Impact) -> Self {
        let shown = |value: Option<&T>| value.map_or("none".to_owned(), T::to_string);
        Self::new(field, shown(old), shown(new), impact)
    }

    /// Adds the difference between two settings to `list`, if the wanted one is managed, the observed one known, and
    /// they differ.
    pub fn setting<T: PartialEq + fmt::Display>(
        list: &mut Vec<Self>,
        field: &str,
        wanted: &crate::resource::Setting<T>,
        observed: &crate::resource::Setting<T>,
        impact: Impact,
    ) {
        if let (Some(new), Some(old)) = (wanted.get(), observed.get())
            && new != old
        {
            list.push(Self::new(field, old.to_string(), new.to_string(), impact));
        }
    }
}
