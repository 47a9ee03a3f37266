//! What the machine has to say: failures and warnings.

use super::console::Console;
use super::exit::Exit;
use crate::kernel::Error;
use crate::linux::Linux;

/// Reports what the kernel's door has to say although nothing failed.
pub fn warnings(console: &mut Console, kernel: &mut Linux) {
    kernel.warnings().iter().for_each(|warning| console.warn(warning));
}

/// Reports a failure that no file asked for.
pub fn told(console: &mut Console, error: &Error) -> Exit {
    console.problem(&error.to_string(), error.help.as_deref());
    Exit::of(error)
}
