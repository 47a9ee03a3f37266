//! The shapes of the language: a file per section, their doc comments are the schema.

pub mod allow;
pub mod checks;
pub mod defaults;
pub mod dns;
pub mod file;
pub mod firewall;
pub mod interface;
pub mod kind;
pub mod matching;
pub mod nat;
pub mod route;
pub mod section;
