//! The program: arguments, run, exit code.

use std::process::ExitCode;

// The allocator of glibc asks the kernel for memory a page at a time on every thread but the first (`grow_heap`), and
// the machine is read on others: six calls for each namespace.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    topo::cli::main()
}
