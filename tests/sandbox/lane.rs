//! A kernel with more features than this machine's: `tests/kernel-lane/run` boots it, here it is kept for as long as
//! this process lives.
//!
//! One boot serves all tests of a process. It reads lines of shell from its standard input, which ends when this
//! process ends, whatever ends it; so does the lane.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How much more time a test gets in here: no hardware helps this kernel.
pub const SLOWER: u32 = 6;

/// Once, before any test. The modules of tunnels put a device of their own into every network, new and old, when they
/// are loaded, and these others put settings into `/proc/sys`; so that a test finds the same before and after, they are
/// there from the beginning. `br_netfilter` does more: a test on this machine may have it.
const FIRST: &str = "modprobe -a ip_gre ipip sit ip6_gre ip6_tunnel ip_vti ip6_vti nf_conntrack br_netfilter vrf";

/// How long a boot may take. The first of all downloads the kernel.
const BOOT: Duration = Duration::from_secs(600);

/// What a command in the lane printed (both outputs as they came), and its exit status.
pub struct Answer {
    pub text: String,
    pub code: i32,
}

struct Lane {
    child: Child,
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    /// What `run` says itself, not what runs in it.
    errors: Arc<Mutex<String>>,
    commands: usize,
}

enum State {
    Off,
    On(Lane),
    /// It did not boot, and would not the next time.
    Broken(String),
}

/// Says whether this process runs in the lane.
pub fn is_here() -> bool {
    std::env::var_os("KERNEL_LANE").is_some()
}

/// Runs a command in the lane, which is booted where it is not up.
///
/// # Errors
///
/// Why there is no lane, or that it ended on the way (a crash of its kernel), or that the command did not end in time.
pub fn run(command: &[&str], limit: Duration) -> Result<Answer, String> {
    static LANES: [Mutex<State>; 2] = [const { Mutex::new(State::Off) }; 2];
    // One test at a time in each, which has one processor; a second one is booted where the first is busy.
    let (mut free, [first, ..]) = (LANES.iter().filter_map(|lane| lane.try_lock().ok()), &LANES);
    let mut state = free.next().unwrap_or_else(|| first.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    if matches!(*state, State::Off) {
        *state = Lane::boot().map_or_else(State::Broken, State::On);
    }
    let lane = match &mut *state {
        State::On(lane) => lane,
        State::Broken(why) => return Err(why.clone()),
        State::Off => unreachable!(),
    };
    let answer = lane.ask(command, limit);
    if answer.is_err() {
        // The next test gets a new one.
        lane.end();
        *state = State::Off;
    }
    answer
}

impl Lane {
    fn boot() -> Result<Self, String> {
        let root = env!("CARGO_MANIFEST_DIR");
        let mut command = Command::new("bash");
        command.args([
            &format!("{root}/tests/kernel-lane/run"),
            "--stdin",
            "--timeout",
            "86400",
            "--cwd",
            root,
            "--",
            "sh",
        ]);
        if std::env::var_os("KERNEL_LANE_CACHE").is_none() {
            let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new(root));
            command.env("KERNEL_LANE_CACHE", target.join("kernel-lane"));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("bash does not start: {error}"))?;
        let (input, stdout, stderr) =
            (child.stdin.take().unwrap(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let errors = Arc::new(Mutex::new(String::new()));
        let (send, output) = channel();
        read(stdout, move |bytes| send.send(bytes.to_vec()).is_ok());
        let kept = Arc::clone(&errors);
        read(stderr, move |bytes| {
            kept.lock().unwrap().push_str(&String::from_utf8_lossy(bytes));
            true
        });
        let mut lane = Self { child, input, output, errors, commands: 0 };
        match lane.ask(&["sh", "-c", FIRST], BOOT) {
            Ok(_) => Ok(lane),
            Err(why) => {
                lane.end();
                Err(why)
            }
        }
    }

    fn ask(&mut self, command: &[&str], limit: Duration) -> Result<Answer, String> {
        self.commands += 1;
        let mark = format!("--- end of command {} in the lane: ", self.commands);
        let words: Vec<String> = command.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        // Started on a line of its own, whatever the command wrote last.
        let line = format!("{} </dev/null 2>&1\nprintf '\\n{mark}%s\\n' $?\n", words.join(" "));
        let start = Instant::now();
        // Where nobody reads any more, the output says so too.
        let _ = self.input.write_all(line.as_bytes()).and_then(|()| self.input.flush());
        let mut bytes = Vec::new();
        loop {
            match self.output.recv_timeout(limit.saturating_sub(start.elapsed())) {
                Ok(more) => bytes.extend(more),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!(
                        "nothing came back within {} s\n{}",
                        limit.as_secs(),
                        String::from_utf8_lossy(&bytes)
                    ));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let _ = self.child.wait();
                    let said = self.errors.lock().unwrap().clone();
                    return Err(format!("{}{}", String::from_utf8_lossy(&bytes), said));
                }
            }
            let text = String::from_utf8_lossy(&bytes);
            if let Some((before, after)) = text.rsplit_once(&format!("\n{mark}"))
                && let Some(code) = after.strip_suffix('\n')
            {
                return Ok(Answer { text: before.to_owned(), code: code.parse().unwrap_or(-1) });
            }
        }
    }

    fn end(&mut self) {
        // Its own clean up needs a signal that can be caught.
        let process = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        let _ = nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

/// Hands on what comes, until the end or until nobody wants it.
fn read(mut from: impl Read + Send + 'static, mut to: impl FnMut(&[u8]) -> bool + Send + 'static) {
    std::thread::spawn(move || {
        let mut buffer = [0; 65536];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if !to(&buffer[..length]) {
                break;
            }
        }
    });
}
