//! Runs a program and kills it with SIGKILL before or after its n-th request to the kernel: ptrace stops it, its threads and its children at every system
//! call. Killed when a call begins, the call is not carried out; killed when it returns, it was carried out whole. So there is no moment in between.

#![allow(clippy::zombie_processes, reason = "the tracer waits for all of them")]
#![allow(unsafe_code, reason = "ptrace has no safe form; it is given live pointers and this process's own children only")]
#![allow(clippy::disallowed_methods, reason = "a test makes processes")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::{BTreeSet, HashMap};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// When to kill.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Which request, from 1.
    pub request: usize,
    /// Whether it is still carried out.
    pub after: bool,
    /// Whether the programs that it started (nft) are killed with it; else they run to their ends.
    pub all: bool,
}

/// `-ERESTARTNOINTR`: the call has done nothing and is made again at once. A write to a setting, while another thread holds the lock of all networks.
const RESTARTED: i64 = -513;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// How many requests that change something were made.
    pub requests: usize,
    /// The request at which it was killed, in words; `None` where it ended before.
    pub killed: Option<String>,
    /// Its exit status, 128 and the signal where one ended it.
    pub code: i32,
}

/// Runs `program` with `args`; kills it at `moment`.
pub fn run(program: &str, args: &[&str], moment: Option<Moment>) -> Run {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: between fork and exec only this one system call is made.
    let command = unsafe { command.pre_exec(|| request(libc::PTRACE_TRACEME, 0, 0, 0).map(|_| ())) };
    let child = command.spawn().expect("the program starts");
    let main = i32::try_from(child.id()).unwrap();
    let mut tracer = Tracer { main, moment, run: Run::default(), inside: HashMap::new(), options: false, leaders: BTreeSet::from([main]) };
    tracer.follow();
    tracer.run
}

struct Tracer {
    main: i32,
    moment: Option<Moment>,
    run: Run,
    /// The threads that are in a request, and which it is.
    inside: HashMap<i32, (usize, String)>,
    options: bool,
    leaders: BTreeSet<i32>,
}

fn request(what: libc::c_uint, pid: i32, address: usize, data: usize) -> std::io::Result<libc::c_long> {
    // SAFETY: the callers give addresses of live buffers, or numbers.
    let answer = unsafe { libc::ptrace(what as _, pid, address, data) };
    if answer == -1 { Err(std::io::Error::last_os_error()) } else { Ok(answer) }
}

impl Tracer {
    /// Until all of them have ended.
    fn follow(&mut self) {
        loop {
            let mut status = 0;
            // SAFETY: the pointer is to a live number.
            let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL) };
            if pid < 0 {
                match std::io::Error::last_os_error().raw_os_error() {
                    Some(libc::EINTR) => continue,
                    _ => return,
                }
            }
            if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
                if pid == self.main {
                    self.run.code = if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) };
                }
                self.leaders.remove(&pid);
                continue;
            }
            let signal = self.stopped(pid, status);
            // It may have been killed meanwhile.
            let _ = request(libc::PTRACE_SYSCALL, pid, 0, usize::try_from(signal).unwrap());
        }
    }

    /// Looks at a thread that stopped; answers which signal it is to be given.
    fn stopped(&mut self, pid: i32, status: i32) -> i32 {
        if !self.options {
            self.options = true;
            let options = libc::PTRACE_O_TRACESYSGOOD
                | libc::PTRACE_O_TRACECLONE
                | libc::PTRACE_O_TRACEFORK
                | libc::PTRACE_O_TRACEVFORK
                | libc::PTRACE_O_TRACEEXEC
                | libc::PTRACE_O_EXITKILL;
            request(libc::PTRACE_SETOPTIONS, pid, 0, usize::try_from(options).unwrap()).expect("ptrace is allowed here");
            return 0;
        }
        match libc::WSTOPSIG(status) {
            stop if stop == libc::SIGTRAP | 0x80 => {
                self.call(pid);
                0
            }
            libc::SIGTRAP => {
                if matches!(status >> 16, libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK) {
                    let mut child: libc::c_ulong = 0;
                    let _ = request(libc::PTRACE_GETEVENTMSG, pid, 0, (&raw mut child) as usize);
                    self.leaders.insert(i32::try_from(child).unwrap());
                } else if status >> 16 == libc::PTRACE_EVENT_EXEC {
                    self.leaders.insert(pid);
                }
                0
            }
            // A new thread or child begins with one.
            libc::SIGSTOP => 0,
            signal => signal,
        }
    }

    /// A system call begins or returns.
    fn call(&mut self, pid: i32) {
        // SAFETY: all its fields are numbers.
        let mut info: libc::ptrace_syscall_info = unsafe { std::mem::zeroed() };
        if request(libc::PTRACE_GET_SYSCALL_INFO, pid, size_of_val(&info), (&raw mut info) as usize).is_err() {
            return;
        }
        if info.op == libc::PTRACE_SYSCALL_INFO_ENTRY {
            // SAFETY: the kernel has said which of the forms it is.
            let entry = unsafe { info.u.entry };
            if self.inside.contains_key(&pid) {
                return;
            }
            if let Some(name) = changing(pid, i64::try_from(entry.nr).unwrap_or(-1), &entry.args) {
                self.run.requests += 1;
                self.inside.insert(pid, (self.run.requests, name));
                self.kill_at(pid, false);
            }
        } else if info.op == libc::PTRACE_SYSCALL_INFO_EXIT && self.inside.contains_key(&pid) {
            // SAFETY: the kernel has said which of the forms it is.
            if unsafe { info.u.exit }.sval == RESTARTED {
                return;
            }
            self.kill_at(pid, true);
            self.inside.remove(&pid);
        }
    }

    fn kill_at(&mut self, pid: i32, after: bool) {
        let Some(moment) = self.moment.filter(|moment| moment.after == after) else { return };
        let Some((request, name)) = self.inside.get(&pid).filter(|(request, _)| *request == moment.request) else { return };
        let who = if moment.all { "it and its children" } else { "it alone" };
        self.run.killed = Some(format!("{who} {} request {request}, {name}", if after { "after" } else { "before" }));
        let victims = if moment.all { self.leaders.clone() } else { BTreeSet::from([self.main]) };
        for victim in victims {
            let _ = kill(Pid::from_raw(victim), Signal::SIGKILL);
        }
    }
}

/// What of a thread's memory is at `address`.
fn word(pid: i32, address: u64) -> u64 {
    let mut bytes = [0_u8; 8];
    let mut local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: 8 };
    let mut remote = libc::iovec { iov_base: address as usize as *mut libc::c_void, iov_len: 8 };
    // SAFETY: reads at most eight bytes into eight bytes.
    unsafe { libc::process_vm_readv(pid, &raw mut local, 1, &raw mut remote, 1, 0) };
    u64::from_ne_bytes(bytes)
}

/// A system call that can change the machine, in words; `None` for one that only reads.
fn changing(pid: i32, number: i64, args: &[u64; 6]) -> Option<String> {
    let text = |address: u64| {
        let bytes: Vec<u8> = (0..12).flat_map(|at| word(pid, address + 8 * at).to_ne_bytes()).take_while(|byte| *byte != 0).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let name = match number {
        libc::SYS_sendto => return netlink(pid, args[1]),
        libc::SYS_sendmsg => return netlink(pid, word(pid, word(pid, args[1] + 16))),
        libc::SYS_write if args[0] > 2 => format!("write to {}", std::fs::read_link(format!("/proc/{pid}/fd/{}", args[0])).unwrap_or_default().display()),
        libc::SYS_openat if args[2] & u64::from(libc::O_CREAT.unsigned_abs()) != 0 => format!("create {}", text(args[1])),
        libc::SYS_mkdirat => format!("mkdir {}", text(args[1])),
        libc::SYS_unlinkat => format!("unlink {}", text(args[1])),
        libc::SYS_renameat | libc::SYS_renameat2 => format!("rename {}", text(args[1])),
        libc::SYS_symlinkat => "symlink".to_owned(),
        libc::SYS_mount => format!("mount {}", text(args[1])),
        libc::SYS_umount2 => format!("umount {}", text(args[0])),
        libc::SYS_unshare => "unshare".to_owned(),
        libc::SYS_fchmod => "fchmod".to_owned(),
        libc::SYS_ftruncate => "ftruncate".to_owned(),
        libc::SYS_execve => format!("exec {}", text(args[0])),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_mkdir => format!("mkdir {}", text(args[0])),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_unlink => format!("unlink {}", text(args[0])),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rmdir => format!("rmdir {}", text(args[0])),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rename => format!("rename {}", text(args[0])),
        _ => return None,
    };
    Some(name)
}

/// A netlink message that changes something: not a question (`RTM_GET*`), and of nftables only batches, in which all its changes are.
fn netlink(pid: i32, message: u64) -> Option<String> {
    let kind = (word(pid, message) >> 32) & 0xffff;
    let question = if kind >= 256 { kind >> 8 == 10 } else { kind > 17 && kind % 4 == 2 };
    (!question).then(|| format!("netlink message {kind}"))
}
