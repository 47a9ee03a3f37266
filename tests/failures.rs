//! A failure forced before and after every single operation on the real kernel leaves the machine as it was, by other programs' account.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod sandbox;

use sandbox::{assert_snapshot, sh, snapshot};
use topo::apply::{self, Options};
use topo::document::{self, Source};
use topo::kernel::{Error, ErrorKind, Kernel, Linux};
use topo::plan;
use topo::resource::{Name, Node, Operation, Record, State};

/// The real kernel, but for one operation: it fails before it is done, or after.
struct Faulty {
    inner: Linux,
    /// How many operations are still done.
    left: usize,
    after: bool,
    tripped: bool,
}

impl Kernel for Faulty {
    fn resolve(&mut self, wanted: &mut State) -> Result<(), Error> {
        self.inner.resolve(wanted)
    }

    fn observe(&mut self, wanted: &State) -> Result<State, Error> {
        self.inner.observe(wanted)
    }

    fn remember(&mut self, topology: &Name, record: &Record) -> Result<(), Error> {
        self.inner.remember(topology, record)
    }

    fn perform(&mut self, topology: &Name, batch: &[Operation]) -> Vec<Result<(), Error>> {
        if self.tripped || self.left >= batch.len() {
            self.left -= if self.tripped { 0 } else { batch.len() };
            return self.inner.perform(topology, batch);
        }
        self.tripped = true;
        let mut results = self.inner.perform(topology, &batch[..self.left + usize::from(self.after)]);
        results.truncate(self.left);
        results.push(Err(Error::new(ErrorKind::Refused, "a step", "told to fail")));
        results.resize_with(batch.len(), || Err(Error::new(ErrorKind::Skipped, "", "")));
        results
    }

    fn settings(&mut self, which: &[(Node, String)]) -> Result<Vec<Option<String>>, Error> {
        self.inner.settings(which)
    }

    fn settle(&mut self, wanted: &State) -> Result<(), Error> {
        self.inner.settle(wanted)
    }

    fn table_generations(&mut self) -> Vec<(Node, u32)> {
        self.inner.table_generations()
    }
}

fn wanted(text: &str) -> State {
    if text.is_empty() {
        return State::empty("faulty".into());
    }
    let source = Source { name: "faulty.yaml".to_owned(), text: format!("name: faulty\n{text}").into() };
    let document = document::parse(&source).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let (topology, findings) = document::lower(&document, &source);
    assert!(findings.iter().all(|finding| finding.severity == document::Severity::Warning), "{findings:#?}");
    topology.state
}

fn options() -> Options {
    Options { rollback: true, interrupted: Default::default() }
}

fn apply(text: &str) {
    let mut kernel = Linux::new().unwrap();
    let mut wanted = wanted(text);
    kernel.resolve(&mut wanted).unwrap();
    let observed = kernel.observe(&wanted).unwrap();
    let plan = plan::make(&wanted, &observed).unwrap();
    let report = apply::run(&mut kernel, &plan, &options(), &mut |_| {});
    assert!(report.is_success(), "{report:#?}");
}

/// Goes from one version to another, failing at every operation in turn, then back to nothing.
fn fails_everywhere(from: &str, to: &str) {
    std::thread::sleep(std::time::Duration::from_secs(3));
    let machine = snapshot();
    apply(from);
    // Link-local addresses come after their duplicate address detection.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let before = snapshot();
    let mut forced = 0;
    for after in [false, true] {
        for at in 0.. {
            let mut kernel = Faulty { inner: Linux::new().unwrap(), left: at, after, tripped: false };
            let mut wanted = wanted(to);
            kernel.resolve(&mut wanted).unwrap();
            let observed = kernel.observe(&wanted).unwrap();
            let plan = plan::make(&wanted, &observed).unwrap();
            if at == plan.steps.len() {
                break;
            }
            let report = apply::run(&mut kernel, &plan, &options(), &mut |_| {});
            let moment = if after { "after" } else { "before" };
            let step = plan.steps.get(at).map(|step| &step.operation);
            assert!(report.failure.is_some(), "nothing failed {moment} operation {at}: {step:#?}");
            assert_eq!(report.undone, Some(Ok(())), "{moment} operation {at}: {step:#?}");
            assert_snapshot(&before);
            forced += 1;
        }
    }
    assert!(forced > 0, "the two versions are the same");
    println!("{forced} failures forced");
    apply(to);
    apply("");
    assert_snapshot(&machine);
}

const BRIDGED: &str = "
host:
  interfaces:
    br0: { bridge: { ports: [v1, v2] }, addresses: [10.7.0.1/24] }
namespaces:
  RED:
    interfaces: { eth0: { veth: host/v1, addresses: [10.7.0.2/24, 10.7.0.5/24, 'fd07::2/64'] } }
    routes: [{ to: default, via: 10.7.0.1 }, { to: 192.168.0.0/16, via: 10.7.0.3 }]
  BLUE:
    interfaces: { eth0: { veth: host/v2, addresses: [10.7.0.3/24] } }
    routes: [{ to: default, via: 10.7.0.1 }]
";

#[test]
fn in_place() {
    sandbox::run("in_place", || {
        let changed = BRIDGED
            .replace("10.7.0.2/24, 10.7.0.5/24, 'fd07::2/64'", "10.7.0.5/24, 10.7.0.2/24, 10.8.0.1/16")
            .replace("{ eth0: { veth: host/v2, ", "{ eth0: { veth: host/v2, mtu: 1400, mac: '02:00:00:00:00:07', txqueuelen: 77, ")
            .replace("ports: [v1, v2]", "ports: [v1], forward-delay: 4s, priority: 4096")
            .replace("via: 10.7.0.3 }", "via: 10.8.0.3, metric: 5 }, { to: 192.168.7.0/24, type: blackhole }");
        fails_everywhere(BRIDGED, &changed);
    });
}

#[test]
fn re_create() {
    let direct = "
namespaces:
  RED:
    interfaces: { eth0: { veth: GREEN/eth0, addresses: [10.7.0.2/24], queues: { tx: 2, rx: 2 } } }
    routes: [{ to: 10.9.0.0/16, via: 10.7.0.9 }]
  GREEN:
    interfaces: { eth0: { addresses: [10.7.0.9/24] }, eth1: { veth: host/v1 } }
    rules: [{ priority: 100, from: 10.9.0.0/16, table: 100 }]
";
    sandbox::run("re_create", || fails_everywhere(BRIDGED, direct));
}

#[test]
fn from_nothing_and_to_nothing() {
    sandbox::run("from_nothing_and_to_nothing", || {
        fails_everywhere("", BRIDGED);
        fails_everywhere(BRIDGED, "");
    });
}

#[test]
fn existing() {
    sandbox::run("existing", || {
        sh("ip link add up0 type veth peer up1; ip link set up0 up mtu 1450; ip link set up1 up; ip address add 192.0.2.1/24 dev up0
            ip route add 198.51.100.0/24 via 192.0.2.9; ip link add down0 type veth peer down1; ip netns add other");
        let configured = "
host:
  interfaces: { up0: { existing: {}, mtu: 1300, addresses: [203.0.113.1/24] } }
namespaces:
  other: { existing: { netns: other }, interfaces: { in0: { veth: host/out0, addresses: [10.3.0.1/24] } }, routes: [{ to: 10.4.0.0/16, via: 10.3.0.2 }] }
";
        let moved = "
host:
  interfaces: { up1: { existing: {}, up: false } }
namespaces:
  RED: { interfaces: { eth0: { existing: { from: host/up0 }, mtu: 1280, addresses: [192.0.2.7/24] } }, routes: [{ to: default, via: 192.0.2.1 }] }
";
        fails_everywhere("", configured);
        fails_everywhere(configured, moved);
    });
}

#[test]
fn nat_and_firewall() {
    sandbox::run("nat_and_firewall", || {
        sh("nft add table ip mine; nft add chain ip mine forward '{ type filter hook forward priority 0; }'; nft add rule ip mine forward counter");
        let first = format!("{BRIDGED}\n  WALL:\n    interfaces: {{ w0: {{ veth: BLUE/w0 }} }}\n    firewall: {{ input: {{ policy: drop, rules: [{{ state: [established, related], accept: {{}} }}, {{ protocol: icmpv6, accept: {{}} }}] }} }}\n")
            .replace("host:\n", "host:\n  nat: [{ masquerade: { source: 10.7.0.0/24, out: '!br0' } }]\n  firewall: { insert: [{ chain: ip mine forward, in: br0, accept: {} }] }\n");
        let second = first
            .replace(
                "[{ masquerade: { source: 10.7.0.0/24, out: '!br0' } }]",
                "[{ masquerade: { source: 10.7.0.0/25, out: '!br0' } }, { dnat: { in: '!br0', protocol: tcp, port: 80, to: '10.7.0.2:80' } }]",
            )
            .replace("in: br0, accept: {}", "in: br0, out: br0, accept: {}")
            .replace("policy: drop", "policy: accept");
        fails_everywhere(&first, &second);
        fails_everywhere(&second, BRIDGED);
    });
}

#[test]
fn sysctls() {
    sandbox::run("sysctls", || {
        sh(
            "ip link add up0 type veth peer up1; ip link add up2 type veth peer up3; sysctl -qw net.ipv4.conf.up0.rp_filter=1 net.ipv4.conf.up2.forwarding=1 net.ipv4.conf.all.accept_redirects=0",
        );
        let first = "
host:
  forwarding: true
  interfaces: { up0: { existing: {} } }
  sysctls: { net.ipv4.conf.up0.rp_filter: 2, net.ipv4.ip_default_ttl: 63, net.ipv4.conf.default.send_redirects: 0 }
namespaces:
  RED: { forwarding: ipv4, sysctls: { net.ipv4.tcp_syncookies: 0, net.ipv4.conf.default.rp_filter: 1 }, interfaces: { a: { veth: host/a, ipv6: { disable: true } } } }
";
        let second = "
host:
  interfaces: { up0: { existing: {} } }
  sysctls: { net.ipv4.ip_default_ttl: 61 }
namespaces:
  RED: { forwarding: ipv6, sysctls: { net.ipv4.ip_local_port_range: '10000 20000' }, interfaces: { a: { veth: host/a } } }
";
        fails_everywhere("", first);
        fails_everywhere(first, second);
    });
}
