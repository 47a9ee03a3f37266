//! A kernel that was booted with `ipv6.disable=1`: topologies of IPv4 work, and what needs IPv6 is told before anything
//! is touched.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What is done there; a line that fails ends it.
const SCRIPT: &str = r#"
export PATH=$PATH:/usr/sbin:/sbin
test ! -e /proc/sys/net/ipv6
cd "$(mktemp -d)"
expect() { code=$1; shift; said=$("$@" 2>&1) && got=0 || got=$?; [ $got = $code ] || { echo "exit $got, not $code: $*"; echo "$said"; exit 1; }; }
says() { case $(echo $said) in *"$1"*) ;; *) echo "not said: $1"; echo "$said"; exit 1;; esac; }
cat > lab.yaml <<'Y'
name: lab
host:
  forwarding: ipv4
  interfaces: { lab0: { bridge: { ports: [a0, b0] }, addresses: [10.6.0.254/24] } }
  nat: [{ masquerade: { source: 10.6.0.0/24, out: "!lab0" } }]
namespaces:
  A:
    interfaces: { eth0: { veth: host/a0, addresses: [10.6.0.1/24] } }
    routes: [{ to: default, via: 10.6.0.254 }]
    firewall: { input: { policy: drop, rules: [{ protocol: icmp, accept: {} }, { state: [established], accept: {} }] } }
  B:
    forwarding: ipv4
    interfaces: { eth0: { veth: host/b0, addresses: [10.6.0.2/24] } }
    rules: [{ priority: 100, from: 10.6.0.2, table: 7 }]
    sysctls: { net.ipv4.ip_default_ttl: 63 }
  C: {}
Y
before=$(ip -d link; ip addr; ip rule; nft list ruleset)
expect 0 $TOPO apply --yes -q lab.yaml
expect 0 $TOPO plan --detailed-exitcode lab.yaml
expect 0 $TOPO exec A -- ping -qc1 -W5 10.6.0.2
expect 0 $TOPO list; says "ok"
$TOPO show --yaml lab > shown.yaml
expect 0 $TOPO plan --detailed-exitcode shown.yaml
ip -n A route del default
expect 2 $TOPO plan --detailed-exitcode lab.yaml
expect 0 $TOPO apply --yes -q lab.yaml
expect 0 $TOPO undo --yes -q lab
expect 0 $TOPO destroy --yes -q lab
[ "$(ip -d link; ip addr; ip rule; nft list ruleset)" = "$before" ]
needs() { printf 'name: lab\nnamespaces:\n  A: { interfaces: { lo: {} } }\n%s\n' "$1" > six.yaml; expect 1 $TOPO plan six.yaml; says "this kernel has none"; says "six.yaml:$2"; says "$3"; }
needs '  B: { interfaces: { b: { bridge: {}, addresses: ["fd00::1/64"] } } }' 4 "leave IPv6 out"
needs '  B: { forwarding: true }' 4 "forwarding: ipv4"
needs '  B: { rules: [{ priority: 5, table: 7 }] }' 4 "leave IPv6 out"
needs '  B: { sysctls: { net.ipv6.conf.all.accept_ra: 0 } }' 4 "leave IPv6 out"
[ -z "$(ls /run/netns)" ]
echo all held
"#;

#[test]
fn ipv4_alone_works() {
    if let Ok(when) = std::env::var("TOPO_LANE") {
        assert_eq!(when, "never", "TOPO_LANE can be \"never\", or not set");
        let _ =
            std::io::stderr().write_all(b"left out: ipv4_alone_works (TOPO_LANE=never): it is about another kernel\n");
        return;
    }
    let root = env!("CARGO_MANIFEST_DIR");
    let topo = std::env::var("TOPO").unwrap_or_else(|_| env!("CARGO_BIN_EXE_topo").to_owned());
    let mut command = Command::new("bash");
    command.args([
        &format!("{root}/tests/kernel-lane/run"),
        "--timeout",
        "600",
        "--env",
        &format!("TOPO={topo}"),
        "--",
        "sh",
        "-euc",
        SCRIPT,
    ]);
    if std::env::var_os("KERNEL_LANE_CACHE").is_none() {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new(root));
        command.env("KERNEL_LANE_CACHE", target.join("kernel-lane"));
    }
    let output =
        command.env("KERNEL_LANE_APPEND", "ipv6.disable=1").stdin(Stdio::null()).output().expect("bash starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("all held"), "{said}");
}
