//! Checks, tried for real: each kind passes and fails, nothing takes longer than it may, and an apply that breaks one
//! is undone.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{Options, Output, assert_snapshot_with, quiet, sh, topo, try_sh, wait_for, write};
use serde_json::Value;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Two nodes at a cable; RED has a name server and names.
const PAIR: &str = r#"
name: lab
namespaces:
  RED:
    interfaces:
      eth0: { veth: BLUE/eth0, addresses: [10.0.0.1/24, "fd00::1/64"] }
    dns: { nameservers: [10.0.0.2], hosts: { web: 10.0.0.2 } }
  BLUE:
    interfaces:
      eth0: { addresses: [10.0.0.2/24, "fd00::2/64"] }
  ALONE:
"#;

/// A topology with these checks.
fn lab(checks: &str) -> String {
    write("lab.yaml", &format!("{PAIR}checks:\n{checks}"))
}

/// A program in a node, ended with the value.
struct Server(Child);

impl Server {
    fn start(node: &str, words: &[&str]) -> Self {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", node])
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().expect("a server starts"))
    }

    /// A server that socat makes, once its port is there.
    fn socat(node: &str, port: u16, listen: &str, does: &str) -> Self {
        let server = Self::start(node, &["socat", listen, does]);
        let listens = || {
            try_sh(&format!("ip netns exec {node} ss -Hltun 'sport = :{port}'")).stdout.contains(&format!(":{port}"))
        };
        assert!(wait_for(Duration::from_secs(3), listens), "no server on port {port} of {node}");
        server
    }

    /// One that answers every request in HTTP with these words.
    fn http(node: &str, port: u16, answer: &str) -> Self {
        let path = write(&format!("answer-{port}"), answer);
        Self::socat(node, port, &format!("TCP-LISTEN:{port},reuseaddr,fork"), &format!("SYSTEM:cat {path}; sleep 0.2"))
    }

    /// A name server that knows `web.lab` by 10.0.0.2 and no other name.
    fn dns(node: &str) -> Self {
        let program = write(
            "dns.py",
            "import socket, struct\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('', 53))\nwhile True:\n    q, a = s.recvfrom(512)\n    known = q[12:21] == b'\\3web\\3lab\\0' and q[21:23] == b'\\0\\1'\n    flags = 0x8180 if q[12:21] == b'\\3web\\3lab\\0' else 0x8183\n    r = q[:2] + struct.pack('>HHHHH', flags, 1, int(known), 0, 0) + q[12:]\n    if known:\n        r += b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\7\\0\\4' + socket.inet_aton('10.0.0.2')\n    s.sendto(r, a)\n",
        );
        let server = Self::start(node, &["python3", &program]);
        let listens = || try_sh(&format!("ip netns exec {node} ss -Hlun 'sport = :53'")).stdout.contains(":53");
        assert!(wait_for(Duration::from_secs(3), listens), "no name server in {node}");
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the checks, each with its expected result behind `#`, and compares; answers with what was said.
#[track_caller]
fn expect(checks: &str) -> Value {
    let file = lab(checks);
    let expected: Vec<&str> =
        checks.lines().filter_map(|line| line.split_once("# ")).map(|(_, result)| result).collect();
    let output = topo(&["test", "--json", &file]);
    let value: Value = serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", output.stdout, output.stderr));
    let results: Vec<&Value> = value["topologies"][0]["checks"].as_array().unwrap().iter().collect();
    for (result, expected) in results.iter().zip(&expected) {
        let (verdict, reason) = expected.split_once(": ").unwrap_or((expected, ""));
        assert!(
            result["result"] == verdict && result["reason"].as_str().unwrap().contains(reason),
            "expected {expected:?}, found {result:#}"
        );
    }
    assert_eq!(results.len(), expected.len());
    let good = expected.iter().all(|result| result.starts_with("passed") || result.starts_with("skipped"));
    assert_eq!((output.code, &value["passed"]), (if good { 0 } else { 1 }, &Value::Bool(good)));
    value
}

fn apply() {
    topo(&["apply", "--yes", &lab("")]).expect(0);
}

#[test]
fn ping_and_tcp() {
    sandbox::run("ping_and_tcp", || {
        apply();
        let _server = Server::socat("BLUE", 80, "TCP6-LISTEN:80,reuseaddr,fork", "SYSTEM:true");
        expect(
            r#"
  - ping: { from: RED, to: 10.0.0.2 } # passed: answered in
  - ping: { from: RED, to: BLUE/eth0, count: 5, size: 1400 } # passed: 5 of 5
  - ping: { from: RED, to: BLUE, family: ipv6 } # passed
  - ping: { from: RED, to: web } # passed
  - ping: { from: BLUE, to: RED, size: 4000 } # passed
  - ping: { from: BLUE, to: RED, size: 4000, family: ipv6 } # passed
  - ping: { from: RED, to: RED } # passed
  - ping: { from: RED, to: 10.0.0.9, timeout: 300ms, retries: 0 } # failed: no answer from 10.0.0.9 within 300ms
  - ping: { from: RED, to: 10.0.0.9, timeout: 300ms, expect: fail } # passed
  - ping: { from: RED, to: 10.0.0.9, retries: 0 } # failed: no answer from 10.0.0.9 within 500ms
  - ping: { from: RED, to: 10.0.0.2, expect: fail } # failed
  - ping: { from: RED, to: 203.0.113.1, retries: 0 } # failed: network is unreachable
  - ping: { from: ALONE, to: 10.0.0.2, expect: fail } # passed
  - ping: { from: host, to: 127.0.0.1 } # passed
  - ping: { from: host, to: 10.0.0.2, expect: fail, timeout: 200ms } # passed
  - tcp: { from: RED, to: "BLUE:80" } # passed: connected
  - tcp: { from: RED, to: "[fd00::2]:80" } # passed
  - tcp: { from: RED, to: "10.0.0.2:81", retries: 0 } # failed: connection refused
  - tcp: { from: RED, to: "10.0.0.2:81", expect: fail } # passed: refused
  - tcp: { from: RED, to: "10.0.0.9:80", timeout: 200ms, retries: 0 } # failed: no connection to 10.0.0.9:80 within 200ms
  - tcp: { from: BLUE, to: "10.0.0.2:80", expect: fail } # failed
"#,
        );
    });
}

#[test]
fn udp_and_names() {
    sandbox::run("udp_and_names", || {
        apply();
        let _echo = Server::socat("BLUE", 7, "UDP4-LISTEN:7,reuseaddr,fork", "EXEC:cat");
        let _names = Server::dns("BLUE");
        sh(
            "ip netns exec BLUE nft 'table inet t { chain i { type filter hook input priority 0; udp dport 9 drop; }; }'",
        );
        expect(
            r#"
  - udp: { from: RED, to: "10.0.0.2:7", send: hello } # passed: 5 bytes answered
  - udp: { from: RED, to: "10.0.0.2:8", retries: 0 } # failed: connection refused
  - udp: { from: RED, to: "10.0.0.2:8", reply: false, retries: 0 } # failed: connection refused
  - udp: { from: RED, to: "10.0.0.2:9", timeout: 200ms, retries: 0 } # failed: no answer from 10.0.0.2:9 within 200ms
  - udp: { from: RED, to: "10.0.0.2:9", reply: false, timeout: 200ms } # passed: it was not refused
  - udp: { from: RED, to: "[fd00::2]:8", expect: fail } # passed: refused
  - dns: { from: RED, query: web.lab } # passed: 10.0.0.2
  - dns: { from: RED, query: WEB.lab, expect: fail } # passed: knows no name
  - dns: { from: RED, query: web.lab, server: BLUE, address: 10.0.0.2 } # passed
  - dns: { from: BLUE, query: web.lab, server: "10.0.0.2:53", address: 10.0.0.3, retries: 0 } # failed: web.lab is 10.0.0.2, expected 10.0.0.3
  - dns: { from: RED, query: web.lab, family: ipv6, retries: 0 } # failed: knows no AAAA of web.lab
  - dns: { from: RED, query: db.lab, retries: 0 } # failed: knows no name db.lab
  - dns: { from: RED, query: db.lab, server: "10.0.0.2:54", retries: 0 } # failed: connection refused
"#,
        );
    });
}

#[test]
fn http_and_programs() {
    sandbox::run("http_and_programs", || {
        apply();
        let _names = Server::dns("BLUE");
        let _good = Server::http("BLUE", 80, "HTTP/1.0 200 OK\r\nContent-Length: 8\r\n\r\nwelcome\n");
        let _moved = Server::http("BLUE", 81, "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n");
        let _broken = Server::http("BLUE", 82, "HTTP/1.1 500 Oops\r\n\r\nsorry");
        let _other = Server::http("BLUE", 83, "SSH-2.0-nothing\r\n");
        let _silent = Server::socat("BLUE", 84, "TCP-LISTEN:84,reuseaddr,fork", "SYSTEM:sleep 9");
        expect(
            r#"
  - http: { from: RED, url: "http://10.0.0.2/", status: 200, contains: welcome } # passed: status 200
  - http: { from: RED, url: "http://BLUE/" } # passed
  - http: { from: RED, url: "http://web/x?y=z" } # passed
  - http: { from: RED, url: "http://web.lab:80" } # passed
  - http: { from: RED, url: "http://no.lab/", retries: 0 } # failed: knows no name no.lab
  - http: { from: RED, url: "http://10.0.0.2/", contains: goodbye, retries: 0 } # failed: "goodbye" is not in the 8 bytes
  - http: { from: RED, url: "http://10.0.0.2:81/" } # passed: status 302
  - http: { from: RED, url: "http://10.0.0.2:81/", status: 200, retries: 0 } # failed: status 302, expected 200
  - http: { from: RED, url: "http://10.0.0.2:82/", retries: 0 } # failed: status 500
  - http: { from: RED, url: "http://10.0.0.2:82/", status: 500, contains: sorry } # passed
  - http: { from: RED, url: "http://10.0.0.2:83/", retries: 0 } # failed: does not answer in HTTP
  - http: { from: RED, url: "http://10.0.0.2:84/", timeout: 300ms, retries: 0 } # failed: within 300ms
  - http: { from: RED, url: "http://10.0.0.2:85/", expect: fail } # passed
  - command: { from: RED, run: [ping, -c1, -W1, 10.0.0.2] } # passed: exit status 0
  - command: { from: RED, run: [sh, -c, "getent hosts web | grep -q 10.0.0.2 && ! getent hosts web2"] } # passed
  - command: { from: BLUE, run: [getent, hosts, web], expect: fail } # passed
  - command: { from: host, run: [sh, -c, "echo one; echo two >&2; exit 3"], retries: 0 } # failed: exit status 3: two
  - command: { from: RED, run: [no-such-program], expect: fail } # error: there is no program "no-such-program"
  - command: { from: RED, run: [sleep, 9], timeout: 200ms, retries: 0 } # failed: it did not end within 200ms
  - command: { from: RED, run: [echo, "; reboot", $HOME] } # passed
"#,
        );
    });
}

/// What a check started does not outlive it; what never ends is ended.
#[test]
fn nothing_outlives_a_check() {
    sandbox::run("nothing_outlives_a_check", || {
        apply();
        let begin = Instant::now();
        expect(
            r#"
  - command: { from: RED, run: [sh, -c, "sleep 4711 & exit 0"] } # passed
  - command: { from: RED, run: [sh, -c, "sleep 4711"], timeout: 300ms, retries: 0 } # failed
  - command: { from: RED, run: ["yes"], timeout: 300ms, retries: 0 } # failed
  - command: { from: RED, run: [sh, -c, "trap '' TERM INT; while :; do sleep 0.1; done"], timeout: 300ms, retries: 1 } # failed
"#,
        );
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        assert!(wait_for(Duration::from_secs(1), || try_sh("pgrep -f '^sleep 4711'; pgrep -x yes").stdout.is_empty()));
        let file = lab("  - command: { from: RED, run: [sleep, 4711], timeout: 600s }\n");
        let mut child = Command::new(sandbox::topo_path()).args(["test", &file]).stdout(Stdio::null()).spawn().unwrap();
        assert!(wait_for(Duration::from_secs(2), || try_sh("pgrep -f '^sleep 4711'").code == 0));
        sh(&format!("kill -INT {}", child.id()));
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(wait_for(Duration::from_secs(1), || try_sh("pgrep -f '^sleep 4711'").stdout.is_empty()));
    });
}

#[test]
fn tries_and_times() {
    sandbox::run("tries_and_times", || {
        apply();
        // It works at the third try.
        let third = "[sh, -c, \"echo x >>/run/lock/n; test $(wc -l </run/lock/n) = 3\"]";
        let value = expect(&format!("  - command: {{ from: RED, run: {third} }} # passed\n"));
        assert_eq!(value["topologies"][0]["checks"][0]["tries"], 3);
        let fourth = "[sh, -c, \"echo x >>/run/lock/m; test $(wc -l </run/lock/m) != 4\"]";
        let value =
            expect(&format!("  - command: {{ from: RED, run: {fourth}, expect: fail, retries: 5 }} # passed\n"));
        assert_eq!(value["topologies"][0]["checks"][0]["tries"], 4);
        // A hundred that wait a second each do so side by side.
        let many = "  - ping: { from: RED, to: 10.0.0.9, timeout: 1s, expect: fail } # passed\n".repeat(100);
        let begin = Instant::now();
        expect(&many);
        assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
        // All together are bounded, too; what was cut off is no success, whatever was expected.
        let file =
            lab(&"  - ping: { from: RED, to: 10.0.0.9, timeout: 600s, retries: 100, expect: fail }\n".repeat(40));
        let begin = Instant::now();
        let output = topo(&["test", "--total-timeout", "1", &file]).expect(1);
        assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
        output.says("0 passed, 40 could not be tried").says("the time for all checks was over before it was tried");
    });
}

/// No namespace, or one that somebody else made under the name: an error, not what a check with `expect: fail` waits
/// for.
#[test]
fn what_is_not_there() {
    sandbox::run("what_is_not_there", || {
        let checks = "  - ping: { from: RED, to: 10.0.0.2, expect: fail } # error: there is no namespace RED\n";
        expect(checks);
        sh("ip netns add RED");
        let _ = expect(
            &checks.replace("there is no namespace RED", "the namespace RED is not one that topology \"lab\" made"),
        );
        sh("ip netns del RED");
        topo(&["test", &lab("")]).expect(0).says("Topology lab has no checks.");
        let file = lab("  - command: { from: host, run: [touch, /run/lock/ran] }\n");
        topo(&["plan", &file]).expect(0);
        topo(&["apply", "--yes", &file]).expect(0);
        topo(&["test", "--no-commands", &file]).expect(0).says("1 skipped");
        assert_eq!(try_sh("test -e /run/lock/ran").code, 1, "plan and apply run no program");
        topo(&["test", &file]).expect(0).says("1 passed");
        sh("test -e /run/lock/ran");
    });
}

#[test]
fn junit_and_json() {
    sandbox::run("junit_and_json", || {
        apply();
        let file = lab(
            "  - ping: { from: RED, to: BLUE, name: \"a & <b> \\\"c\\\" \u{00e9}\" }\n  - tcp: { from: RED, to: \"BLUE:1\", retries: 0 }\n  - command: { from: RED, run: [no-such-program] }\n  - command: { from: RED, run: [sh, -c, \"printf 'x\\\\033[31m\\\\001' >&2; exit 1\"], retries: 0 }\n",
        );
        let output = topo(&["test", "--junit", "/run/lock/report.xml", &file]).expect(1);
        assert!(
            !output.stdout.contains('\x1b') && output.stdout.contains("1 passed, 2 failed, 1 could not be tried"),
            "{}",
            output.stdout
        );
        let read = "import xml.etree.ElementTree as E\nfor s in E.parse('/run/lock/report.xml').getroot():\n    print(s.get('name'), s.get('tests'), s.get('failures'), s.get('errors'))\n    for c in s:\n        print(c.get('name'), [e.tag for e in c])";
        let python = Command::new("python3").args(["-c", read]).env("PYTHONIOENCODING", "utf8").output().unwrap();
        let text = String::from_utf8_lossy(&python.stdout);
        assert!(
            text.starts_with("lab 4 2 1\na & <b> \"c\" \u{00e9} []\nRED: tcp BLUE:1 ['failure']\n"),
            "{text}{}",
            String::from_utf8_lossy(&python.stderr)
        );
        let schema: Value = serde_json::from_str(&topo(&["schema", "test"]).expect(0).stdout).unwrap();
        let value: Value = serde_json::from_str(&topo(&["test", "--json", &file]).expect(1).stdout).unwrap();
        assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&value), "{value:#}");
        topo(&["test", "--junit", "/run/nowhere/report.xml", &lab("")]).expect(1).says("cannot write");
    });
}

/// Of a machine that stands still.
fn settled() -> (Options, String) {
    let options = Options::default();
    let snapshot = quiet(&options);
    (options, snapshot)
}

fn apply_test(text: &str) -> Output {
    topo(&["apply", "--test", "--yes", &write("change.yaml", text)])
}

#[test]
fn an_apply_that_breaks_a_check_is_undone() {
    sandbox::run("an_apply_that_breaks_a_check_is_undone", || {
        let checks = "checks:\n  - ping: { from: RED, to: 10.0.0.2, timeout: 500ms }\n  - ping: { from: RED, to: 10.0.0.9, timeout: 200ms, retries: 0 }\n  - tcp: { from: RED, to: \"10.0.0.2:80\", timeout: 500ms, expect: fail }\n";
        let (options, empty) = settled();
        // The first time each has to pass.
        apply_test(&format!("{PAIR}{checks}")).expect(1).says("each check has to pass").says("Undone");
        assert_snapshot_with(&empty, &options);
        apply();
        let (options, before) = settled();
        let broken = format!("{}{checks}", PAIR.replace("10.0.0.2/24,", "10.0.0.3/24,"));
        let output = apply_test(&broken).expect(1);
        output
            .clone()
            .says("RED: ping 10.0.0.2: no answer from 10.0.0.2 within 500ms")
            .says("it passed before")
            .says("Undone: topology lab is as it was before.");
        output.clone().says("change.yaml:13").says("before the change, lab: 2 passed, 1 failed");
        assert!(!output.stderr.contains("check \"RED: tcp"), "{}", output.stderr);
        assert_snapshot_with(&before, &options);
        topo(&["plan", "--detailed-exitcode", &lab("")]).expect(0);
        // A change that breaks nothing stays, and what failed before is told.
        let good =
            format!("{}{checks}", PAIR.replace("addresses: [10.0.0.2/24,", "mtu: 1400, addresses: [10.0.0.2/24,"));
        apply_test(&good).expect(0).says("fails, as it did before: ").says("Applied");
        // Where nothing is to be changed the checks are tried all the same, and there is nothing to undo.
        apply_test(&good).expect(1).says("RED: ping 10.0.0.9: ").says("nothing was changed");
        let passing = good.replace("10.0.0.9", "10.0.0.2");
        assert_ne!(passing, good);
        apply_test(&passing).expect(0).says("nothing is changed, lab: 3 passed");
        // Left as it is where that is asked for.
        let file = write("change.yaml", &broken);
        topo(&["apply", "--test", "--yes", "--no-rollback", &file]).expect(1).says("Left as it is");
        sh("ip -n BLUE -4 -br address show dev eth0 | grep -q 10.0.0.3");
        topo(&["apply", "--yes", &lab("")]).expect(0);
        // For programs.
        let report: Value =
            serde_json::from_str(&topo(&["apply", "--test", "--yes", "--json", &file]).expect(1).stdout).unwrap();
        let report = &report["reports"][0];
        assert_eq!(
            (&report["result"], &report["undone"], &report["checks"][0]["result"]),
            (&"failed".into(), &true.into(), &"failed".into()),
            "{report:#}"
        );
        assert!(report["error"]["reason"].as_str().unwrap().contains("ping 10.0.0.2"), "{report:#}");
        topo(&["plan", "--out", "/run/lock/lab.plan", &file]).expect(0);
        topo(&["apply", "--test", "/run/lock/lab.plan"]).expect(64).says("no checks");
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_snapshot_with(&empty, &Options::default());
    });
}

/// Starts an apply whose checks go on for long, sends it a signal in the middle of them, and answers with its exit
/// status.
fn stopped_by(signal: &str) -> Option<i32> {
    let file = write(
        "long.yaml",
        &format!(
            "{}checks:\n  - command: {{ from: RED, run: [sleep, 4712], timeout: 600s }}\n",
            PAIR.replace("  ALONE:\n", "")
        ),
    );
    let mut child = Command::new(sandbox::topo_path())
        .args(["apply", "--test", "--yes", "-q", &file])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    assert!(wait_for(Duration::from_secs(5), || try_sh("pgrep -f '^sleep 4712'").code == 0), "the check runs");
    sh(&format!("kill -{signal} {}", child.id()));
    child.wait().unwrap().code()
}

#[test]
fn an_apply_stopped_in_its_checks() {
    sandbox::run("an_apply_stopped_in_its_checks", || {
        let (options, empty) = settled();
        assert_eq!(stopped_by("TERM"), Some(143));
        assert_snapshot_with(&empty, &options);
        assert_eq!(stopped_by("KILL"), None);
        topo(&["list"]).expect(0).says("half-made");
        topo(&["apply", "--yes", "/run/lock/long.yaml"]).expect(0);
        let list = topo(&["list"]).expect(0).stdout;
        assert!(!list.contains("half-made"), "{list}");
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_snapshot_with(&empty, &options);
    });
}

#[test]
fn without_privileges() {
    sandbox::run("without_privileges", || {
        apply();
        let file = lab("  - ping: { from: RED, to: BLUE }\n");
        sh(&format!("chmod a+r {file}; install -m 755 {} /run/lock/topo", sandbox::topo_path()));
        let output = try_sh(&format!("setpriv --reuid 65534 --regid 65534 --clear-groups /run/lock/topo test {file}"));
        output.expect(77).says("run it as root");
    });
}
