//! Each rule finds what it is for, and nothing where all is well.

mod machine;
mod packets;

use super::{Code, Examined, Finding, Obstacle, Remedy, meant, run, walk};
use crate::document::yaml::source::Source;
use crate::document::{lower, parse};
use crate::flow::World;
use crate::flow::ruleset::Ruleset;
use crate::resource::probe::Check;
use crate::resource::{Item, Node, ResourceId, State};
use crate::survey::{Daemon, Heard, Machine};
use serde_json::json;

/// A file, and the machine that it is examined on.
struct Case {
    wanted: State,
    checks: Vec<Check>,
    /// What of it is there, where it is applied.
    observed: Option<State>,
    /// What others have.
    others: State,
    rules: Vec<(Node, Ruleset)>,
    settings: Vec<(&'static str, &'static str, &'static str)>,
    machine: Machine,
    neighbors: Vec<Heard>,
    obstacles: Vec<Obstacle>,
    lacking: Vec<Obstacle>,
}

fn topology(text: &str) -> (State, Vec<Check>) {
    let source = Source { name: "test.yaml".to_owned(), text: text.into() };
    let document = parse(&source).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let (topology, findings) = lower(&document, &source);
    assert!(findings.is_empty(), "{findings:#?}");
    (topology.state, topology.checks)
}

impl Case {
    fn of(text: &str) -> Self {
        let (wanted, checks) = topology(text);
        let others = State::empty("others".into());
        let (rules, settings, machine) =
            (Vec::new(), Vec::new(), Machine { nft: Some("1.0.9".to_owned()), ..Machine::default() });
        Self {
            wanted,
            checks,
            observed: None,
            others,
            rules,
            settings,
            machine,
            neighbors: Vec::new(),
            obstacles: Vec::new(),
            lacking: Vec::new(),
        }
    }

    fn others(mut self, text: &str) -> Self {
        self.others = topology(text).0;
        self
    }

    fn applied(mut self) -> Self {
        self.observed = Some(self.wanted.clone());
        self
    }

    /// With a rule of others in a base chain of the host.
    fn rule(mut self, hook: &str, expressions: serde_json::Value) -> Self {
        let listing = json!({ "nftables": [
            { "table": { "family": "ip", "name": "filter", "handle": 1 } },
            { "chain": { "family": "ip", "table": "filter", "name": hook.to_uppercase(), "handle": 1, "type": "filter",
                "hook": hook, "prio": 0, "policy": "accept" } },
            { "rule": { "family": "ip", "table": "filter", "chain": hook.to_uppercase(), "handle": 2, "expr": expressions } },
        ] });
        let mut rules = World::new(&self.wanted).rules(&Node::host()).cloned().unwrap_or_default();
        rules.add_listing(&listing, "topo-lab", &[]);
        self.rules.push((Node::host(), rules));
        self
    }

    fn setting(mut self, node: &'static str, key: &'static str, value: &'static str) -> Self {
        self.settings.push((node, key, value));
        self
    }

    fn daemon(mut self, program: &str) -> Self {
        self.machine.daemons.push(Daemon { program: program.to_owned(), pid: 7, arguments: Vec::new() });
        self
    }

    fn text(mut self, path: &str, text: &str) -> Self {
        self.machine.files.push((path.to_owned(), text.to_owned()));
        self
    }

    fn find(&self) -> Vec<Finding> {
        let nothing = State::empty(self.wanted.topology.clone());
        let observed = self.observed.as_ref().unwrap_or(&nothing);
        let mut network = self.others.clone();
        let own = if self.observed.is_some() { observed } else { &self.wanted };
        network.items.extend(own.items.clone());
        network.topology = self.wanted.topology.clone();
        let mut world = World::new(&network);
        world.assumed = false;
        for (node, rules) in &self.rules {
            world.set_rules(node, rules.clone());
        }
        for (node, key, value) in &self.settings {
            world.set_setting(Node::from(*node), (*key).to_owned(), (*value).to_owned());
        }
        let (flows, _) = meant(&self.wanted, &self.checks, &world, 100);
        let differs = |(id, item): &(&ResourceId, &Item)| observed.get(id) != Some(&item.resource);
        let changes = self.wanted.items.iter().filter(differs).map(|(id, _)| (id.clone(), id.to_string())).collect();
        run(&Examined {
            wanted: &self.wanted,
            observed,
            applied: self.observed.is_some(),
            changes,
            obstacles: self.obstacles.clone(),
            lacking: self.lacking.clone(),
            walked: walk(&world, flows),
            world: &world,
            around: &self.others,
            neighbors: &self.neighbors,
            survey: None,
            machine: Some(&self.machine),
        })
    }

    fn codes(&self) -> Vec<Code> {
        self.find().iter().map(|finding| finding.code).collect()
    }

    /// The one finding that there is.
    fn only(&self) -> Finding {
        let mut found = self.find();
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    }
}

/// The YAML that a finding proposes first.
fn yaml(finding: &Finding) -> &str {
    match finding.remedies.first() {
        Some(Remedy::Yaml { fix, .. }) => &fix.yaml,
        other => panic!("{other:?}"),
    }
}

/// The lines that a finding proposes for files of the machine.
fn written(finding: &Finding) -> Vec<String> {
    let lines = |remedy: &Remedy| match remedy {
        Remedy::Write { path, lines, .. } => Some(format!("{path}: {}", lines.join(" | "))),
        _ => None,
    };
    finding.remedies.iter().filter_map(lines).collect()
}

const BRIDGE: &str = "name: lab\nhost: { interfaces: { lab0: { bridge: { ports: [a1, b1] } } } }\nnamespaces:\n  A: { interfaces: { eth0: { veth: host/a1, addresses: [10.0.0.1/24] } } }\n  B: { interfaces: { eth0: { veth: host/b1, addresses: [10.0.0.2/24] } } }\n";
const ROUTER: &str = "name: lab\nnamespaces:\n  A:\n    interfaces: { a0: { veth: R/ra, addresses: [10.0.1.2/24] } }\n    routes: [{ to: default, via: 10.0.1.1 }]\n  R:\n    forwarding: true\n    interfaces:\n      ra: { addresses: [10.0.1.1/24] }\n      rb: { veth: B/b0, addresses: [10.0.2.1/24] }\n  B:\n    interfaces: { b0: { addresses: [10.0.2.2/24] } }\n    routes: [{ to: 10.0.1.0/24, via: 10.0.2.1 }]\n";
const GATEWAY: &str = "name: lab\nhost:\n  forwarding: true\n  interfaces: { lab0: { bridge: { ports: [a1] }, addresses: [10.80.0.1/24] } }\nnamespaces:\n  A:\n    interfaces: { eth0: { veth: host/a1, addresses: [10.80.0.2/24] } }\n    routes: [{ to: default, via: 10.80.0.1 }]\n";

/// What leads out of the host.
const UPLINK: &str = "name: others\nhost: { interfaces: { ext0: { macvlan: { link: eth9 }, addresses: [192.0.2.5/24] }, eth9: { existing: {} } }, routes: [{ to: default, via: 192.0.2.9 }] }\n";

fn drop_all() -> serde_json::Value {
    json!([{ "drop": null }])
}
