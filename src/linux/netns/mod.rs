//! Network namespaces: names, threads inside of them, settings, processes.

pub mod container;
pub(crate) mod context;
pub mod handle;
pub mod jobs;
pub mod mounts;
pub(crate) mod namespace;
pub(crate) mod pinned;
pub(crate) mod places;
pub mod processes;
pub mod procfs;
pub mod sysctl;

pub use handle::*;
pub use jobs::*;
pub use procfs::*;
