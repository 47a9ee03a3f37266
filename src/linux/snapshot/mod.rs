//! Reading: what one namespace holds, as the kernel says it.

pub(crate) mod peers;
pub(crate) mod read;
