//! What a user wrote: typed YAML with places, and its lowering to a wanted state.

pub(crate) mod lower;
pub(crate) mod parse;
pub mod schema;
pub mod yaml;

pub use lower::topology::Topology;
pub use parse::{lower, parse, parse_without_prefix, schema};
pub use yaml::source::Source;

#[cfg(test)]
mod tests;
pub mod value;

pub use self::schema::allow::WARNINGS;
pub use self::schema::section::{Document, NodeSection};
pub use self::yaml::finding::{Finding, Label, Severity};
pub use self::yaml::place::{Lines, Loc, Place};
pub use self::yaml::word::Word;
