//! Reading: what one namespace holds, as the kernel says it.

pub(crate) mod contents;
pub(crate) mod ends;
pub(crate) mod peers;
pub(crate) mod read;
