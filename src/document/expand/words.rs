//! What the keys of the language mean for ranges.

/// What stands below a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// Anything.
    Plain,
    /// A list of names, in which ranges stand.
    Names,
    /// Addresses of an interface.
    Addresses,
    /// Text for another program: only formulas mean something in it.
    Free,
}

impl Context {
    /// What stands below `key`.
    pub fn below(self, key: &str) -> Self {
        match key {
            _ if self == Self::Free => Self::Free,
            "nft" | "run" | "env" | "log" | "contains" | "send" => Self::Free,
            "addresses" => Self::Addresses,
            "address" if self == Self::Addresses => Self::Addresses,
            _ if is_list_of_names(key) => Self::Names,
            _ => Self::Plain,
        }
    }
}

/// Whether a list of names stands below `key`.
pub fn is_list_of_names(key: &str) -> bool {
    matches!(key, "ports" | "in" | "out" | "alternative-names" | "after")
}

/// Whether any name may be a key of the map below `key`.
pub fn is_map_of_names(key: &str) -> bool {
    matches!(key, "namespaces" | "interfaces" | "sysctls" | "hosts" | "processes" | "scenarios" | "env")
}

/// Whether a path relative to the file stands below `key`.
pub fn is_path(key: &str) -> bool {
    matches!(key, "private-key-file" | "preshared-key-file")
}
