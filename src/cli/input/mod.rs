//! What a command is given: files, folders, saved plans.

pub(crate) mod files;
pub(crate) mod load;
pub(crate) mod plan_file;
