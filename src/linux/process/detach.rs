//! A process that outlives the one that starts it, and its terminal: topo itself, in a session of its own.

use crate::kernel::{Error, ErrorKind};
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::stat::Mode;
use nix::unistd::{close, dup2_stderr, dup2_stdin, dup2_stdout, setsid};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};

/// How long it may take to begin.
const PATIENCE: u16 = 20_000;

/// What it says when it has.
const READY: &[u8] = b"!";

/// A process that runs by itself. When this is dropped, or the program that holds it dies, it knows.
#[derive(Debug)]
pub struct Detached {
    child: Child,
    _while_open: Option<ChildStdin>,
}

impl Detached {
    /// Starts this program again with other arguments, in the same namespaces, and waits until it depends on its own
    /// feet: nothing that ends the caller or its terminal from here on ends it. It begins with [`stand_alone`].
    ///
    /// # Errors
    ///
    /// If the process cannot be started, or ends before it stands alone.
    pub fn start(args: &[&str]) -> Result<Self, Error> {
        let tried = "start a process that watches";
        // The program that runs, also if its file was replaced or removed meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command
            .arg0("topo")
            .args(args)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(|e| Error::io(tried, &e))?;
        let mut word = Vec::new();
        if let Some(mut stdout) = child.stdout.take()
            && readable(&stdout)
        {
            // It says a word and closes, or dies.
            stdout.read_to_end(&mut word).map_err(|e| Error::io(tried, &e))?;
        }
        if word != READY {
            let _ = child.kill();
            let _ = child.wait();
            return Err(Error::new(ErrorKind::Refused, tried, "it did not begin"));
        }
        let stdin = child.stdin.take();
        Ok(Self { child, _while_open: stdin })
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

/// Waits until there is something to read, or its end.
fn readable(stream: &impl AsFd) -> bool {
    loop {
        match poll(&mut [PollFd::new(stream.as_fd(), PollFlags::POLLIN)], PollTimeout::from(PATIENCE)) {
            Err(nix::Error::EINTR) => {}
            ready => return ready.is_ok_and(|ready| ready > 0),
        }
    }
}

/// Leaves the starter's session, terminal and open files, and reports it so. What is left of the starter is the
/// standard input: it ends when the starter is done.
///
/// # Errors
///
/// If the kernel gives no session of its own, or the starter is gone.
pub fn stand_alone() -> Result<(), Error> {
    let failed = |e: nix::Error| Error::os("stand alone", e as i32);
    setsid().map_err(failed)?;
    let entries = std::fs::read_dir("/proc/self/fd").map_err(|e| Error::io("list /proc/self/fd", &e))?;
    let numbers: Vec<i32> = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // A lock or a pipe of the program that called the starter would be held by it, else. The list's own is closed
        // already.
        let _ = close(number);
    }
    let nowhere = nowhere()?;
    dup2_stderr(&nowhere).map_err(failed)?;
    let told = std::io::stdout().write_all(READY).and_then(|()| std::io::stdout().flush());
    told.map_err(|e| Error::io("stand alone", &e))?;
    dup2_stdout(&nowhere).map_err(failed)
}

/// Waits until the starter is done, or dead.
///
/// # Errors
///
/// If the standard input cannot be read.
pub fn outlive_starter() -> Result<(), Error> {
    // Nothing is ever written: what ends it is that nothing has the other end any more. A failure is as good as that.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    dup2_stdin(nowhere()?).map_err(|e| Error::os("stand alone", e as i32))
}

fn nowhere() -> Result<std::os::fd::OwnedFd, Error> {
    open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())
        .map_err(|e| Error::os("open /dev/null", e as i32))
}

/// Whether the process `id` is there and was started with this argument.
pub fn is_alive(id: u32, argument: &str) -> bool {
    std::fs::read(format!("/proc/{id}/cmdline"))
        .is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes()))
}
