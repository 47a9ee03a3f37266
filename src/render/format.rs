//! The version and the text form of JSON output.

use serde::Serialize;

/// The version of all JSON that topo prints. It grows when a field changes its meaning or goes; new fields alone do not
/// change it.
pub const FORMAT_VERSION: u32 = 2;

/// Anything as JSON in one line, for what is printed again and again.
pub fn line(view: &impl Serialize) -> String {
    serde_json::to_string(view).unwrap_or_default() + "\n"
}

/// Anything as JSON text with a newline at its end.
pub fn text(view: &impl Serialize) -> String {
    // These types have no maps with odd keys and no failing serialisers.
    serde_json::to_string_pretty(view).unwrap_or_default() + "\n"
}
