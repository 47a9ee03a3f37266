//! What a command is given: files, folders, saved plans.

pub(crate) mod files;
mod include;
pub(crate) mod load;
pub(crate) mod plan_file;
mod stream;
