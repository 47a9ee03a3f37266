//! Every kind of resource on the real kernel: made, changed attribute by attribute, removed; what is observed is what
//! was made.

use crate::sandbox;

use sandbox::{assert_snapshot, ip_json, sh, snapshot};
use topo::apply::{self, Options};
use topo::document::{self, Source};
use topo::kernel::Kernel;
use topo::linux::Linux;
use topo::plan::{self, Plan};
use topo::resource::{Kind, LinkId, Resource, ResourceId, State, Value, kinds};

/// What a file wants.
fn wanted(text: &str) -> State {
    let source = Source { name: "test.yaml".into(), text: text.into() };
    let document = document::parse(&source).unwrap_or_else(|findings| panic!("{findings:?}"));
    let (topology, findings) = document::lower(&document, &source);
    let errors: Vec<_> = findings.iter().filter(|finding| finding.severity == document::Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    topology.state
}

fn plan_of(kernel: &mut Linux, wanted: &State) -> Plan {
    let observed = kernel.observe(wanted).unwrap();
    plan::make(wanted, &observed).unwrap_or_else(|conflicts| panic!("{conflicts:?}"))
}

fn shown(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .map(|change| format!("{:?} {} {} {:?}", change.action, change.id.kind(), change.id, change.drift))
        .collect()
}

/// Carries a plan towards `wanted` out, and sees that nothing is left to do.
fn reach(wanted: &State) -> Vec<String> {
    let mut kernel = Linux::new().unwrap();
    let mut wanted = wanted.clone();
    kernel.resolve(&mut wanted).unwrap();
    let plan = plan_of(&mut kernel, &wanted);
    let report =
        apply::run(&mut kernel, &plan, &Options { rollback: false, interrupted: Default::default() }, &mut |_| {});
    assert!(report.failure.is_none(), "{:?}\n{:#?}", report.failure, shown(&plan));
    assert!(report.leftover.is_empty(), "{:#?}", report.leftover);
    let again = plan_of(&mut Linux::new().unwrap(), &wanted);
    assert!(again.is_empty(), "{:#?}", shown(&again));
    shown(&plan)
}

fn apply(text: &str) -> Vec<String> {
    reach(&wanted(text))
}

fn destroy(name: &str) {
    reach(&State::empty(name.into()));
}

/// Applies a file, removes it by its name alone, and sees that the machine is as it was.
fn there_and_back(text: &str) {
    let before = snapshot();
    apply(text);
    destroy(wanted(text).topology.as_str());
    assert_snapshot(&before);
}

/// The labs of the repository: what each needs of a kernel, and its text.
fn labs() -> Vec<(Vec<&'static str>, String)> {
    let mut files: Vec<_> =
        std::fs::read_dir(sandbox::in_repository("topologies")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    // Those meet what somebody else made, which their own tests make first, or have keys in files beside them.
    files.retain(|file| !["container", "docker", "wireguard"].iter().any(|word| file.to_string_lossy().contains(word)));
    files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .map(|text| (sandbox::needed_by(&text), text))
        .collect()
}

#[test]
fn every_topology_of_the_repository() {
    sandbox::run("every_topology_of_the_repository", || {
        labs().iter().filter(|(needed, _)| needed.is_empty()).for_each(|(_, text)| there_and_back(text));
    });
}

/// Those that need more of a kernel than every machine has.
#[test]
fn every_topology_that_needs_more() {
    let labs: Vec<_> = labs().into_iter().filter(|(needed, _)| !needed.is_empty()).collect();
    let needed: std::collections::BTreeSet<&str> = labs.iter().flat_map(|(needed, _)| needed.clone()).collect();
    sandbox::run_needing("every_topology_that_needs_more", &Vec::from_iter(needed), || {
        labs.iter().for_each(|(_, text)| there_and_back(text));
    });
}

#[test]
fn a_pair_to_a_bridge_of_the_host() {
    sandbox::run("a_pair_to_a_bridge_of_the_host", || {
        let before = snapshot();
        apply(
            "{name: t, host: {interfaces: {br0: {bridge: {ports: [p0]}, addresses: [10.9.0.1/24]}}}, namespaces: {A: {interfaces: {eth0: {veth: host/p0, addresses: [10.9.0.2/24]}}, routes: [{to: default, via: 10.9.0.1}]}}}",
        );
        let links = ip_json("-d link");
        let link = |name: &str| links.as_array().unwrap().iter().find(|link| link["ifname"] == name).unwrap().clone();
        assert_eq!(link("p0")["master"], "br0");
        assert_eq!(link("p0")["ifalias"], "topo:t");
        assert_eq!(link("p0")["operstate"], "UP");
        assert!(link("br0")["group"].as_str().unwrap().starts_with("194"), "{}", link("br0")["group"]);
        assert_eq!(ip_json("-n A link show lo")[0]["ifalias"], "topo:t");
        let route = &ip_json("-n A route show default")[0];
        assert_eq!((route["gateway"].as_str(), route["protocol"].as_str()), (Some("10.9.0.1"), Some("116")));
        sh("ip netns exec A ping -c 1 -W 2 10.9.0.1");
        destroy("t");
        assert_snapshot(&before);
    });
}

/// A value that is not the default of an attribute, and that every kernel takes.
fn other(name: &str, default: kinds::Default) -> Option<Value> {
    Some(match (name, default) {
        ("group-forward-mask", _) => Value::Number(8),
        ("multicast-hash-max", _) => Value::Number(8192),
        ("priority", kinds::Default::Number(0x8000)) => Value::Number(4096),
        ("df", _) => Value::word("set"),
        ("mode", _) => Value::word("bridge"),
        ("local", _) => Value::Ip([10, 8, 0, 1].into()),
        ("remote", _) => Value::Ip([10, 8, 0, 2].into()),
        ("id", _) => Value::Number(77),
        ("source-port-low" | "source-port-high", _) => Value::Number(40000),
        (_, kinds::Default::Bool(value)) => Value::Bool(!value),
        (_, kinds::Default::Number(value)) => Value::Number(value + 1),
        (_, kinds::Default::Centis(value)) => Value::Centis(value + 100),
        _ => return None,
    })
}

/// Makes a link with each attribute otherwise, then changes each back and forth; nothing is ever left to do.
fn every_attribute(text: &str, link: (&str, &str), of_port: bool, attributes: &[kinds::Attribute]) {
    let before = snapshot();
    let plain = wanted(text);
    let with = |name: &'static str, value: Value| {
        let mut state = plain.clone();
        let id = LinkId::new(link.0, link.1).clone();
        if let Some(Resource::Link(link)) = state.items.get_mut(&ResourceId::Link(id)).map(|item| &mut item.resource) {
            if of_port { &mut link.port } else { &mut link.options }.insert(name.into(), value);
        }
        state
    };
    for attribute in attributes {
        let Some(value) = other(attribute.name, attribute.default) else { continue };
        let changed = with(attribute.name, value);
        assert_ne!(changed, plain, "{}", attribute.name);
        println!("{}", attribute.name);
        reach(&plain);
        assert_eq!(reach(&changed).len(), 1, "{}", attribute.name);
        destroy(plain.topology.as_str());
        reach(&changed);
        reach(&plain);
    }
    destroy(plain.topology.as_str());
    assert_snapshot(&before);
}

#[test]
fn every_attribute_of_a_bridge() {
    sandbox::run("every_attribute_of_a_bridge", || {
        // Those of VLAN filtering, which not every kernel has, are changed in `tests/lane/vlans.rs`.
        let attributes = kinds::of(&Kind::Bridge).iter().filter(|one| !one.name.starts_with("vlan-"));
        let attributes: Vec<kinds::Attribute> = attributes
            .map(|one| kinds::Attribute { name: one.name, default: one.default, impact: one.impact })
            .collect();
        every_attribute(
            "{name: t, namespaces: {A: {interfaces: {br0: {bridge: {}}}}}}",
            ("A", "br0"),
            false,
            &attributes,
        );
    });
}

#[test]
fn every_attribute_of_a_port() {
    sandbox::run("every_attribute_of_a_port", || {
        let text = "{name: t, namespaces: {A: {interfaces: {br0: {bridge: {ports: [p0]}}, p0: {veth: A/p1}}}}}";
        every_attribute(text, ("A", "p0"), true, kinds::PORT);
    });
}

#[test]
fn every_attribute_of_a_macvlan() {
    sandbox::run("every_attribute_of_a_macvlan", || {
        let text =
            "{name: t, namespaces: {A: {interfaces: {p0: {veth: A/p1}, m0: {macvlan: {link: p0, mode: vepa}}}}}}";
        every_attribute(text, ("A", "m0"), false, kinds::of(&Kind::Macvlan));
    });
}

#[test]
fn every_attribute_of_a_vxlan() {
    sandbox::run("every_attribute_of_a_vxlan", || {
        let text = "{name: t, namespaces: {A: {interfaces: {p0: {veth: A/p1, addresses: [10.8.0.1/24]}, v0: {vxlan: {id: 7, link: p0}}}}}}";
        let ranges = ["source-port-low", "source-port-high"];
        let single: Vec<kinds::Attribute> = kinds::of(&Kind::Vxlan)
            .iter()
            .filter(|one| !ranges.contains(&one.name))
            .map(|one| kinds::Attribute { name: one.name, default: one.default, impact: one.impact })
            .collect();
        every_attribute(text, ("A", "v0"), false, &single);
    });
}

/// Everything that stands on links and beside them.
const FULL: &str = r#"
name: t
namespaces:
  A:
    forwarding: true
    interfaces:
      a0:
        veth: B/b0
        mtu: 1400
        mac: "02:00:00:00:00:01"
        txqueuelen: 500
        alternative-names: [a-long-name-of-an-interface]
        addresses:
          - 10.1.0.1/24
          - 10.1.0.7/24
          - { address: 10.3.0.1/32, peer: 10.3.0.2 }
          - { address: 10.4.0.1/24, scope: link, label: "a0:x" }
          - fd01::1/64
      a1: { veth: B/b1, addresses: [10.2.0.1/24, fd02::1/64] }
    routes:
      - { to: default, via: 10.1.0.2 }
      - { to: "::/0", via: fd01::2 }
      - { to: 10.50.0.0/16, via: 10.1.0.2, metric: 50, mtu: 1300, source: 10.1.0.7 }
      - { to: 10.51.0.0/16, dev: a1, table: 1000 }
      - { to: 10.52.0.0/16, type: blackhole }
      - { to: 10.53.0.0/16, type: unreachable }
      - { to: 10.54.0.0/16, type: prohibit, table: 100 }
      - { to: 10.55.0.0/16, type: throw, table: 100 }
      - { to: 10.56.0.0/16, via: 192.0.2.1, dev: a0, onlink: true }
      - { to: 10.57.0.0/16, via: fd01::2 , dev: a0}
      - { to: 10.58.0.0/16, nexthops: [{ via: 10.1.0.2, weight: 3 }, { via: 10.2.0.2, dev: a1 }] }
      - { to: fd50::/32, via: fd01::2, metric: 5 }
      - { to: fd51::/32, type: blackhole }
      - { to: fd52::/32, nexthops: [{ via: fd01::2 }, { via: fd02::2, weight: 2 }] }
      - { to: fd53::/32, dev: a1 }
    rules:
      - { priority: 100, from: 10.1.0.0/24, to: 10.9.0.0/16, table: 1000 }
      - { priority: 110, iif: a0, fwmark: 0x20/0xff, table: 1000 }
      - { priority: 120, oif: a1, protocol: tcp, port: 80-90, action: blackhole }
      - { priority: 130, from: fd01::/64, action: prohibit }
      - { priority: 140, source-port: 53, protocol: udp, action: unreachable, family: ipv4 }
    neighbors:
      - { address: 10.1.0.9, mac: "02:00:00:00:00:09", dev: a0 }
      - { address: fd01::9, mac: "02:00:00:00:00:09", dev: a0 }
      - { address: 10.1.0.10, dev: a0, proxy: true }
    sysctls: { net.ipv4.conf.a0.rp_filter: 2, net.ipv4.tcp_ecn: 1 }
  B:
    interfaces:
      b0: { addresses: [10.1.0.2/24, fd01::2/64] }
      b1: { addresses: [10.2.0.2/24, fd02::2/64] }
      v0: { vxlan: { id: 5, local: 10.1.0.2, fdb: [{ dst: 10.1.0.3 }, { dst: 10.1.0.4 }, { mac: "02:00:00:00:00:0a", dst: 10.1.0.5 }] } }
"#;

#[test]
fn everything_that_stands_on_links() {
    sandbox::run("everything_that_stands_on_links", || {
        let before = snapshot();
        apply(FULL);
        // Each thing that is taken away comes back, and what is added goes.
        let breaks = [
            "ip -n A address delete 10.1.0.1/24 dev a0",
            "ip -n A address add 10.77.0.1/24 dev a0",
            "ip -n A address change fd01::1/64 dev a0 valid_lft forever preferred_lft forever",
            "ip -n A address change 10.1.0.1/24 dev a0 valid_lft 500 preferred_lft 400",
            "ip -n A address change fd01::1/64 dev a0 valid_lft 500 preferred_lft 400",
            "ip -n A -6 address flush dev a1",
            "ip -n A route delete 10.58.0.0/16",
            "ip -n A route add 10.99.0.0/16 via 10.1.0.2",
            "ip -n A route append 10.50.0.0/16 via 10.2.0.2 metric 50",
            "ip -n A -6 route delete fd52::/32",
            "ip -n A rule delete priority 100",
            "ip -n A rule delete priority 32766",
            "ip -n A rule add priority 999 table 7",
            "ip -n A neighbor delete 10.1.0.9 dev a0",
            "ip -n A link set a0 down",
            "ip -n A link set a0 mtu 1500 txqueuelen 7",
            "ip -n A link property add dev a0 altname something-else",
            "ip -n A link delete a1",
            "ip -n B link set b0 name b9",
            "ip -n B link set lo alias none",
            "bridge -n B fdb delete 00:00:00:00:00:00 dev v0 dst 10.1.0.4",
            "ip netns delete B",
            "ip netns exec A sysctl -qw net.ipv4.ip_forward=0",
            "ip netns exec A sysctl -qw net.ipv4.conf.a0.forwarding=0",
            "ip netns exec A sysctl -qw net.ipv6.conf.a1.forwarding=0",
            "ip netns exec B sysctl -qw net.ipv4.conf.b1.forwarding=1",
            "ip netns exec A sysctl -qw net.ipv6.conf.a0.disable_ipv6=1",
            "ip netns exec A sysctl -qw net.ipv6.conf.all.disable_ipv6=1",
        ];
        for line in breaks {
            println!("{line}");
            sh(line);
            assert!(!apply(FULL).is_empty(), "{line}: nothing was to be done");
        }
        destroy("t");
        assert_snapshot(&before);
    });
}

/// The kernel takes a deleted namespace down a little later than `ip netns delete` returns: until then the other ends
/// of its pairs are to be seen.
#[test]
fn what_goes_with_a_deleted_namespace_is_not_there() {
    sandbox::run("what_goes_with_a_deleted_namespace_is_not_there", || {
        for _ in 0..20 {
            apply(FULL);
            sh("ip netns delete B");
            let wanted = wanted(FULL);
            let plan = plan_of(&mut Linux::new().unwrap(), &wanted);
            let shown = shown(&plan);
            assert!(shown.iter().any(|line| line.starts_with("Create link A/a0 ")), "{shown:#?}");
            assert!(!shown.iter().any(|line| line.starts_with("Replace ")), "{shown:#?}");
        }
        destroy("t");
    });
}

#[test]
fn a_macvlan_in_another_namespace_and_a_borrowed_link() {
    sandbox::run("a_macvlan_in_another_namespace_and_a_borrowed_link", || {
        sh(
            "ip link add up0 type veth peer name far0; ip link set up0 up; ip link set far0 up; ip address add 192.0.2.5/24 dev far0; ip route add 198.51.100.0/24 via 192.0.2.9",
        );
        let before = sandbox::quiet(&sandbox::Options::default());
        let text = "{name: t, host: {interfaces: {up0: {existing: {}}}}, namespaces: {A: {interfaces: {m0: {macvlan: {link: host/up0, mode: bridge}, addresses: [192.0.2.7/24]}}}, B: {interfaces: {e0: {existing: {from: host/far0}, addresses: [192.0.2.8/24]}}}}}";
        apply(text);
        sh("ip -n B address show e0 | grep -q 192.0.2.8");
        destroy("t");
        assert_snapshot(&before);
    });
}

/// What is on a bridge has no larger MTU than that, and the bridge has its own when its ports are there.
#[test]
fn a_macvlan_on_a_bridge_whose_mtu_changes() {
    sandbox::run("a_macvlan_on_a_bridge_whose_mtu_changes", || {
        let links = |links: &str| {
            format!(
                "name: mv\nnamespaces: {{ RED: {{ interfaces: {{ {links}, mac0: {{ macvlan: {{ link: br0 }} }} }} }} }}\n"
            )
        };
        let low = "name: mv\nnamespaces: { RED: { interfaces: { p0: { veth: RED/p1, mtu: 1400 }, p1: { mtu: 1400 }, br0: { bridge: { ports: [p0] } } } } }\n";
        let high = links("p0: { veth: RED/p1 }, br0: { bridge: { ports: [p0] } }");
        let both = links(
            "p0: { veth: RED/p1 }, q0: { veth: RED/q1, mtu: 1400 }, q1: { mtu: 1400 }, br0: { bridge: { ports: [p0, q0] }, mtu: 1500 }",
        );
        for version in [low, &high, &both, low, &both, &high] {
            apply(version);
        }
        destroy("mv");
    });
}

#[test]
fn a_name_that_is_taken() {
    sandbox::run("a_name_that_is_taken", || {
        sh("ip netns add A; ip link add br0 type bridge; ip link set br0 alias topo:other");
        let text = "{name: t, host: {interfaces: {br0: {bridge: {}}}}, namespaces: {A: {}}}";
        let state = wanted(text);
        let observed = Linux::new().unwrap().observe(&state).unwrap();
        let reasons: Vec<String> =
            plan::make(&state, &observed).unwrap_err().into_iter().map(|conflict| conflict.reason).collect();
        assert_eq!(
            reasons,
            [
                "namespace A already exists and belongs to another program or user",
                "bridge host/br0 already exists and belongs to topology \"other\""
            ]
        );
        let (found, unowned) = Linux::new().unwrap().list().unwrap();
        assert_eq!(found.iter().map(|topology| topology.name.as_str()).collect::<Vec<_>>(), ["other"]);
        assert!(unowned.is_empty());
    });
}

/// A star: `count` namespaces on one bridge of the host.
fn star(count: usize) -> String {
    let node = |n: usize| {
        let ip = format!("10.0.{}.{}", n / 250, n % 250 + 2);
        format!(
            "  N{n}:\n    interfaces: {{ eth0: {{ veth: host/v{n}, addresses: [{ip}/16] }} }}\n    routes: [{{ to: default, via: 10.0.255.254 }}]\n"
        )
    };
    let ports: Vec<String> = (0..count).map(|n| format!("v{n}")).collect();
    let nodes: String = (0..count).map(node).collect();
    format!(
        "name: star\nhost:\n  interfaces:\n    br0: {{ bridge: {{ ports: [{}] }}, addresses: [10.0.255.254/16] }}\nnamespaces:\n{nodes}",
        ports.join(", ")
    )
}

/// Says how long things take; run it by name, in a release build.
#[test]
#[ignore = "a measurement"]
fn timing() {
    sandbox::run("timing", || {
        let count = std::env::var("TOPO_COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(100);
        let state = wanted(&star(count));
        let mut times = Vec::new();
        for (what, state) in [("apply", &state), ("again", &state), ("destroy", &State::empty("star".into()))] {
            let mut kernel = Linux::new().unwrap();
            let start = std::time::Instant::now();
            let observed = kernel.observe(state).unwrap();
            let read = start.elapsed();
            let plan = plan::make(state, &observed).unwrap();
            let planned = start.elapsed();
            let mut seen: Vec<(usize, usize, std::time::Duration)> = Vec::new();
            for level in plan.steps.chunk_by(|a, b| a.level == b.level) {
                let batch: Vec<_> = level.iter().map(|step| step.operation.clone()).collect();
                let start = std::time::Instant::now();
                assert!(kernel.perform(&plan.base.topology, &batch).iter().all(Result::is_ok));
                seen.push((level[0].level, batch.len(), start.elapsed()));
            }
            let done = start.elapsed();
            kernel.settle(state).unwrap();
            times.push(format!(
                "{what}: read {read:?}, planned {planned:?}, done {done:?}, settled {:?}\n  {seen:?}",
                start.elapsed()
            ));
        }
        std::fs::write(std::env::var("TOPO_TIMES").unwrap_or("/dev/stderr".into()), times.join("\n")).unwrap();
    });
}
