//! Words of `ip`.

/// `on` or `off`.
pub(crate) fn switch(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
