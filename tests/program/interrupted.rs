//! Signals, questions, limits of the process, and arguments: nothing of them leaves a change half done, a lock, or a
//! panic.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{assert_snapshot, quiet, sh, topo, topo_path, try_sh, wait_for, write};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const LAB: &str = "
name: lab
host: { sysctls: { net.ipv4.ip_default_ttl: 63 } }
namespaces:
  A: { interfaces: { eth0: { veth: B/eth0, addresses: [10.6.0.1/24] } } }
  B: { interfaces: { eth0: { addresses: [10.6.0.2/24] } } }
";

const OTHER: &str = "
name: other
namespaces:
  C: { interfaces: { eth0: { veth: D/eth0, addresses: [10.7.0.1/24] } } }
  D: { interfaces: { eth0: { addresses: [10.7.0.2/24] } } }
";

/// A topology with as many nodes, each with a bridge.
fn many(nodes: usize) -> String {
    let mut text = "name: many\nnamespaces:\n".to_owned();
    for node in 0..nodes {
        let _ =
            writeln!(text, "  N{node}: {{ interfaces: {{ b0: {{ bridge: {{}}, addresses: [10.6.{node}.1/24] }} }} }}");
    }
    text
}

/// Runs a command line on a terminal of its own; what is written to its standard input is typed there.
fn on_a_terminal(line: &str) -> Child {
    let mut command = Command::new("script");
    command.args(["-qefc", line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits for the question, and answers with what stood before it.
fn until_asked(terminal: &mut Child) -> String {
    let (mut text, mut byte) = (Vec::new(), [0]);
    let stream = terminal.stdout.as_mut().unwrap();
    while !String::from_utf8_lossy(&text).contains("yes") {
        assert_eq!(
            stream.read(&mut byte).unwrap(),
            1,
            "it ended without a question:\n{}",
            String::from_utf8_lossy(&text)
        );
        text.push(byte[0]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn type_in(terminal: &mut Child, text: &str) {
    let stdin = terminal.stdin.as_mut().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    stdin.flush().unwrap();
}

#[track_caller]
fn ends(terminal: Child, code: i32) -> String {
    let output = terminal.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

fn topo_folder() -> String {
    try_sh("ls -A /run/topo").stdout
}

#[test]
fn an_open_question_is_in_nobodys_way() {
    sandbox::run("an_open_question_is_in_nobodys_way", || {
        let (lab, other, third) = (write("lab.yaml", LAB), write("other.yaml", OTHER), write("many.yaml", &many(3)));
        let machine = quiet(&Default::default());
        topo(&["apply", "--confirm", "6s", "--yes", "-q", &lab]).expect(0);
        let mut terminal = on_a_terminal(&format!("{} apply {other}", topo_path()));
        until_asked(&mut terminal);
        topo(&["apply", "--yes", "-q", "--lock-timeout", "0", &third]).expect(0);
        assert!(
            wait_for(Duration::from_secs(10), || !topo(&["list"]).stdout.contains("lab")),
            "not undone while the question stands"
        );
        topo(&["destroy", "--yes", "-q", "--lock-timeout", "0", "many"]).expect(0);
        type_in(&mut terminal, "no\n");
        assert!(ends(terminal, 1).contains("Nothing was changed"));
        assert_snapshot(&machine);
    });
}

#[test]
fn after_the_question_it_looks_again() {
    sandbox::run("after_the_question_it_looks_again", || {
        let lab = write("lab.yaml", LAB);
        // Somebody does a part of it: less is left to do than was shown.
        let mut terminal = on_a_terminal(&format!("{} apply {lab}", topo_path()));
        until_asked(&mut terminal);
        sh("sysctl -qw net.ipv4.ip_default_ttl=63");
        type_in(&mut terminal, "yes\n");
        ends(terminal, 0);
        topo(&["plan", "--detailed-exitcode", &lab]).expect(0);
        // Somebody does something that it would have to undo: nobody has seen that.
        let more =
            write("more.yaml", &LAB.replace("addresses: [10.6.0.1/24]", "addresses: [10.6.0.1/24], txqueuelen: 77"));
        for command in [format!("apply {more}"), "destroy lab".to_owned(), "undo lab".to_owned()] {
            let mut terminal = on_a_terminal(&format!("{} {command}", topo_path()));
            until_asked(&mut terminal);
            sh("ip -n B link add extra type veth peer name extra1");
            let before = quiet(&Default::default());
            type_in(&mut terminal, "yes\n");
            let said = ends(terminal, 1);
            assert!(said.contains("stale") && said.contains("extra"), "{command}: {said}");
            assert_snapshot(&before);
            sh("ip -n B link del extra");
        }
        // Another run of topo may have begun to wait for a confirmation of the same topology.
        let mut terminal = on_a_terminal(&format!("{} apply {more}", topo_path()));
        until_asked(&mut terminal);
        topo(&["apply", "--confirm", "60s", "--yes", "-q", &more]).expect(0);
        type_in(&mut terminal, "yes\n");
        assert!(ends(terminal, 1).contains("waits for confirmation"));
        topo(&["rollback", "-q", "lab"]).expect(0);
        topo(&["destroy", "--yes", "-q", "lab"]).expect(0);
        assert_eq!(topo_folder(), "");
    });
}

#[test]
fn a_signal_ends_the_question_and_leaves_nothing() {
    sandbox::run("a_signal_ends_the_question_and_leaves_nothing", || {
        let lab = write("lab.yaml", LAB);
        let mut terminal = on_a_terminal(&format!("{} apply {lab}", topo_path()));
        until_asked(&mut terminal);
        type_in(&mut terminal, "\x03");
        let said = ends(terminal, 130);
        assert!(said.ends_with("\r\nNothing was changed.\r\n"), "{said:?}");
        assert!(!std::fs::exists("/run/topo").unwrap());
        // While it plans, or waits for the lock, likewise; later, all is undone.
        let file = write("many.yaml", &many(200));
        let machine = quiet(&Default::default());
        for (delay, signal) in (0..24).map(|n| (n * 4, ["INT", "TERM", "HUP"][n as usize % 3])) {
            let child =
                Command::new(topo_path()).args(["apply", "--yes", "-q", &file]).stdin(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(delay));
            try_sh(&format!("kill -{signal} {}", child.id()));
            child.wait_with_output().unwrap();
            assert_snapshot(&machine);
            assert!(!std::fs::exists("/run/topo").unwrap(), "{signal} after {delay} ms leaves {}", topo_folder());
        }
        sh("mkdir -m 700 /run/topo");
        let mut holder = Command::new("flock").args(["/run/topo/.lock", "sleep", "60"]).spawn().unwrap();
        assert!(wait_for(Duration::from_secs(5), || try_sh("flock -n /run/topo/.lock true").code != 0));
        let mut child = Command::new(topo_path())
            .args(["apply", "--yes", &lab])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stderr.as_mut().unwrap().read_exact(&mut [0; 16]).expect("it says for whom it waits");
        sh(&format!("kill -TERM {}", child.id()));
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
        holder.kill().unwrap();
        holder.wait().unwrap();
    });
}

#[test]
fn a_signal_that_came_ignored_stays_ignored() {
    sandbox::run("a_signal_that_came_ignored_stays_ignored", || {
        let file = write("many.yaml", &many(100));
        for signal in ["HUP", "INT", "TERM"] {
            for delay in [20, 60, 120] {
                let line = format!("trap '' {signal}; exec {} apply --yes -q {file}", topo_path());
                let child = Command::new("sh").args(["-c", &line]).stdin(Stdio::null()).spawn().unwrap();
                std::thread::sleep(Duration::from_millis(delay));
                try_sh(&format!("kill -{signal} {}", child.id()));
                assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0), "{signal} after {delay} ms");
                topo(&["destroy", "--yes", "-q", "many"]).expect(0);
            }
        }
    });
}

#[test]
fn a_limit_for_the_size_of_files_is_a_failure_that_is_undone() {
    sandbox::run("a_limit_for_the_size_of_files_is_a_failure_that_is_undone", || {
        let lab = write("lab.yaml", LAB);
        let machine = quiet(&Default::default());
        let mut failed = 0;
        for blocks in [0, 1, 2, 3, 4, 6, 12] {
            let line = format!("ulimit -f {blocks}; exec {} apply --yes -q {lab}", topo_path());
            let output = Command::new("sh").args(["-c", &line]).stdin(Stdio::null()).output().unwrap();
            match output.status.code() {
                Some(0) => topo(&["plan", "--detailed-exitcode", &lab]).expect(0),
                Some(1) => {
                    failed += 1;
                    assert!(String::from_utf8_lossy(&output.stderr).contains("large"), "{output:?}");
                    assert_snapshot(&machine);
                    continue;
                }
                _ => panic!("ulimit -f {blocks}: {output:?}"),
            };
            topo(&["destroy", "--yes", "-q", "lab"]).expect(0);
            assert_snapshot(&machine);
        }
        assert!(failed > 0, "no limit was too low");
        // A program in a node is ended by that signal, as it would be without topo.
        topo(&["apply", "--yes", "-q", &lab]).expect(0);
        let line =
            format!("ulimit -f 1; exec {} exec A -- dd if=/dev/zero of=/run/lock/big bs=4096 count=4", topo_path());
        let output = try_sh(&line);
        assert_eq!(output.code, 128 + nix::libc::SIGXFSZ, "{output:?}");
    });
}

#[test]
fn lost_output_is_told() {
    sandbox::run("lost_output_is_told", || {
        let lab = write("lab.yaml", LAB);
        let machine = quiet(&Default::default());
        let to_full = |args: &str| -> Output {
            Command::new("sh").args(["-c", &format!("exec {} {args} >/dev/full", topo_path())]).output().unwrap()
        };
        let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
        let output = to_full(&format!("apply --yes {lab}"));
        assert_eq!(output.status.code(), Some(1));
        assert!(
            said(&output).contains("cannot write to stdout") && said(&output).contains("Nothing was changed"),
            "{}",
            said(&output)
        );
        assert_snapshot(&machine);
        // The report comes when all is done.
        let output = to_full(&format!("apply --yes --json {lab}"));
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains("Applied: lab"), "{}", said(&output));
        topo(&["plan", "--detailed-exitcode", &lab]).expect(0);
        for command in ["undo --yes", "destroy --yes lab"] {
            let output = to_full(command);
            assert_eq!(output.status.code(), Some(1));
            assert!(said(&output).contains("Nothing was changed"), "{command}: {}", said(&output));
        }
        topo(&["plan", "--detailed-exitcode", &lab]).expect(0);
        topo(&["destroy", "--yes", "-q", "lab"]).expect(0);
        for command in ["--version", "--help", "help apply", "schema", "completions bash"] {
            let output = to_full(command);
            assert_eq!(output.status.code(), Some(1), "{command}");
            assert!(said(&output).contains("cannot write to stdout"), "{command}: {}", said(&output));
        }
    });
}

#[test]
fn arguments_of_any_bytes() {
    sandbox::run("arguments_of_any_bytes", || {
        let lab = write("lab.yaml", LAB);
        let run = |line: &str| {
            Command::new("bash")
                .args(["-c", line])
                .env("T", topo_path())
                .env("LAB", &lab)
                .stdin(Stdio::null())
                .output()
                .unwrap()
        };
        for (line, code) in [
            (r#"exec "$T" $'\xff'"#, 64),
            (r#"exec -a $'\xff' "$T" --version"#, 0),
            (r#"exec "$T" __watch $'\xff'"#, 64),
            (r#"exec "$T" validate $'/run/lock/\xff.yaml'"#, 1),
            (r#"exec "$T" destroy $'\xff'"#, 64),
            (r#"exec "$T" apply --yes -q --lock-timeout 18446744073709551615 "$LAB""#, 0),
            (r#"exec "$T" destroy --yes -q --lock-timeout 9223372036854775807 lab"#, 0),
            (r#"exec "$T" exec host -- true"#, 0),
        ] {
            let output = run(line);
            assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
        }
        // Nor is there anything to warn of in the host's own /sys.
        assert_eq!(String::from_utf8_lossy(&run(r#"exec "$T" exec host -- true"#).stderr), "");
    });
}
