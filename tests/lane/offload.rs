//! What interfaces do for the kernel, compared with what `ethtool -k` says of them.

use crate::sandbox;

use sandbox::{Options as Compared, assert_snapshot_with, run_needing, sh, topo, write};
use topo::apply::{self, Options};
use topo::document::{self, Source};
use topo::kernel::{ErrorKind, Kernel};
use topo::linux::Linux;
use topo::model::Model;
use topo::plan::{self, Plan};
use topo::resource::State;

/// The language's names, and what `ethtool -k` calls each.
const NAMES: [(&str, &str); 5] = [
    ("tx-checksum", "tx-checksumming"),
    ("rx-checksum", "rx-checksumming"),
    ("tso", "tcp-segmentation-offload"),
    ("gso", "generic-segmentation-offload"),
    ("gro", "generic-receive-offload"),
];

/// What a file wants.
fn wanted(text: &str) -> State {
    let source = Source { name: "test.yaml".into(), text: text.into() };
    let document = document::parse(&source).unwrap_or_else(|findings| panic!("{findings:?}\n{text}"));
    let (topology, findings) = document::lower(&document, &source);
    assert!(findings.is_empty(), "{findings:?}\n{text}");
    topology.state
}

fn plan_of(kernel: &mut dyn Kernel, wanted: &State) -> Plan {
    let observed = kernel.observe(wanted).unwrap();
    plan::make(wanted, &observed).unwrap_or_else(|conflicts| panic!("{conflicts:?}"))
}

fn shown(plan: &Plan) -> Vec<String> {
    let fields = |change: &plan::Change| {
        change.drift.iter().map(|drift| format!("{}: {} -> {}", drift.field, drift.old, drift.new)).collect::<Vec<_>>()
    };
    plan.changes
        .iter()
        .map(|change| format!("{:?} {} {} {}", change.action, change.id.kind(), change.id, fields(change).join(", ")))
        .collect()
}

/// Carries a plan out, and sees that nothing is left to do. Answers with what was done.
fn reach_on(kernel: &mut dyn Kernel, wanted: &State) -> Vec<String> {
    let plan = plan_of(kernel, wanted);
    let report = apply::run(kernel, &plan, &Options { rollback: false, interrupted: Default::default() }, &mut |_| {});
    assert!(report.failure.is_none(), "{:?}\n{:#?}", report.failure, shown(&plan));
    assert!(report.leftover.is_empty(), "{:#?}", report.leftover);
    let again = plan_of(kernel, wanted);
    assert!(again.is_empty(), "{:#?}", shown(&again));
    shown(&plan)
}

fn reach(wanted: &State) -> Vec<String> {
    reach_on(&mut Linux::new().unwrap(), wanted)
}

/// Two namespaces and a cable between them, with this of its first end.
fn cable(offload: &str) -> State {
    let offload = if offload.is_empty() { String::new() } else { format!(", offload: {{{offload}}}") };
    wanted(&format!(
        "{{name: t, namespaces: {{A: {{interfaces: {{eth0: {{veth: B/eth0, addresses: [10.9.0.1/24]{offload}}}}}}}, B: {{interfaces: {{eth0: {{}}}}}}}}}}"
    ))
}

/// All that `ethtool -k` says of an interface.
fn features(namespace: &str, dev: &str) -> String {
    if namespace == "host" {
        sh(&format!("ethtool -k {dev}"))
    } else {
        sh(&format!("ip netns exec {namespace} ethtool -k {dev}"))
    }
}

/// What `ethtool -k` says of one name.
fn state(namespace: &str, dev: &str, name: &str) -> String {
    let all = features(namespace, dev);
    let line = all
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}: ")))
        .unwrap_or_else(|| panic!("no {name} in {all}"));
    line.split(' ').next().unwrap().to_owned()
}

#[test]
fn every_one_to_every_other_on_paper() {
    let pair = |more: &str| {
        format!(
            "{{name: t, namespaces: {{A: {{interfaces: {{eth0: {{veth: B/eth0{more}}}}}}}, B: {{interfaces: {{eth0: {{}}}}}}}}}}"
        )
    };
    let bridge = |more: &str| {
        format!(
            "{{name: t, namespaces: {{A: {{interfaces: {{eth0: {{bridge: {{}}{more}}}, lo: {{addresses: [10.1.1.1/32]{more}}}}}}}}}}}"
        )
    };
    let offloads = [
        "",
        ", offload: {tso: false}",
        ", offload: {tso: true, gro: false}",
        ", offload: {tx-checksum: false, tso: false}",
    ];
    let mut versions = vec![State::empty("t".into())];
    versions.extend(offloads.iter().flat_map(|offload| [wanted(&pair(offload)), wanted(&bridge(offload))]));
    for from in &versions {
        for to in &versions {
            let mut kernel = Model::bare("t".into());
            for wanted in [from, to, &versions[0]] {
                reach_on(&mut kernel, wanted);
            }
            assert!(kernel.state.record.offload.is_empty(), "{:?}", kernel.state.record);
        }
    }
}

#[test]
fn each_alone() {
    run_needing("each_alone", &["offload"], || {
        let compared = Compared::default();
        let before = sandbox::quiet(&compared);
        reach(&cable(""));
        let fresh = features("A", "eth0");
        for (name, word) in NAMES {
            let was = state("A", "eth0", word);
            for (on, shown) in [("false", "off"), ("true", "on"), ("false", "off")] {
                let done = reach(&cable(&format!("{name}: {on}")));
                assert!(
                    done.iter().all(|change| change.starts_with(&format!("Update link A/eth0 offload {name}: "))),
                    "{done:?}"
                );
                assert_eq!(state("A", "eth0", word), shown, "{name}");
            }
            let done = reach(&cable(""));
            assert_eq!(done.len(), usize::from(was == "on"), "{done:?}");
            assert_eq!(features("A", "eth0"), fresh, "{name}");
        }
        reach(&State::empty("t".into()));
        assert_snapshot_with(&before, &compared);
    });
}

/// A link that is born with it: what it had before is read in between, and comes back.
#[test]
fn from_birth_and_back() {
    run_needing("from_birth_and_back", &["offload"], || {
        let compared = Compared::default();
        let before = sandbox::quiet(&compared);
        reach(&cable(""));
        let fresh = features("A", "eth0");
        reach(&State::empty("t".into()));
        let all = "tx-checksum: false, rx-checksum: false, tso: false, gso: false, gro: true";
        assert_eq!(reach(&cable(all)).iter().filter(|change| change.starts_with("Create link A/eth0")).count(), 1);
        assert_eq!(NAMES.map(|(_, word)| state("A", "eth0", word)), ["off", "off", "off", "off", "on"]);
        // One after the other leaves the file. TSO was asked for before, and is again, whatever the checksums did to it
        // on the way.
        reach(&cable("tx-checksum: false, rx-checksum: false, gso: false, gro: true"));
        assert!(features("A", "eth0").contains("tx-tcp-segmentation: off [requested on]"));
        reach(&cable("gro: true"));
        assert_eq!(NAMES.map(|(_, word)| state("A", "eth0", word)), ["on", "on", "on", "on", "on"]);
        reach(&cable(""));
        assert_eq!(features("A", "eth0"), fresh);
        // Made anew, it has what a fresh one has.
        reach(&cable("tso: false"));
        sh("ip -n A link delete eth0");
        assert!(reach(&cable("tso: false")).iter().any(|change| change.starts_with("Create link A/eth0")));
        reach(&cable(""));
        assert_eq!(features("A", "eth0"), fresh);
        reach(&State::empty("t".into()));
        assert_snapshot_with(&before, &compared);
    });
}

#[test]
fn what_somebody_did_by_hand_is_mended() {
    run_needing("what_somebody_did_by_hand_is_mended", &["offload"], || {
        reach(&cable("tso: false, rx-checksum: false"));
        sh("ip netns exec A ethtool -K eth0 tso on gro on");
        assert_eq!(reach(&cable("tso: false, rx-checksum: false")), ["Update link A/eth0 offload tso: true -> false"]);
        assert_eq!(
            (state("A", "eth0", "tcp-segmentation-offload"), state("A", "eth0", "generic-receive-offload")),
            ("off".into(), "on".into())
        );
        // One of several is on.
        sh("ip netns exec A ethtool -K eth0 tx-tcp6-segmentation on");
        let expected =
            "Update link A/eth0 offload rx-checksum: false -> true, offload tso: tx-tcp6-segmentation -> false";
        assert_eq!(reach(&cable("tso: false")), [expected]);
    });
}

/// What was known of a link that another one took the place of is of no use: a bridge cannot change what a pair can.
#[test]
fn another_kind_in_its_place() {
    run_needing("another_kind_in_its_place", &["offload"], || {
        let bridge = |more: &str| {
            wanted(&format!("{{name: t, namespaces: {{A: {{interfaces: {{eth0: {{bridge: {{}}{more}}}}}}}}}}}"))
        };
        reach(&bridge(""));
        let fresh = features("A", "eth0");
        for more in ["", ", offload: {gro: false, rx-checksum: false}", ", offload: {tso: false}"] {
            reach(&cable("rx-checksum: false, gro: true"));
            reach(&bridge(more));
            reach(&bridge(""));
            assert_eq!(features("A", "eth0"), fresh, "{more}");
        }
        reach(&State::empty("t".into()));
        assert!(!std::path::Path::new("/run/topo").exists());
    });
}

/// An interface of somebody else, with one of several features on: it gets back just that.
#[test]
fn of_somebody_else() {
    run_needing("of_somebody_else", &["offload"], || {
        sh(
            "ip link add up0 type veth peer name up1; ip link set up0 up; ethtool -K up0 tx-tcp-segmentation off gro off",
        );
        let before = features("host", "up0");
        let file =
            |more: &str| wanted(&format!("{{name: t, host: {{interfaces: {{up0: {{existing: {{}}{more}}}}}}}}}"));
        let mixed = "tx-tcp-ecn-segmentation";
        let done = reach(&file(", offload: {tso: false, gro: true}"));
        assert!(
            done.len() == 1 && done[0].starts_with("Update link host/up0 offload tso: ") && done[0].contains(mixed),
            "{done:?}"
        );
        assert_eq!(
            (state("host", "up0", "tcp-segmentation-offload"), state("host", "up0", "generic-receive-offload")),
            ("off".into(), "on".into())
        );
        reach(&file(", offload: {tso: false}"));
        assert_eq!(state("host", "up0", "generic-receive-offload"), "off");
        reach(&file(""));
        assert_eq!(features("host", "up0"), before);
        // The whole interface leaves the file.
        reach(&file(", offload: {tso: false, rx-checksum: false}"));
        reach(&State::empty("t".into()));
        assert_eq!(features("host", "up0"), before);
        // Moved, configured there, and given back.
        let moved = |more: &str| {
            wanted(&format!(
                "{{name: t, namespaces: {{A: {{interfaces: {{eth0: {{existing: {{from: host/up0}}{more}}}}}}}}}}}"
            ))
        };
        reach(&moved(", offload: {tso: false}"));
        assert_eq!(state("A", "eth0", "tcp-segmentation-offload"), "off");
        reach(&moved(", offload: {rx-checksum: false}"));
        assert_eq!(
            (state("A", "eth0", "rx-checksumming"), state("A", "eth0", "tcp-segmentation-offload")),
            ("off".into(), "on".into())
        );
        reach(&State::empty("t".into()));
        assert_eq!(features("host", "up0"), before);
        assert!(!std::path::Path::new("/run/topo").exists());
    });
}

/// The checksums of `lo` are fixed.
#[test]
fn what_a_device_cannot_change_is_an_error_and_undone() {
    run_needing("what_a_device_cannot_change_is_an_error_and_undone", &["offload"], || {
        let file = |more: &str| {
            wanted(&format!(
                "{{name: t, namespaces: {{A: {{interfaces: {{lo: {{addresses: [10.1.1.1/32], offload: {{gro: false, {more}}}}}}}}}}}}}"
            ))
        };
        // What is so anyway is no change.
        reach(&file("rx-checksum: true"));
        let before = features("A", "lo");
        let refused = file("rx-checksum: false, tso: false");
        let kernel = &mut Linux::new().unwrap();
        let plan = plan_of(kernel, &refused);
        let report =
            apply::run(kernel, &plan, &Options { rollback: true, interrupted: Default::default() }, &mut |_| {});
        let failure = report.failure.unwrap();
        assert_eq!(
            (failure.kind, failure.reason.as_str()),
            (ErrorKind::Refused, "the device cannot turn rx-checksum off")
        );
        assert!(failure.tried.contains("ethtool -K lo rx off"), "{failure:?}");
        assert_eq!(report.undone.unwrap().err(), None);
        assert_eq!(features("A", "lo"), before);
        assert_eq!(reach(&file("rx-checksum: true")), Vec::<String>::new());
        reach(&State::empty("t".into()));
    });
}

/// The commands that a plan shows do the same, and `show` tells it.
#[test]
fn in_words() {
    run_needing("in_words", &["offload"], || {
        let text = "{name: t, namespaces: {A: {interfaces: {br0: {bridge: {}, offload: {tso: false, gro: false, tx-checksum: false}}}}}}";
        let file = write("t.yaml", text);
        let file = file.as_str();
        let commands = topo(&["plan", file, "--commands"]).stdout;
        assert!(commands.contains("ip netns exec A ethtool -K br0 gro off tso off tx off"), "{commands}");
        assert_eq!(topo(&["apply", "--yes", file]).code, 0);
        let shown = topo(&["show", "t"]);
        assert!(shown.stdout.contains("offload tso false"), "{}", shown.stdout);
        let yaml = topo(&["show", "t", "--yaml"]).stdout;
        assert!(
            yaml.contains("offload") && yaml.contains("tx-checksum: false") && yaml.contains("gro: false"),
            "{yaml}"
        );
        let again = topo(&["plan", &write("again.yaml", &yaml)]);
        assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
        assert!(!again.stdout.contains("offload"), "{}", again.stdout);
        sh("ip netns exec A ethtool -K br0 tso on");
        let drift = topo(&["plan", file]);
        assert!(drift.stdout.contains("offload tso: true -> false"), "{}", drift.stdout);
        sh("ip netns exec A ethtool -K br0 tso off");
        assert_eq!(topo(&["destroy", "--yes", "t"]).code, 0);
        assert!(!std::path::Path::new("/run/topo").exists());
    });
}
