//! Names of the files of an apply.

/// What waits for confirmation, and the same while it is being undone.
pub const WAITING: [&str; 2] = ["confirm.json", "rollback.json"];

/// Whether a file says how an apply is undone.
pub fn is_apply(name: &str) -> bool {
    number(name).is_some()
}

/// The number of an apply, from the name of its file.
pub(crate) fn number(name: &str) -> Option<u64> {
    name.strip_prefix("apply-")?.strip_suffix(".json")?.parse().ok()
}

/// The file of an apply, by its number.
pub fn name(number: u64) -> String {
    format!("apply-{number}.json")
}

/// What was last wanted.
pub const WANTED: &str = "wanted.json";
