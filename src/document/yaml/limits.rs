//! What no file may have more of: what one costs in time and memory is bounded.

/// The largest file, in bytes.
pub const MAX_BYTES: usize = 8 << 20;
/// The deepest nesting of lists and maps, aliases followed.
pub const MAX_DEPTH: usize = 32;
/// The most values in a file, aliases followed: what a file of that size costs in memory is bounded by this.
pub const MAX_VALUES: usize = 250_000;
/// The most namespaces.
pub const MAX_NAMESPACES: usize = 16_384;
/// The most interfaces.
pub const MAX_INTERFACES: usize = 20_000;
/// The most resources that a file may become.
pub const MAX_RESOURCES: usize = 120_000;
/// The most findings that are collected; further ones are not looked for.
pub const MAX_FINDINGS: usize = 1_000;
/// The most that ranges may make: keys and items of lists.
pub const MAX_MADE: u64 = 100_000;
/// The most values of a file whose ranges and defaults are written out.
pub const MAX_EXPANDED: u64 = 1_000_000;
/// The most bytes of text that formulas may make.
pub const MAX_FORMED: usize = 64 << 20;
