//! What a user wrote: typed YAML with places, and its lowering to a wanted state.

pub mod expand;
pub(crate) mod lower;
pub(crate) mod parse;
pub mod schema;
pub mod yaml;

pub use expand::gather;
pub use lower::topology::Topology;
pub use parse::{lower, parse, parse_without_prefix, schema};
pub use yaml::source::{Source, Text};

#[cfg(test)]
mod tests;
pub mod value;

pub use self::schema::allow::WARNINGS;
pub use self::schema::file::Document;
pub use self::schema::section::NodeSection;
pub use self::yaml::finding::{Finding, Label, Severity};
pub use self::yaml::place::{Lines, Loc, Place};
pub use self::yaml::word::Word;
