//! What is kept in `/run/topo`: records, saved states, the lock.

pub mod clock;
pub(crate) mod folder;
pub mod lock;
pub(crate) mod names;
pub mod record;
pub mod versions;
