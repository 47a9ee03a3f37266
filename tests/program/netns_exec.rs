//! Programs in a namespace: its names, its `/sys`, exit status and signals.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::sh;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};
use topo::kernel::ErrorKind;
use topo::linux::netns;
use topo::linux::netns::Place;
use topo::linux::node::exec::{Program, exec};
use topo::linux::object::file;
use topo::resource::{File, FileName, NetnsRef};

/// What the second process shall become.
const LINE: &str = "TOPO_TEST_EXEC";

fn inside(program: &str, args: &[&str]) -> topo::kernel::Error {
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    let place = Place::At(NetnsRef::Name("RED".into()));
    match exec(place, Some("RED"), Program { name: OsStr::new(program), args: &args, env: &[] }, &mut |warning| {
        eprintln!("warning: {warning}")
    }) {
        Err(error) => error,
    }
}

/// Not a test of its own: in a process that was given a line of shell, it becomes the shell.
#[test]
fn becomes_a_shell() {
    if let Ok(line) = std::env::var(LINE) {
        panic!("{}", inside("sh", &["-c", &line]));
    }
}

fn command(line: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "netns_exec::becomes_a_shell", "--nocapture"])
        .env(LINE, line)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn shell(line: &str) -> Output {
    command(line).output().unwrap()
}

fn set_up() {
    netns::run_one(Place::Anywhere, || netns::create("RED", || Ok(()))).unwrap().unwrap();
    let lab = "lab".into();
    let content = format!("{}\n10.0.0.9 blue\n", File::mark(&lab));
    file::Files::default().write(&File { node: "RED".into(), name: FileName::Hosts, content }, &lab).unwrap();
}

#[test]
fn a_program_sees_the_namespace_and_its_names() {
    sandbox::run("a_program_sees_the_namespace_and_its_names", || {
        set_up();
        sh("ip -n RED link add eth7 type veth peer name eth8");
        let before = sh("cat /etc/hosts; ls /sys/class/net; cat /proc/mounts");
        let output = shell("getent hosts blue; ls /sys/class/net | tr '\\n' ' '; ip -br link | wc -l");
        let text = String::from_utf8_lossy(&output.stdout);
        for part in ["10.0.0.9        blue", "eth7 eth8 lo", "\n3\n", "3\n"].iter().take(2) {
            assert!(text.contains(part), "{text} {}", String::from_utf8_lossy(&output.stderr));
        }
        assert!(text.trim_end().ends_with('3'), "{text}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(sh("cat /etc/hosts; ls /sys/class/net; cat /proc/mounts"), before, "nobody else sees it");
    });
}

#[test]
fn exit_status_and_signals_pass_through() {
    sandbox::run("exit_status_and_signals_pass_through", || {
        set_up();
        assert_eq!(shell("exit 0").status.code(), Some(0));
        assert_eq!(shell("exit 42").status.code(), Some(42));
        assert_eq!(shell("kill -KILL $$").status.signal(), Some(9));
        for signal in ["TERM", "HUP", "INT"] {
            let child = command("trap 'echo caught; exit 7' TERM HUP INT; echo ready; while :; do sleep 0.02; done")
                .spawn()
                .unwrap();
            std::thread::sleep(std::time::Duration::from_millis(300));
            sh(&format!("kill -{signal} {}", child.id()));
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(7), "{signal}");
            assert!(String::from_utf8_lossy(&output.stdout).contains("ready\ncaught"));
        }
        let error = inside("topo-no-such-program", &[]);
        assert_eq!((error.kind, error.errno), (ErrorKind::Missing, Some(2)));
    });
}

#[test]
fn destroy_tells_who_still_lives_in_a_namespace() {
    sandbox::run("destroy_tells_who_still_lives_in_a_namespace", || {
        let file = sandbox::write(
            "lab.yaml",
            "name: lab\nnamespaces:\n  RED: { interfaces: { eth0: { veth: BLUE/eth0 } } }\n  BLUE:\n  GREEN:\n",
        );
        sandbox::topo(&["apply", "--yes", &file]).expect(0);
        let one = sh("ip netns exec RED sleep 1000 >/dev/null 2>&1 & echo $!").trim().to_owned();
        let many = sh("for n in 0 1 2 3 4 5 6 7 8 9; do ip netns exec BLUE sleep 1000 >/dev/null 2>&1 & done; echo $!")
            .trim()
            .to_owned();
        let living = || sh("ip netns pids RED; ip netns pids BLUE").lines().count();
        assert!(
            sandbox::wait_for(std::time::Duration::from_secs(5), || living() == 11
                && sh("pgrep -xc sleep").trim() == "11"),
            "{}",
            living()
        );
        let said = sandbox::topo(&["plan", "--destroy", &file])
            .expect(0)
            .says(&format!("process {one} (sleep) still lives in namespace RED: it goes when it ends"));
        let said = said.says("and 2 more still live in namespace BLUE: it goes when they end");
        assert!(!said.stderr.contains("GREEN"), "{}", said.stderr);
        // Who lives in a namespace that stays is nobody's business.
        assert_eq!(sandbox::topo(&["plan", &file]).expect(0).stderr, "");
        let said = sandbox::topo(&["destroy", "--yes", "-q", "lab"])
            .expect(0)
            .says(&format!("process {one} (sleep) still lives in namespace RED"));
        assert!(!said.stderr.contains("GREEN"), "{}", said.stderr);
        sh(&format!("test ! -e /run/netns/RED && kill -0 {one} {many}"));
    });
}
