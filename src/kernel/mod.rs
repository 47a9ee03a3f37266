//! The contract of a machine that can be read and changed, and its errors; no Linux in it.

mod contract;
mod error;
mod settings;

pub use contract::Kernel;
pub use error::{Error, ErrorKind};
pub use settings::with_settings;
