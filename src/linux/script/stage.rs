//! The way into the sandbox: topo starts itself, as a user who owns nothing, in a user namespace with namespaces of
//! every sort; then once more, as the first process of them.

use super::root;
use crate::kernel::{Error, ErrorKind};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, geteuid, setgroups, sethostname, setresgid, setresuid};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The arguments by which topo knows that it is a stage of this.
const OUTER: &str = "--sandbox-outer";
const INNER: &str = "--sandbox-inner";
const SCRIPT: &str = "--sandbox-script";
/// The user and group that own nothing on any machine.
const OWNS_NOTHING: u32 = 65534;
/// How long a script may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How much memory a process of it may have, and how large a file may be, in bytes; how many processes there may be.
const MEMORY: u64 = 512 << 20;
const FILE: u64 = 64 << 20;
const PROCESSES: u64 = 200;
/// Where what it says goes, and how many lines of that are shown where it fails.
const SAID: &str = "/run/script.out";
const SHOWN: usize = 20;

/// A stage of the way into the sandbox.
#[derive(Debug)]
pub enum Stage {
    /// Outside, not yet in any namespace of its own.
    Outer(Wanted),
    /// The first process of the namespaces.
    Inner(Wanted),
    /// What becomes the script.
    Script,
}

/// What is printed in the end.
#[derive(Debug)]
pub struct Wanted {
    /// The name of the topology.
    pub name: String,
    /// Whether runs of what is alike are ranges.
    pub ranges: bool,
}

impl Wanted {
    fn arguments(&self) -> [&str; 2] {
        [&self.name, if self.ranges { "ranges" } else { "each" }]
    }
}

/// The stage that this program was started as, if it was.
pub fn asked() -> Option<Stage> {
    // One that is not UTF-8 is none of a stage's.
    let mut arguments = std::env::args_os().skip(1).map_while(|argument| argument.into_string().ok());
    let stage = arguments.next()?;
    let wanted = arguments.next().map(|name| Wanted { name, ranges: arguments.next().as_deref() == Some("ranges") });
    match (stage.as_str(), wanted) {
        (OUTER, Some(wanted)) => Some(Stage::Outer(wanted)),
        (INNER, Some(wanted)) => Some(Stage::Inner(wanted)),
        (SCRIPT, None) => Some(Stage::Script),
        _ => None,
    }
}

fn this_program() -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("topo").env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.envs([("HOME", "/root"), ("LC_ALL", "C"), ("TERM", "dumb")]);
    command
}

/// Runs `script` in a sandbox; answers with what the innermost stage prints: the topology that the script made.
///
/// # Errors
///
/// If there is no sandbox to be had ([`ErrorKind::Privileges`]), or the script fails.
pub fn run(script: &str, wanted: &Wanted) -> Result<String, Error> {
    let tried = "run the script in a sandbox";
    let mut command = this_program();
    command.arg(OUTER).args(wanted.arguments()).current_dir("/").process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| Error::io(tried, &e))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(script.as_bytes()).map_err(|e| Error::io(tried, &e))?;
    }
    let output = child.wait_with_output().map_err(|e| Error::io(tried, &e))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let (reason, help) = match said.split_once('\n') {
        Some((reason, rest)) if !rest.trim().is_empty() => (reason.to_owned(), Some(rest.trim_end().to_owned())),
        _ => (said.trim().to_owned(), None),
    };
    let kind = if output.status.code() == Some(77) { ErrorKind::Privileges } else { ErrorKind::Refused };
    let error = Error::new(kind, tried, reason);
    Err(match help {
        Some(help) => error.help(help),
        None => error,
    })
}

/// The first stage: reads the script, gives up all privileges of the machine, and starts the next in namespaces of its
/// own. Answers with the exit status.
///
/// # Errors
///
/// If the kernel gives no such namespaces.
pub fn outer(wanted: &Wanted) -> Result<u8, Error> {
    let tried = "make a sandbox";
    let refused = |e: nix::Error| {
        match e {
        nix::Error::EPERM | nix::Error::ENOSPC | nix::Error::EACCES | nix::Error::ENOSYS | nix::Error::EINVAL => {
            Error::new(ErrorKind::Privileges, tried, format!("this machine lets no user make namespaces ({})", e.desc()))
                .help("sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces=1000, or (AppArmor) kernel.apparmor_restrict_unprivileged_userns=0")
        }
        e => Error::os(tried, e as i32),
    }
    };
    let mut script = String::new();
    std::io::stdin().read_to_string(&mut script).map_err(|e| Error::io("read the script", &e))?;
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(refused)?;
    if geteuid().is_root() {
        let (user, group) = (Uid::from_raw(OWNS_NOTHING), Gid::from_raw(OWNS_NOTHING));
        setgroups(&[]).map_err(refused)?;
        setresgid(group, group, group).map_err(refused)?;
        setresuid(user, user, user).map_err(refused)?;
        // Else its own files in /proc would be root's.
        prctl::set_dumpable(true).map_err(refused)?;
        prctl::set_pdeathsig(Signal::SIGKILL).map_err(refused)?;
    }
    let (user, group) = (geteuid(), nix::unistd::getegid());
    prctl::set_no_new_privs().map_err(refused)?;
    let all = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    unshare(all).map_err(refused)?;
    let write = |file: &str, text: String| {
        std::fs::write(file, text)
            .map_err(|e| Error::new(ErrorKind::Privileges, tried, format!("{file} cannot be written: {e}")))
    };
    write("/proc/self/setgroups", "deny".to_owned())?;
    write("/proc/self/uid_map", format!("0 {user} 1"))?;
    write("/proc/self/gid_map", format!("0 {group} 1"))?;
    let mut command = this_program();
    command.arg(INNER).args(wanted.arguments()).stdin(Stdio::piped());
    let mut child = command.spawn().map_err(|e| Error::io(tried, &e))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(script.as_bytes()).map_err(|e| Error::io(tried, &e))?;
    }
    let status = child.wait().map_err(|e| Error::io(tried, &e))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// The second stage, in the namespaces: puts the file system together and runs the script. When the caller ends, all
/// that the script started ends.
///
/// # Errors
///
/// If the kernel refuses a mount, or the script fails or takes too long.
pub fn inner() -> Result<(), Error> {
    let mut script = String::new();
    std::io::stdin().read_to_string(&mut script).map_err(|e| Error::io("read the script", &e))?;
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(|e| Error::os("make a sandbox", e as i32))?;
    let mut command = this_program();
    root::enter(&script)?;
    let _ = sethostname(OsString::from("sandbox"));
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
    if !up.is_ok_and(|status| status.success()) {
        return Err(Error::new(ErrorKind::Missing, "run ip", "it is not there, or fails").help("apt install iproute2"));
    }
    let said = std::fs::File::create(SAID).map_err(|e| Error::io("make a file for what it says", &e))?;
    let both = said.try_clone().map_err(|e| Error::io("make a file for what it says", &e))?;
    command.arg(SCRIPT).stdin(Stdio::null()).stdout(said).stderr(both);
    let mut child = command.spawn().map_err(|e| Error::io("start the script", &e))?;
    let begin = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|e| Error::io("wait for the script", &e))? {
            Some(status) => break status,
            None if begin.elapsed() > LIMIT => {
                let reason = format!("it was not done after {} seconds", LIMIT.as_secs());
                return Err(failed(reason));
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    if status.success() { Ok(()) } else { Err(failed(ended(status))) }
}

fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with {code}"),
        (None, Some(signal)) => format!("it ended by signal {signal}"),
        (None, None) => "it did not end well".to_owned(),
    }
}

/// The script's failure, with the last that it said.
fn failed(reason: String) -> Error {
    let said = std::fs::read(SAID).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    let last = lines.get(lines.len().saturating_sub(SHOWN)..).unwrap_or_default().join("\n");
    let error = Error::new(ErrorKind::Refused, "run the script", reason);
    if last.is_empty() { error } else { error.help(last) }
}

/// The last stage: bounds itself, and becomes the script.
///
/// # Errors
///
/// If there is nothing that can run it.
pub fn script() -> Error {
    let bounds = [
        (Resource::RLIMIT_AS, MEMORY),
        (Resource::RLIMIT_FSIZE, FILE),
        (Resource::RLIMIT_NPROC, PROCESSES),
        (Resource::RLIMIT_CORE, 0),
    ];
    for (what, most) in bounds {
        if let Err(e) = setrlimit(what, most, most) {
            return Error::os("bound the script", e as i32);
        }
    }
    let shebang = std::fs::read("/script").is_ok_and(|text| text.starts_with(b"#!"));
    let mut command = if shebang { Command::new("/script") } else { Command::new("sh") };
    if !shebang {
        command.arg("/script");
    }
    Error::io("start the script", &command.exec())
}
