//! A file per subcommand.

pub(crate) mod apply;
pub(crate) mod completions;
pub(crate) mod confirm;
pub(crate) mod deadline;
pub(crate) mod destroy;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod exec;
pub(crate) mod expand;
pub(crate) mod explain;
pub(crate) mod graph;
pub(crate) mod import;
pub(crate) mod lab;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod plan;
pub(crate) mod rollback;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod test;
pub(crate) mod trace;
pub(crate) mod undo;
pub(crate) mod validate;
