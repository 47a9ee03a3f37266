//! A program, run as `topo exec` runs one: in the node, with the node's hosts and resolv.conf, without a shell.

use super::wire::{Until, Why};
use crate::linux::netns::{Place, own_mounts, run_one};
use crate::linux::node::exec::binds;
use crate::linux::object::file;
use crate::linux::process::run::code;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long it may take until the end of a program is noticed.
const SLICE: Duration = Duration::from_millis(10);

/// How much of the end of an output is kept.
const KEPT: usize = 4096;

/// Runs a program. What it started in its process group ends with it, in any case.
///
/// # Errors
///
/// Why it failed: no such program, another exit status than 0, the timeout, a signal.
pub fn run(words: &[String], place: &Place, files: Option<&str>, until: &Until<'_>) -> Result<String, Why> {
    let Some((program, arguments)) = words.split_first() else { return Err(Why::Broken("no program".to_owned())) };
    let binds = files.map(|node| binds(&Path::new(file::DIR).join(node), Path::new("/etc"))).unwrap_or_default();
    // A thread of its own: the mounts that it gets are for nothing else.
    let done = run_one(place.clone(), || {
        own_mounts(&binds).map_err(|error| Why::Broken(error.to_string()))?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Why::Broken(format!("there is no program {program:?}")),
            _ => Why::Broken(format!("run {program:?}: {error}")),
        })?;
        let ended = follow(&mut child, until);
        end(&mut child);
        let last = ended?;
        let status = child.wait().map(code).map_err(|error| Why::io("wait for the program", &error))?;
        match status {
            0 => Ok("exit status 0".to_owned()),
            status if last.is_empty() => Err(Why::Failed(format!("exit status {status}"))),
            status => Err(Why::Failed(format!("exit status {status}: {last}"))),
        }
    });
    done.map_err(|error| Why::Broken(error.to_string()))?
}

/// Ends whatever is left of it. Its number is its own until it has been waited for.
fn end(child: &mut Child) {
    if let Ok(pid) = i32::try_from(child.id()) {
        // Nothing is left where it fails.
        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads what it says until it ends; answers with the last line of its errors, or else of its output.
fn follow(child: &mut Child, until: &Until<'_>) -> Result<String, Why> {
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    for fd in [out.as_ref().map(AsFd::as_fd), err.as_ref().map(AsFd::as_fd)].into_iter().flatten() {
        nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK))
            .map_err(|errno| Why::os("read what the program says", errno))?;
    }
    let pid = i32::try_from(child.id())
        .map(Pid::from_raw)
        .map_err(|_| Why::Broken("a process without a number".to_owned()))?;
    let (mut said, mut errors) = (Vec::new(), Vec::new());
    loop {
        let ended = matches!(waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT), Ok(status) if status != WaitStatus::StillAlive);
        let more = drain(&mut out, &mut said) | drain(&mut err, &mut errors);
        if ended {
            // What it said last is still in the pipes, which hold 64 KiB; what it left behind may go on talking.
            (0..8).for_each(|_| _ = drain(&mut out, &mut said) | drain(&mut err, &mut errors));
            return Ok([errors, said]
                .iter()
                .map(|bytes| last_line(bytes))
                .find(|line| !line.is_empty())
                .unwrap_or_default());
        }
        let left = until.left("it did not end")?;
        if !more {
            let mut fds: Vec<PollFd<'_>> = Vec::new();
            fds.extend(out.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
            fds.extend(err.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
            // Interrupted or not, everything is looked at again.
            let _ = poll(&mut fds, PollTimeout::try_from(left.min(SLICE)).unwrap_or(PollTimeout::MAX));
        }
    }
}

/// Reads a piece of what is there and keeps the end; whether there may be more. One piece at a time, because a program
/// that never stops talking is to be stopped, too.
fn drain(pipe: &mut Option<impl Read>, kept: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 16 << 10];
    let Some(stream) = pipe else { return false };
    match stream.read(&mut buffer) {
        Ok(0) => *pipe = None,
        Ok(count) => {
            kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
            let surplus = kept.len().saturating_sub(KEPT);
            kept.drain(..surplus);
            return true;
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
        Err(_) => *pipe = None,
    }
    false
}

fn last_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .map(|line| line.chars().take(200).collect())
        .unwrap_or_default()
}
