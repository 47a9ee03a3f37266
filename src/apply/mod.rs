//! Walks a plan over a kernel.
