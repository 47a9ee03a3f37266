//! Runs a program under ptrace, which stops it, its threads and its children at every system call, and does something
//! to its n-th request to the kernel: kills it before or after, or has the request refused. Killed when a call begins,
//! the call is not carried out; killed when it returns, it was carried out whole. So there is no moment in between. A
//! refused request is not carried out, or is and says that it failed. What it receives over netlink can be disturbed,
//! too.

#![allow(dead_code, reason = "each test crate uses a part of it")]
#![allow(clippy::zombie_processes, reason = "the tracer waits for all of them")]
#![allow(
    unsafe_code,
    reason = "ptrace has no safe form; it is given live pointers and this process's own children only"
)]
#![allow(clippy::disallowed_methods, reason = "a test makes processes")]
use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::{BTreeSet, HashMap};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

/// When something is done, and what.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Which request, from 1; of [`What::Receive`], which answer.
    pub request: usize,
    /// Whether the request is still carried out.
    pub after: bool,
    /// What is done.
    pub what: What,
}

/// What is done to a program.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// It is killed.
    Kill {
        /// Whether the programs that it started (nft) are killed with it; else they run to their ends.
        all: bool,
    },
    /// The request is refused with this errno. Each message that is sent to the route socket is a request here: its
    /// answer says so. A batch of nftables is one.
    Refuse(i32),
    /// Something happens to what it receives from a netlink socket.
    Receive(Reply),
}

/// What happens to an answer.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// It does not come yet: the call fails with this errno, and the answer waits for the next one.
    Fails(i32),
    /// It and all others come later by this: others have time to do something.
    Late(Duration),
    /// It says that something changed while it was put together (`NLM_F_DUMP_INTR`).
    Interrupted,
    /// Its bytes are changed.
    Mutated(fn(&mut [u8], u64), u64),
}

/// `NLM_F_MULTI` and `NLM_F_DUMP_INTR`.
const MULTIPART: u32 = 2;
const INTERRUPTED: u32 = 0x10;

/// `-ERESTARTNOINTR`: the call has done nothing and is made again at once. A write to a setting, while another thread
/// holds the lock of all networks.
const RESTARTED: i64 = -513;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// How many requests that change something were made.
    pub requests: usize,
    /// How many netlink answers were asked for.
    pub answers: usize,
    /// How many of them said that something changed while they were put together.
    pub interrupted: usize,
    /// The request to which it was done, in words; `None` where it ended before.
    pub hit: Option<String>,
    /// Its exit status, 128 and the signal where one ended it.
    pub code: i32,
    /// What it said on its standard error.
    pub stderr: String,
}

/// Where a traced program's standard error goes.
const SAID: &str = "/run/lock/traced";

/// Runs `program` with `args`; does what `moment` says.
pub fn run(program: &str, args: &[&str], moment: Option<Moment>) -> Run {
    let mut command = Command::new(program);
    let said = std::fs::File::create(SAID).expect("a file for what it says");
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
    // SAFETY: between fork and exec only this one system call is made.
    let command = unsafe { command.pre_exec(|| request(libc::PTRACE_TRACEME, 0, 0, 0).map(|_| ())) };
    let child = command.spawn().expect("the program starts");
    let main = i32::try_from(child.id()).unwrap();
    let mut tracer = Tracer {
        main,
        moment,
        run: Run::default(),
        inside: HashMap::new(),
        receiving: HashMap::new(),
        refused: Vec::new(),
        options: false,
        leaders: BTreeSet::from([main]),
    };
    tracer.follow();
    tracer.run.stderr = std::fs::read_to_string(SAID).unwrap_or_default();
    tracer.run
}

struct Tracer {
    main: i32,
    moment: Option<Moment>,
    run: Run,
    /// The threads that are in a call with requests.
    inside: HashMap<i32, Inside>,
    /// The threads that wait for an answer.
    receiving: HashMap<i32, Receiving>,
    /// Messages whose answers are to say that they were refused.
    refused: Vec<Refused>,
    options: bool,
    leaders: BTreeSet<i32>,
}

/// A call that is being carried out.
struct Inside {
    /// The number of its first request.
    first: usize,
    /// Its requests: in words, and where the message is, if it is one of the route socket.
    requests: Vec<(String, Option<u64>)>,
    /// What the call is to return instead of what it did.
    fails: Option<i32>,
}

/// An answer that is waited for: which it is, from which socket, and the place for it.
struct Receiving {
    answer: usize,
    socket: u64,
    place: u64,
    room: u64,
}

/// A message whose answer is to be an error.
struct Refused {
    thread: i32,
    socket: u64,
    sequence: u32,
    errno: i32,
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
                    self.run.code =
                        if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) };
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
            request(libc::PTRACE_SETOPTIONS, pid, 0, usize::try_from(options).unwrap())
                .expect("ptrace is allowed here");
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
            self.begins(pid, i64::try_from(entry.nr).unwrap_or(-1), &entry.args);
        } else if info.op == libc::PTRACE_SYSCALL_INFO_EXIT {
            // SAFETY: the kernel has said which of the forms it is.
            self.returns(pid, unsafe { info.u.exit }.sval);
        }
    }

    fn begins(&mut self, pid: i32, number: i64, args: &[u64; 6]) {
        // A look at an answer's length (`MSG_PEEK`) is no answer.
        let peek = args[3] & u64::from(libc::MSG_PEEK.unsigned_abs()) != 0;
        if number == libc::SYS_recvfrom && !peek && !self.receiving.contains_key(&pid) {
            self.run.answers += 1;
            self.receiving
                .insert(pid, Receiving { answer: self.run.answers, socket: args[0], place: args[1], room: args[2] });
            match self.moment {
                Some(Moment { request, what: What::Receive(Reply::Fails(_)), .. }) if request == self.run.answers => {
                    skip_call(pid)
                }
                Some(Moment { what: What::Receive(Reply::Late(time)), .. }) => std::thread::sleep(time),
                _ => {}
            }
        }
        // It is begun again after a restart.
        if self.inside.contains_key(&pid) {
            return;
        }
        let single = matches!(self.moment, Some(Moment { what: What::Refuse(_), .. }));
        let requests = match number {
            // A batch of nftables is carried out whole or not at all, and its sending with it.
            libc::SYS_sendto if single && !is_batch(pid, args[1]) => messages(&bytes(pid, args[1], args[2]))
                .filter_map(|at| Some((netlink(pid, args[1] + at)?, Some(args[1] + at))))
                .collect(),
            _ => Vec::from_iter(changing(pid, number, args).map(|name| (name, None))),
        };
        if requests.is_empty() {
            return;
        }
        let first = self.run.requests + 1;
        self.run.requests += requests.len();
        self.inside.insert(pid, Inside { first, requests, fails: None });
        self.kill_at(pid, false);
        self.refuse(pid, number, args);
    }

    fn returns(&mut self, pid: i32, result: i64) {
        if result == RESTARTED {
            return;
        }
        if let Some(receiving) = self.receiving.remove(&pid) {
            self.received(pid, &receiving, result);
        }
        if self.inside.contains_key(&pid) {
            self.kill_at(pid, true);
            // A call that failed by itself stays as it is.
            if let Some(errno) = self
                .inside
                .remove(&pid)
                .and_then(|inside| inside.fails)
                .filter(|_| result >= 0 || result == -i64::from(libc::ENOSYS))
            {
                set_result(pid, errno);
            }
        }
    }

    /// The request of the moment, if the call that `pid` is in has it.
    fn meant(&self, pid: i32) -> Option<(usize, &(String, Option<u64>))> {
        let (moment, inside) = (self.moment?, self.inside.get(&pid)?);
        let at = moment.request.checked_sub(inside.first)?;
        Some((moment.request, inside.requests.get(at)?))
    }

    /// Has the request of the moment refused.
    fn refuse(&mut self, pid: i32, number: i64, args: &[u64; 6]) {
        let Some(Moment { after, what: What::Refuse(errno), .. }) = self.moment else { return };
        let Some((request, (name, message))) = self.meant(pid) else { return };
        // A program that has begun cannot be told that it has not.
        if after && number == libc::SYS_execve {
            return;
        }
        let hit = format!(
            "request {request}, {name}, {} with errno {errno}",
            if after { "carried out and refused" } else { "refused" }
        );
        match *message {
            Some(message) => {
                let sequence = (word(pid, message + 8) & 0xffff_ffff) as u32;
                if !after {
                    // `NLMSG_NOOP`: the kernel does nothing with it, and acknowledges it.
                    write_memory(pid, message + 4, &1_u16.to_ne_bytes());
                }
                self.refused.push(Refused { thread: pid, socket: args[0], sequence, errno });
            }
            None => {
                if !after {
                    skip_call(pid);
                }
                if let Some(inside) = self.inside.get_mut(&pid) {
                    inside.fails = Some(errno);
                }
            }
        }
        self.run.hit = Some(hit);
    }

    /// An answer has come.
    fn received(&mut self, pid: i32, receiving: &Receiving, result: i64) {
        let Receiving { answer, socket, place, room } = *receiving;
        // Only dumps look at whether they were interrupted: it is the first from there on.
        let from_there = |moment: &Moment| {
            matches!(moment.what, What::Receive(Reply::Interrupted))
                && moment.request < answer
                && self.run.hit.is_none()
        };
        let now = self.moment.filter(|moment| moment.request == answer || from_there(moment));
        if let Some(Moment { what: What::Receive(reply @ Reply::Fails(errno)), .. }) = now {
            set_result(pid, errno);
            self.run.hit = Some(format!("answer {answer}, {reply:?}"));
            return;
        }
        // The result may be longer than what there was room for (`MSG_TRUNC`).
        let Ok(length) = u64::try_from(result).map(|length| length.min(room)) else { return };
        let mut packet = bytes(pid, place, length);
        let heads: Vec<u64> = messages(&packet).collect();
        let number = |at: u64| word(pid, place + at) as u32;
        for at in heads.iter().copied() {
            // `NLMSG_ERROR` without an error: done.
            if number(at + 4) & 0xffff == 2 && number(at + 16) == 0 {
                let sequence = number(at + 8);
                if let Some(refused) =
                    self.refused.iter().find(|it| (it.thread, it.socket, it.sequence) == (pid, socket, sequence))
                {
                    write_memory(pid, place + at + 16, &(-refused.errno).to_ne_bytes());
                }
            }
        }
        self.run.interrupted += usize::from(heads.iter().any(|at| number(at + 4) >> 16 & INTERRUPTED != 0));
        let Some(Moment { what: What::Receive(reply), .. }) = now else { return };
        match reply {
            Reply::Fails(_) | Reply::Late(_) => {}
            Reply::Interrupted => {
                // An answer to one question is not put together.
                let parts: Vec<u64> = heads.into_iter().filter(|at| number(at + 4) >> 16 & MULTIPART != 0).collect();
                if parts.is_empty() {
                    return;
                }
                for at in parts {
                    let flags = (number(at + 4) >> 16 | INTERRUPTED) as u16;
                    write_memory(pid, place + at + 6, &flags.to_ne_bytes());
                }
            }
            Reply::Mutated(mutate, seed) => {
                mutate(&mut packet, seed);
                write_memory(pid, place, &packet);
            }
        }
        self.run.hit = Some(format!("answer {answer}, {reply:?}"));
    }

    fn kill_at(&mut self, pid: i32, after: bool) {
        let Some(Moment { what: What::Kill { all }, .. }) = self.moment.filter(|moment| moment.after == after) else {
            return;
        };
        let Some((request, (name, _))) = self.meant(pid) else { return };
        let who = if all { "it and its children" } else { "it alone" };
        self.run.hit = Some(format!("{who} {} request {request}, {name}", if after { "after" } else { "before" }));
        let victims = if all { self.leaders.clone() } else { BTreeSet::from([self.main]) };
        for victim in victims {
            let _ = kill(Pid::from_raw(victim), Signal::SIGKILL);
        }
    }
}

/// Where the messages of a netlink packet begin.
fn messages(packet: &[u8]) -> impl Iterator<Item = u64> + use<> {
    let lengths: Vec<u8> = packet.to_vec();
    let mut at = 0;
    std::iter::from_fn(move || {
        let here = at;
        let length = u32::from_ne_bytes(lengths.get(here..here + 4)?.try_into().ok()?) as usize;
        if length < 16 || here + length > lengths.len() {
            return None;
        }
        at += length.next_multiple_of(4);
        Some(here as u64)
    })
}

/// The call that begins is not carried out.
#[cfg(target_arch = "x86_64")]
fn skip_call(pid: i32) {
    with_registers(pid, |registers| registers.orig_rax = u64::MAX);
}

/// The call that returns has failed with `errno`.
#[cfg(target_arch = "x86_64")]
fn set_result(pid: i32, errno: i32) {
    with_registers(pid, |registers| registers.rax = i64::from(-errno).cast_unsigned());
}

#[cfg(target_arch = "x86_64")]
fn with_registers(pid: i32, change: impl FnOnce(&mut libc::user_regs_struct)) {
    // SAFETY: all its fields are numbers.
    let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    if request(libc::PTRACE_GETREGS, pid, 0, (&raw mut registers) as usize).is_ok() {
        change(&mut registers);
        // It may have been killed meanwhile.
        let _ = request(libc::PTRACE_SETREGS, pid, 0, (&raw mut registers) as usize);
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn skip_call(_pid: i32) {
    panic!("which registers a call takes is known here for x86_64 only");
}

#[cfg(not(target_arch = "x86_64"))]
fn set_result(_pid: i32, _errno: i32) {
    panic!("which registers a call takes is known here for x86_64 only");
}

/// Changes a thread's memory.
fn write_memory(pid: i32, address: u64, new: &[u8]) {
    let mut local = libc::iovec { iov_base: new.as_ptr().cast_mut().cast(), iov_len: new.len() };
    let mut remote = libc::iovec { iov_base: address as usize as *mut libc::c_void, iov_len: new.len() };
    // SAFETY: only reads the bytes here.
    let written = unsafe { libc::process_vm_writev(pid, &raw mut local, 1, &raw mut remote, 1, 0) };
    assert_eq!(usize::try_from(written).ok(), Some(new.len()), "the memory of a traced thread can be written");
}

/// So many bytes of a thread's memory.
fn bytes(pid: i32, address: u64, length: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default().min(1 << 20)];
    let mut local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let mut remote = libc::iovec { iov_base: address as usize as *mut libc::c_void, iov_len: bytes.len() };
    // SAFETY: reads at most as many bytes as there is room for.
    let read = unsafe { libc::process_vm_readv(pid, &raw mut local, 1, &raw mut remote, 1, 0) };
    bytes.truncate(usize::try_from(read).unwrap_or_default());
    bytes
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
        let bytes: Vec<u8> =
            (0..12).flat_map(|at| word(pid, address + 8 * at).to_ne_bytes()).take_while(|byte| *byte != 0).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let name = match number {
        libc::SYS_sendto => return netlink(pid, args[1]),
        libc::SYS_sendmsg => return netlink(pid, word(pid, word(pid, args[1] + 16))),
        libc::SYS_write if args[0] > 2 => format!(
            "write to {}",
            std::fs::read_link(format!("/proc/{pid}/fd/{}", args[0])).unwrap_or_default().display()
        ),
        libc::SYS_openat if args[2] & u64::from(libc::O_CREAT.unsigned_abs()) != 0 => {
            format!("create {}", text(args[1]))
        }
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

/// Whether a packet begins with `NFNL_MSG_BATCH_BEGIN`.
fn is_batch(pid: i32, packet: u64) -> bool {
    (word(pid, packet) >> 32) & 0xffff == 16
}

/// A netlink message that changes something: not a question (`RTM_GET*`), and of nftables only batches, in which all
/// its changes are.
fn netlink(pid: i32, message: u64) -> Option<String> {
    let kind = (word(pid, message) >> 32) & 0xffff;
    let question = if kind >= 256 { kind >> 8 == 10 } else { kind > 17 && kind % 4 == 2 };
    (!question).then(|| format!("netlink message {kind}"))
}
