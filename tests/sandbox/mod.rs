//! A throw-away machine for tests that touch a kernel.
//!
//! [`run`] starts the current test binary again, for one test, in namespaces of its own: network, mounts and processes.
//! `/run`, `/etc/netns` and `/sys` are private there. Whatever a test leaves behind, processes too, goes with it.
//! Nothing is skipped in silence: without the privileges or the tools a test fails and says what is missing.
//!
//! [`run_needing`] is for a test that needs more of the kernel than every machine has. It names the features
//! (`features.rs` has the list). Where this machine's kernel lacks one, the same sandbox is made in the lane: another
//! kernel, which sees this machine's files and is booted once for all tests of a test binary.
//!
//! ```no_run
//! use crate::sandbox;
//!
//! #[test]
//! fn pair() {
//!     sandbox::run("pair", || {
//!         let before = sandbox::snapshot();
//!         // …
//!         sandbox::assert_snapshot(&before);
//!     });
//! }
//! ```

#![allow(dead_code, reason = "each test crate uses a part of it")]
#![allow(clippy::disallowed_methods, reason = "a test makes processes and enters namespaces")]
mod features;
mod lane;
mod page;
mod snapshot;

#[allow(unused_imports, reason = "each test crate uses a part of it")]
pub use features::needed_by;
#[allow(unused_imports, reason = "each test crate uses a part of it")]
pub use page::page;
#[allow(unused_imports, reason = "each test crate uses a part of it")]
pub use snapshot::{Options, snapshot_with, without_history};

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a test may take where it says nothing else.
const LIMIT: Duration = Duration::from_secs(300);

/// Set in the sandbox, to the name of the test.
const MARK: &str = "TOPO_SANDBOX";

/// Without these no test can say anything. Beside each, the Debian package that has it.
const TOOLS: [(&str, &str); 12] = [
    ("unshare", "util-linux"),
    ("timeout", "coreutils"),
    ("ip", "iproute2"),
    ("bridge", "iproute2"),
    ("tc", "iproute2"),
    ("ethtool", "ethtool"),
    ("wg", "wireguard-tools"),
    ("sysctl", "procps"),
    ("nft", "nftables"),
    ("ping", "iputils-ping"),
    ("socat", "socat"),
    ("iptables-nft", "iptables"),
];

/// Makes the sandbox, then runs what it is given. `sh` stays as process 1, so that everything ends when the test ends.
const ENTER: &str = r#"
mount -t tmpfs -o size=256m,mode=755 sandbox-run /run || exit 99
mount -t tmpfs -o size=64m,mode=755 sandbox-etc-netns /etc/netns || exit 99
mkdir /run/netns /run/lock
mount -t sysfs sysfs /sys 2>/dev/null
ip link set lo up || exit 99
"$@"
exit $?
"#;

/// Runs a test in a sandbox, for at most five minutes: a busy machine is no failure, a test that hangs is.
/// `name` is the name of the test function.
pub fn run(name: &str, test: impl FnOnce()) {
    run_within(name, LIMIT, test);
}

/// Says whether this is the inside of the sandbox of a test.
pub fn is_inside(name: &str) -> bool {
    std::env::var(MARK).is_ok_and(|marked| is_path_of(&marked, name))
}

/// Whether `path` names the test function `name`, with the modules that it is in or without.
fn is_path_of(path: &str, name: &str) -> bool {
    path.strip_suffix(name).is_some_and(|modules| modules.is_empty() || modules.ends_with("::"))
}

/// The path of the test that runs in this thread, whose function is called `name`. The harness names the thread of a
/// test after it, where it starts one.
fn path_of(name: &str) -> String {
    let thread = std::thread::current().name().map(str::to_owned);
    thread.filter(|path| is_path_of(path, name)).unwrap_or_else(|| {
        let list = Command::new(std::env::current_exe().expect("the path of this test"))
            .args(["--list", "--format", "terse"])
            .output();
        let list = String::from_utf8(list.expect("the list of tests").stdout).expect("names of tests");
        let mut paths =
            list.lines().filter_map(|line| line.strip_suffix(": test")).filter(|path| is_path_of(path, name));
        let path = paths
            .next()
            .unwrap_or_else(|| panic!("no test is called {name:?}: the name given to sandbox::run must be the test's"));
        assert!(paths.next().is_none(), "several tests are called {name:?}: run them with more than one thread");
        path.to_owned()
    })
}

/// [`run`] with a time limit.
pub fn run_within(name: &str, limit: Duration, test: impl FnOnce()) {
    run_by(&enter(), name, limit, test);
}

/// [`run`] on a kernel that has these features: this machine's where it has them all, else the lane's.
pub fn run_needing(name: &str, features: &[&'static str], test: impl FnOnce()) {
    run_needing_within(name, features, LIMIT, test);
}

/// [`run_needing`] with a time limit. In the lane, which is slow, it is a multiple of this.
pub fn run_needing_within(name: &str, features: &[&'static str], limit: Duration, test: impl FnOnce()) {
    if is_inside(name) {
        return test();
    }
    require();
    let lacking = features::lacking_here(features);
    if lacking.is_empty() {
        run_within(name, limit, test);
    } else {
        in_lane(name, features, limit, &format!("this kernel has no {}", lacking.join(", ")));
    }
}

/// [`run_needing`] that always runs in the lane, whatever this machine's kernel has.
pub fn run_in_lane(name: &str, features: &[&'static str], limit: Duration, test: impl FnOnce()) {
    if is_inside(name) {
        return test();
    }
    require();
    in_lane(name, features, limit, "it is about the lane's kernel");
}

/// Says whether this test runs in the lane, not on this machine's kernel.
pub fn is_in_lane() -> bool {
    lane::is_here()
}

/// Runs lines of shell in the lane, outside of all sandboxes: for tests of the lane itself.
pub fn lane_sh(script: &str) -> Output {
    let answer = lane::run(&["sh", "-euc", script], Duration::from_secs(120));
    answer.map_or_else(
        |why| Output { stdout: String::new(), stderr: why, code: 125 },
        |answer| Output { stdout: answer.text, stderr: String::new(), code: answer.code },
    )
}

fn in_lane(name: &str, features: &[&'static str], limit: Duration, reason: &str) {
    match std::env::var("TOPO_LANE").as_deref() {
        Err(_) => {}
        Ok("never") => {
            // Not by `println!`, of which nobody sees anything where a test passes. `tests/all.sh` counts these lines.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("left out: {name} (TOPO_LANE=never): {reason}\n").as_bytes(),
            );
            return;
        }
        Ok(other) => panic!("TOPO_LANE is {other:?}; it can be \"never\", or not set"),
    }
    assert!(!lane::is_here(), "{name} can run nowhere: {reason}, and this is the lane");
    let minutes = Duration::from_secs(120);
    let no_lane = |why: String| -> ! { panic!("{name} needs the lane ({reason}), and that failed:\n{why}") };
    let lacking = features::lacking(features, |command| match lane::run(command, minutes) {
        Ok(answer) if answer.code == 0 => Ok(()),
        Ok(answer) => Err(answer.text),
        Err(why) => no_lane(why),
    });
    assert!(lacking.is_empty(), "{name} can run nowhere: {reason}, and the lane's lacks {lacking:?}");
    let limit = limit * lane::SLOWER;
    let command = command(&enter(), &path_of(name), limit);
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    // The command has a limit of its own; where that does not hold, the kernel hangs.
    match lane::run(&words, limit + minutes) {
        Ok(answer) => {
            tell(&answer.text);
            judge(name, limit, &answer.text, Some(answer.code));
        }
        Err(why) => no_lane(why),
    }
}

/// Makes a sandbox and runs in it what follows.
fn enter() -> Vec<&'static str> {
    let namespaces =
        ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];
    [&namespaces[..], &["sh", "-c", ENTER, "sh"]].concat()
}

/// The variables of a test inside a sandbox: its mark, and what a person set for tests.
fn handed_on(path: &str) -> Vec<(String, String)> {
    let of_tests =
        std::env::vars().filter(|(key, _)| (key.starts_with("TOPO") && key != MARK) || key.starts_with("PROPTEST_"));
    of_tests.chain([(MARK.to_owned(), path.to_owned()), ("RUST_BACKTRACE".to_owned(), "0".to_owned())]).collect()
}

/// The command line that runs one test of this binary by `enter`.
fn command(enter: &[&str], path: &str, limit: Duration) -> Vec<String> {
    let binary = std::env::current_exe().expect("the path of this test").display().to_string();
    let limit = limit.as_secs().to_string();
    let mut words: Vec<String> = ["timeout", "--signal=KILL", &limit, "env"].map(str::to_owned).into();
    words.extend(handed_on(path).into_iter().map(|(key, value)| format!("{key}={value}")));
    words.extend(enter.iter().map(|word| (*word).to_owned()));
    words.extend([&binary, "--exact", path, "--nocapture", "--test-threads=1"].map(str::to_owned));
    words
}

/// [`run`] with a time limit, in what the command `enter` makes of the machine; it is given the test's command line.
pub fn run_by(enter: &[&str], name: &str, limit: Duration, test: impl FnOnce()) {
    if is_inside(name) {
        return test();
    }
    require();
    let limit = if lane::is_here() { limit * lane::SLOWER } else { limit };
    let words = command(enter, &path_of(name), limit);
    let mut command = Command::new(&words[0]);
    let mut child = command
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("timeout starts");
    let (stdout, stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let said = std::thread::spawn(move || lines(stderr, |_| {}));
    // As it comes: a long run shows how far it is.
    let stdout = lines(stdout, tell);
    let stderr = said.join().expect("reading");
    tell(&stderr);
    judge(name, limit, &format!("{stdout}{stderr}"), child.wait().expect("it ends").code());
}

/// Shows what a test printed in its sandbox. Marked, so that nobody who counts results counts it.
fn tell(text: &str) {
    text.lines().for_each(|line| println!("| {line}"));
}

/// Fails where a test did in its sandbox.
fn judge(name: &str, limit: Duration, text: &str, code: Option<i32>) {
    match code {
        Some(0) => {}
        Some(99 | 125) => {
            panic!("the sandbox of {name} cannot be made: the lines above say why; it needs root of its namespaces")
        }
        Some(137) => panic!("{name} did not end within {} s, or was killed", limit.as_secs()),
        code => panic!("{name} failed in its sandbox (exit {code:?})"),
    }
    assert!(
        text.contains("test result: ok. 1 passed"),
        "no test called {name:?} ran in the sandbox: the name given to sandbox::run must be the test's"
    );
}

/// All of a stream; each line is told at once.
fn lines(stream: impl std::io::Read, tell: impl Fn(&str)) -> String {
    use std::io::BufRead as _;
    let mut all = String::new();
    for line in std::io::BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        tell(&line);
        all.push_str(&line);
        all.push('\n');
    }
    all
}

/// Fails where the machine lacks what these tests need, naming what to do.
fn require() {
    assert!(
        nix::unistd::geteuid().is_root(),
        "tests that touch a kernel need root: run them as root, or with `unshare -Urnm make test`"
    );
    let path = std::env::var("PATH").unwrap_or_default();
    let found =
        |tool: &str| path.split(':').chain(["/usr/sbin", "/sbin"]).any(|dir| PathBuf::from(dir).join(tool).exists());
    let missing: Vec<&str> = TOOLS.iter().filter(|(tool, _)| !found(tool)).map(|(_, package)| *package).collect();
    assert!(
        missing.is_empty(),
        "these tests need Debian's packages {}: `sh tests/tools.sh --test` installs them",
        missing.join(" ")
    );
    if !PathBuf::from("/etc/netns").exists() {
        std::fs::create_dir_all("/etc/netns").expect("an empty /etc/netns to mount over");
    }
}

/// What a program did.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// Its exit status; 128 and the number of the signal where one ended it.
    pub code: i32,
}

impl Output {
    fn of(command: &mut Command) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or_default()),
        }
    }

    /// Fails, showing everything, where the exit status is another than `code`.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert!(
            self.code == code,
            "exit {} where {code} was expected\n--- stdout\n{}--- stderr\n{}",
            self.code,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Fails, showing everything, where the outputs do not have `text`, wherever the lines break.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let said = format!("{} {}", self.stdout, self.stderr)
            .split_whitespace()
            .filter(|word| *word != "│")
            .collect::<Vec<_>>()
            .join(" ");
        assert!(said.contains(text), "{text:?} is not in\n--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr);
        self
    }
}

/// Runs the program that is tested.
pub fn topo(args: &[&str]) -> Output {
    Output::of(Command::new(topo_path()).args(args))
}

/// Applies a file, once, and sees that nothing is left to do.
#[track_caller]
pub fn apply(file: &str) {
    topo(&["apply", "--yes", file]).expect(0);
    topo(&["plan", "--detailed-exitcode", file]).expect(0);
}

/// Runs the program that is tested, with another working directory.
pub fn topo_in(dir: &str, args: &[&str]) -> Output {
    Output::of(Command::new(topo_path()).args(args).current_dir(dir))
}

/// Where the program that is tested is: the one just built, or `$TOPO`.
pub fn topo_path() -> &'static str {
    static PATH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    PATH.get_or_init(|| std::env::var("TOPO").unwrap_or_else(|_| env!("CARGO_BIN_EXE_topo").to_owned()))
}

/// Runs lines of shell; a line that fails is a failed test. Answers with the standard output.
#[track_caller]
pub fn sh(script: &str) -> String {
    let output = try_sh(script);
    assert!(
        output.code == 0,
        "failed (exit {}): {script}\n--- stdout\n{}--- stderr\n{}",
        output.code,
        output.stdout,
        output.stderr
    );
    output.stdout
}

/// Runs lines of shell, whatever comes of it. `topo` is in the `PATH`.
pub fn try_sh(script: &str) -> Output {
    let dir = PathBuf::from(topo_path()).parent().expect("a folder").display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    Output::of(Command::new("sh").args(["-euc", script]).env("PATH", format!("{dir}:{path}:/usr/sbin:/sbin")))
}

/// Runs `ip -d -j` with arguments (split at blanks) and reads what it prints.
#[track_caller]
pub fn ip_json(args: &str) -> serde_json::Value {
    let text = sh(&format!("ip -d -j {args}"));
    if text.trim().is_empty() {
        serde_json::Value::Array(Vec::new())
    } else {
        serde_json::from_str(&text).expect("ip prints JSON")
    }
}

/// The folder of a file of the repository, `topologies/pair.yaml` for example.
pub fn in_repository(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}

/// A file with this text, in the sandbox's own memory. Answers with its path.
pub fn write(name: &str, text: &str) -> String {
    let path = format!("/run/lock/{name}");
    std::fs::write(&path, text).unwrap();
    path
}

/// Waits until `done`, at most this long; says whether it came true.
pub fn wait_for(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if done() {
            return true;
        }
        if start.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The state of the machine, normalised, when it stands still.
pub fn snapshot() -> String {
    quiet(&Options::default())
}

/// [`snapshot`] with options: carrier and link-local addresses come a little after the rest.
pub fn quiet(options: &Options) -> String {
    // Duplicate address detection: a second in which an address is there and its routes are not.
    let tentative = "for name in $(ls /run/netns); do ip -n $name -6 -o addr show tentative; done 2>/dev/null; ip -6 -o addr show tentative";
    wait_for(Duration::from_secs(4), || try_sh(tentative).stdout.is_empty());
    let mut last = snapshot_with(options);
    wait_for(Duration::from_secs(3), || {
        std::thread::sleep(Duration::from_millis(60));
        let now = snapshot_with(options);
        let same = now == last;
        last = now;
        same
    });
    last
}

/// Fails, showing what differs, where the machine is not as it was. What the kernel does a little later (link-local
/// addresses, carrier) gets five seconds.
#[track_caller]
pub fn assert_snapshot(before: &str) {
    assert_snapshot_with(before, &Options::default());
}

/// [`assert_snapshot`] for a snapshot with options.
#[track_caller]
pub fn assert_snapshot_with(before: &str, options: &Options) {
    let mut now = String::new();
    let same = wait_for(Duration::from_secs(5), || {
        now = snapshot_with(options);
        now == before
    });
    assert!(same, "the machine differs (- expected, + now):\n{}", difference(before, &now));
}

/// The lines in which two texts differ, each with the heading it stands under.
pub fn difference(old: &str, new: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    let mut out = String::new();
    let mut heading = "";
    let mut lines = 0;
    for change in diff
        .iter_all_changes()
        .filter(|change| change.value().starts_with("== ") || change.tag() != similar::ChangeTag::Equal)
    {
        let line = change.value();
        if line.starts_with("== ") {
            heading = line;
        }
        let sign = match change.tag() {
            similar::ChangeTag::Delete => '-',
            similar::ChangeTag::Insert => '+',
            similar::ChangeTag::Equal => continue,
        };
        if !heading.is_empty() {
            let _ = write!(out, "  {heading}");
            heading = "";
        }
        let _ = write!(out, "{sign} {line}");
        lines += 1;
        if lines == 40 {
            out.push_str("  and more\n");
            break;
        }
    }
    out
}

/// A line of a file with the keys of that of a fix: of two in braces each key that the fix has in place of the file's.
fn joined(old: &str, new: &str) -> String {
    let braces =
        |line: &str| Some((line.find('{')?, line.rfind('}')?)).filter(|_| !line.trim_start().starts_with("- "));
    let (Some((from, to)), Some((begin, end))) = (braces(old), braces(new)) else { return new.to_owned() };
    let keys = new[begin + 1..end].trim();
    let key = keys.split(':').next().unwrap();
    let mut depth = 0;
    let inside = &old[from + 1..to];
    let parts = inside.split(|c: char| {
        depth += i32::from("{[".contains(c)) - i32::from("}]".contains(c));
        depth == 0 && c == ','
    });
    let kept: Vec<&str> =
        parts.map(str::trim).filter(|part| !part.is_empty() && part.split(':').next() != Some(key)).collect();
    format!("{}{{ {} }}", &old[..from], kept.into_iter().chain([keys]).collect::<Vec<_>>().join(", "))
}

/// The file with the keys of a fix in it: below what is there already where it has the same key, of a list at its head.
pub fn with_fix(file: &str, fix: &str) -> String {
    let mut lines: Vec<String> = file.lines().map(str::to_owned).collect();
    let (mut from, mut to) = (0, lines.len());
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut rest = fix.lines();
    while let Some(line) = rest.next() {
        // The same key, or the same item of a list; one with another value gets that of the fix.
        let key = |line: &str| line.split(": ").next().unwrap().trim_end_matches(':').to_owned();
        let item = line.trim_start().starts_with("- ");
        match (from..to).find(|at| if item { lines[*at] == line } else { key(&lines[*at]) == key(line) }) {
            Some(at) => {
                lines[at] = joined(&lines[at], line);
                let deep = indent(line);
                from = at + 1;
                to = (from..to).find(|next| indent(&lines[*next]) <= deep).unwrap_or(to);
            }
            None => {
                let all: Vec<String> = std::iter::once(line).chain(rest.by_ref()).map(str::to_owned).collect();
                lines.splice(from..from, all);
            }
        }
    }
    lines.join("\n") + "\n"
}
