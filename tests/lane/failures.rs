//! A failure forced before and after every single operation on the real kernel leaves the machine as it was, by other
//! programs' account.

use crate::sandbox;
use crate::transitions;

use sandbox::{assert_snapshot, sh, snapshot};
use topo::apply::{self, Options};
use topo::document::{self, Source};
use topo::kernel::{Error, ErrorKind, Kernel};
use topo::linux::Linux;
use topo::plan;
use topo::resource::{Name, Node, Operation, Record, State};
use transitions::Transition;

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

    fn give_back(&mut self) {
        self.inner.give_back();
    }

    fn settings(&mut self, which: &[(Node, String)]) -> Result<Vec<Option<String>>, Error> {
        self.inner.settings(which)
    }

    fn offloads(&mut self, which: &[topo::resource::LinkId]) -> Result<Vec<topo::resource::Options>, Error> {
        self.inner.offloads(which)
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

/// How many operations further the next failure is: in the lane, which is ten times slower, one in three, unless all
/// are asked for by name (`TOPO_FAILURES=all`).
fn stride() -> usize {
    if sandbox::is_in_lane() && std::env::var_os("TOPO_FAILURES").is_none() { 3 } else { 1 }
}

/// Goes to a version, failing at every operation in turn; says how many that were. What goes for good is held, as
/// `destroy` does, and read or not.
fn fails_at_each(to: &str, undone: impl Fn()) -> usize {
    let mut forced = 0;
    let holds = if to.is_empty() { vec![Some(false), Some(true)] } else { vec![None] };
    for (after, holds) in holds.into_iter().flat_map(|holds| [(false, holds), (true, holds)]) {
        // Where some are skipped, those after which it fails are others than those before which it does.
        for at in (if after { stride() / 2 } else { 0 }..).step_by(stride()) {
            let mut kernel = Faulty { inner: Linux::new().unwrap(), left: at, after, tripped: false };
            if let Some(spares) = holds {
                kernel.inner.hold_what_goes(spares).unwrap();
            }
            let mut wanted = wanted(to);
            kernel.resolve(&mut wanted).unwrap();
            let observed = kernel.observe(&wanted).unwrap();
            let plan = plan::make(&wanted, &observed).unwrap();
            if at >= plan.steps.len() {
                break;
            }
            let report = apply::run(&mut kernel, &plan, &options(), &mut |_| {});
            let moment = if after { "after" } else { "before" };
            let step = plan.steps.get(at).map(|step| &step.operation);
            assert!(report.failure.is_some(), "nothing failed {moment} operation {at}: {step:#?}");
            assert_eq!(report.undone, Some(Ok(())), "{moment} operation {at}: {step:#?}");
            undone();
            forced += 1;
        }
    }
    forced
}

/// Goes from one version to another, failing at every operation in turn, then back to nothing.
fn fails_everywhere(from: &str, to: &str) {
    std::thread::sleep(std::time::Duration::from_secs(3));
    let machine = snapshot();
    apply(from);
    // Link-local addresses come after their duplicate address detection.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let before = snapshot();
    let forced = fails_at_each(to, || assert_snapshot(&before));
    assert!(forced > 0, "the two versions are the same");
    println!("{forced} failures forced");
    apply(to);
    apply("");
    assert_snapshot(&machine);
}

fn everywhere(transition: &Transition) {
    sh(transition.machine);
    transition.versions.windows(2).for_each(|pair| fails_everywhere(&pair[0], &pair[1]));
}

/// A fresh namespace counts the generations of its ruleset anew, so that the table of one that went and the one in its
/// place have the same.
#[test]
fn the_table_of_a_namespace_that_went_is_not_the_new_one() {
    sandbox::run("the_table_of_a_namespace_that_went_is_not_the_new_one", || {
        let with = |policy: &str| {
            format!(
                "namespaces: {{ RED: {{ firewall: {{ input: {{ policy: {policy}, rules: [{{ protocol: icmpv6, accept: {{}} }}] }} }} }} }}"
            )
        };
        apply(&with("drop"));
        sh("ip netns delete RED");
        // It ends when the table is there and the record does not say so yet, as a run that is killed then.
        let mut kernel = Linux::new().unwrap();
        let accepting = wanted(&with("accept"));
        let plan = plan::make(&accepting, &kernel.observe(&accepting).unwrap()).unwrap();
        let mut kernel = Faulty { inner: kernel, left: plan.steps.len() - 1, after: true, tripped: false };
        let report = apply::run(&mut kernel, &plan, &Options { rollback: false, ..options() }, &mut |_| {});
        assert!(report.failure.is_some() && report.undone.is_none(), "{report:#?}");
        assert!(sh("ip netns exec RED nft list ruleset").contains("policy accept"));
        apply(&with("drop"));
        assert!(sh("ip netns exec RED nft list ruleset").contains("policy drop"), "the first version is not back");
    });
}

/// The kernel's rules for VRFs stay when the last VRF goes; one of the two is missing here, and the other is not in the
/// way of going back.
#[test]
fn rules_of_a_vrf_that_was_there_before() {
    sandbox::run_needing("rules_of_a_vrf_that_was_there_before", &["vrf", "dummy"], || {
        let with = "namespaces: { RED: { interfaces: { v0: { vrf: { table: 7 } } } } }";
        let without = "namespaces: { RED: { interfaces: { d0: { dummy: {} } } } }";
        apply(with);
        apply(without);
        for family in ["-4", "-6"] {
            let forced = fails_at_each(with, || {
                assert!(
                    sandbox::try_sh("ip -n RED link show d0").code == 0
                        && sandbox::try_sh("ip -n RED link show v0").code != 0
                );
                sh(&format!("ip {family} -n RED rule delete priority 1000 || true"));
            });
            assert!(forced > 0);
        }
        apply(with);
        std::thread::sleep(std::time::Duration::from_secs(3));
        let before = snapshot();
        assert_eq!(sh("ip -4 -n RED rule; ip -6 -n RED rule").matches("l3mdev-table").count(), 2);
        for to in [without, "namespaces: {}"] {
            assert!(fails_at_each(to, || assert_snapshot(&before)) > 0);
        }
        apply("");
    });
}

/// A run that was killed between making the file of a namespace and mounting on it: the kernel's rules that the file
/// moves, or that a hand deleted, can only be made once the namespace is.
#[test]
fn rules_of_a_namespace_that_is_only_a_file() {
    sandbox::run("rules_of_a_namespace_that_is_only_a_file", || {
        let moved = "namespaces: { RED: { local-rule: 50 } }";
        apply(moved);
        sh("ip netns delete RED; touch /run/netns/RED");
        apply(moved);
        assert!(sh("ip -n RED rule").contains("50:\tfrom all lookup local"), "{}", sh("ip -n RED rule"));
        apply("");
    });
}

#[test]
fn in_place() {
    sandbox::run("in_place", || everywhere(&transitions::in_place()));
}

#[test]
fn re_create() {
    sandbox::run("re_create", || everywhere(&transitions::re_create()));
}

#[test]
fn from_nothing_and_to_nothing() {
    sandbox::run("from_nothing_and_to_nothing", || everywhere(&transitions::from_nothing_and_to_nothing()));
}

#[test]
fn apart() {
    sandbox::run("apart", || {
        let machine = snapshot();
        apply(&transitions::apart().versions[1]);
        let mut kernel = Linux::new().unwrap();
        kernel.hold_what_goes(true).unwrap();
        let seen = kernel.observe(&wanted("")).unwrap();
        let whole: Vec<&str> =
            seen.namespaces().filter(|namespace| namespace.whole).map(|namespace| namespace.node.as_str()).collect();
        assert_eq!(whole, ["A", "B", "C", "D"]);
        std::thread::sleep(std::time::Duration::from_secs(3));
        let before = snapshot();
        assert!(fails_at_each("", || assert_snapshot(&before)) > 0);
        apply("");
        assert_snapshot(&machine);
    });
}

#[test]
fn existing() {
    sandbox::run("existing", || everywhere(&transitions::existing()));
}

#[test]
fn nat_and_firewall() {
    sandbox::run("nat_and_firewall", || everywhere(&transitions::nat_and_firewall()));
}

#[test]
fn sysctls() {
    sandbox::run("sysctls", || everywhere(&transitions::sysctls()));
}
