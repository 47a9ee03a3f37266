//! Every kind of resource on the real kernel: made, changed attribute by attribute, removed; what is observed is what was made.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod sandbox;

use sandbox::{assert_snapshot, ip_json, sh, snapshot};
use topo::apply::{self, Options};
use topo::document::{self, Source};
use topo::kernel::{Kernel, Linux};
use topo::plan::{self, Plan};
use topo::resource::State;

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
    plan.changes.iter().map(|change| format!("{:?} {} {} {:?}", change.action, change.id.kind(), change.id, change.drift)).collect()
}

/// Carries a plan towards `wanted` out, and sees that nothing is left to do.
fn reach(wanted: &State) -> Vec<String> {
    let mut kernel = Linux::new().unwrap();
    let mut wanted = wanted.clone();
    kernel.resolve(&mut wanted).unwrap();
    let plan = plan_of(&mut kernel, &wanted);
    let report = apply::run(&mut kernel, &plan, &Options { rollback: false, interrupted: Default::default() }, &mut |_| {});
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

#[test]
fn every_topology_of_the_repository() {
    sandbox::run("every_topology_of_the_repository", || {
        let mut files: Vec<_> = std::fs::read_dir(sandbox::in_repository("topologies")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            if ["container", "docker"].iter().any(|word| file.to_string_lossy().contains(word)) {
                continue;
            }
            println!("{}", file.display());
            there_and_back(&std::fs::read_to_string(file).unwrap());
        }
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
