//! Running a program to its end: both outputs captured, nothing inherited from the terminal, bounded in time.

use crate::kernel::{Error, ErrorKind};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{ErrorKind as Io, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take. `nft` needs 16 ms for 500 rules.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The most that is read of each output; `nft` lists a rule in about 100 bytes.
const OUTPUT: usize = 256 << 20;

/// What a program did.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its exit status; 128 and the number of the signal where one ended it.
    pub status: i32,
    /// Its standard output; what is not UTF-8 is replaced.
    pub stdout: String,
    /// Its standard error, likewise.
    pub stderr: String,
}

impl Output {
    /// Whether its exit status is 0.
    pub fn success(&self) -> bool {
        self.status == 0
    }
}

/// The exit status as a shell has it.
pub fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// Runs `program` with `args`, gives it `input`, and waits for it. It runs in the calling thread's namespace, speaks
/// English (`LC_ALL=C`), and is not reached by the terminal's interrupt: what it does is not cut off half-way by
/// Ctrl-C. A program that is not there is [`ErrorKind::Missing`].
///
/// # Errors
///
/// If the program is not there ([`ErrorKind::Missing`]) or cannot be started; its exit status is in the output.
pub fn run(program: &str, args: &[&str], input: &str) -> Result<Output, Error> {
    let tried = || format!("run {program}");
    let mut command = Command::new(find(program));
    command.args(args).env("LC_ALL", "C").process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| match e.kind() {
        Io::NotFound => Error::new(ErrorKind::Missing, tried(), "no such program").help(install(program)),
        _ => Error::io(tried(), &e),
    })?;
    let talked = talk(&mut child, input.as_bytes());
    if talked.is_err() {
        // It may be gone already.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|e| Error::io(tried(), &e))?;
    let (stdout, stderr) = talked.map_err(|e| match e.kind() {
        Io::TimedOut => Error::new(ErrorKind::Refused, tried(), format!("did not end within {} s", TIMEOUT.as_secs())),
        _ => Error::io(tried(), &e),
    })?;
    Ok(Output { status: code(status), stdout, stderr })
}

/// Where the program is: in the `PATH`, else where administrators' programs are, which is not in everybody's `PATH`.
fn find(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path)
        .filter(|place| place.is_absolute())
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    places.map(|place| place.join(program)).find(|file| file.is_file()).unwrap_or_else(|| PathBuf::from(program))
}

/// What to install.
fn install(program: &str) -> String {
    let package = if program == "nft" { "nftables" } else { "iptables" };
    format!("install it: on Debian and its kin, `apt install {package}`")
}

/// Writes all input and reads both outputs to their ends, whichever is ready. One thread does it all: a thread per
/// stream would double the cost of `nft`.
fn talk(child: &mut Child, input: &[u8]) -> std::io::Result<(String, String)> {
    let end = Instant::now() + TIMEOUT;
    let (mut stdin, mut out, mut err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    for fd in [stdin.as_ref().map(AsFd::as_fd), out.as_ref().map(AsFd::as_fd), err.as_ref().map(AsFd::as_fd)]
        .into_iter()
        .flatten()
    {
        nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK))?;
    }
    let mut rest = input;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        if let Some(pipe) = &mut stdin {
            match pipe.write(rest) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                // It does not want to read more; its exit status reports why.
                Err(e) if e.kind() == Io::BrokenPipe => rest = &[],
                Err(e) if matches!(e.kind(), Io::WouldBlock | Io::Interrupted) => {}
                Err(e) => return Err(e),
            }
            if rest.is_empty() {
                stdin = None;
            }
        }
        drain(&mut out, &mut stdout)?;
        drain(&mut err, &mut stderr)?;
        if stdin.is_none() && out.is_none() && err.is_none() {
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            return Ok((text(stdout), text(stderr)));
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Io::TimedOut.into());
        }
        let mut fds: Vec<PollFd<'_>> = Vec::new();
        fds.extend(stdin.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLOUT)));
        fds.extend(out.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
        fds.extend(err.as_ref().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
        match poll(&mut fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

/// Reads what is there; at the end of the stream the pipe is closed.
fn drain(pipe: &mut Option<impl Read>, text: &mut Vec<u8>) -> std::io::Result<()> {
    let mut buffer = [0; 16384];
    while let Some(stream) = pipe {
        match stream.read(&mut buffer) {
            Ok(0) => *pipe = None,
            Ok(count) if text.len() + count > OUTPUT => {
                return Err(std::io::Error::other("more output than can be true"));
            }
            Ok(count) => text.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(e) if e.kind() == Io::WouldBlock => return Ok(()),
            Err(e) if e.kind() == Io::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_and_the_status_come_back() {
        let output = run("sh", &["-c", "cat; echo oops >&2; exit 3"], "hello").unwrap();
        assert_eq!((output.status, output.stdout.as_str(), output.stderr.as_str()), (3, "hello", "oops\n"));
        assert_eq!(run("sh", &["-c", "kill -9 $$"], "").unwrap().status, 137);
    }

    #[test]
    fn much_goes_through_both_ways() {
        let input = "x".repeat(1 << 20);
        let output = run("cat", &[], &input).unwrap();
        assert_eq!(output.stdout, input);
        assert!(run("true", &[], &input).unwrap().success());
    }

    #[test]
    fn a_program_that_is_not_there_is_missing() {
        let error = run("topo-no-such-program", &[], "").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Missing);
        assert!(error.help.is_some());
    }
}
