//! A file and its text.

use std::sync::Arc;

/// A file and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file as it was named, `-` for standard input.
    pub name: String,
    /// All of it.
    pub text: Arc<str>,
}
