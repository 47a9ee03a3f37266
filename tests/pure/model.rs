//! Laws of plan, apply and undo, on the model kernel.

use std::net::IpAddr;
use topo::apply::{self, Options};
use topo::kernel::Kernel;
use topo::model::Model;
use topo::model::effect;
use topo::plan::{self, Action};
use topo::resource::*;

fn namespace(node: &str) -> Resource {
    Resource::Namespace(Namespace {
        node: node.into(),
        tenure: NodeTenure::Created,
        marked: true,
        whole: false,
        alias: None,
    })
}

fn link(id: (&str, &str), kind: Kind) -> Link {
    let mut link = Link::bare(LinkId::new(id.0, id.1), kind);
    kinds::fill(kinds::of(&link.kind), &mut link.options);
    link.up = Setting::Is(true);
    link.master = Setting::Is(None);
    if link.kind != Kind::Bridge {
        link.mtu = Setting::Is(1500);
    }
    link
}

fn pair(state: &mut State, a: (&str, &str), b: (&str, &str), master_of_b: Option<&str>) {
    let (mut first, mut second) = (link(a, Kind::Veth), link(b, Kind::Veth));
    first.peer = Some(second.id.clone());
    second.peer = Some(first.id.clone());
    second.master = Setting::Is(master_of_b.map(IfName::from));
    state.insert(Resource::Link(Box::new(first)), Owner::Ours);
    state.insert(Resource::Link(Box::new(second)), Owner::Ours);
}

fn address(state: &mut State, id: (&str, &str), text: &str, secondary: bool) {
    let mut address = Address::plain(LinkId::new(id.0, id.1), text.parse().unwrap());
    address.secondary = secondary;
    state.insert(Resource::Address(address), Owner::Ours);
}

fn route(state: &mut State, node: &str, to: &str, via: &str, dev: &str) {
    let key = RouteKey::new(TableId::MAIN, to.parse().unwrap(), 0);
    let hop = NextHop::new(Some(via.parse::<IpAddr>().unwrap()), Some(dev.into()));
    let route = Route { nexthops: vec![hop], scope: Setting::Is(0), ..Route::bare(node.into(), key) };
    state.insert(Resource::Route(route), Owner::Ours);
}

fn node(state: &mut State, name: &str) {
    state.insert(namespace(name), Owner::Ours);
    let mut lo = Link { tenure: Tenure::Existing, ..Link::bare(LinkId::new(name, "lo"), Kind::Loopback) };
    lo.up = Setting::Is(true);
    state.insert(Resource::Link(Box::new(lo)), Owner::Ours);
    for key in ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"] {
        state.insert(Resource::Sysctl(Sysctl::new(name.into(), key, "0")), Owner::Ours);
    }
}

/// Two namespaces on a bridge of the host.
fn star() -> State {
    let mut state = State::empty("star".into());
    for name in ["BLUE", "RED"] {
        node(&mut state, name);
        pair(&mut state, (name, "eth0"), ("host", if name == "RED" { "v1" } else { "v2" }), Some("br0"));
    }
    state.insert(Resource::Link(Box::new(link(("host", "br0"), Kind::Bridge))), Owner::Ours);
    address(&mut state, ("host", "br0"), "10.0.0.1/24", false);
    address(&mut state, ("RED", "eth0"), "10.0.0.2/24", false);
    address(&mut state, ("RED", "eth0"), "10.0.0.3/24", true);
    address(&mut state, ("BLUE", "eth0"), "10.0.0.4/24", false);
    address(&mut state, ("BLUE", "eth0"), "fd00::4/64", false);
    route(&mut state, "RED", "0.0.0.0/0", "10.0.0.1", "eth0");
    route(&mut state, "BLUE", "0.0.0.0/0", "10.0.0.1", "eth0");
    state
}

/// The two directly connected, one renamed, other addresses.
fn direct() -> State {
    let mut state = State::empty("star".into());
    for name in ["GREEN", "RED"] {
        node(&mut state, name);
    }
    pair(&mut state, ("RED", "eth0"), ("GREEN", "eth0"), None);
    address(&mut state, ("RED", "eth0"), "10.0.0.3/24", false);
    address(&mut state, ("RED", "eth0"), "10.0.0.2/24", true);
    address(&mut state, ("GREEN", "eth0"), "10.0.0.9/24", false);
    route(&mut state, "GREEN", "192.168.0.0/16", "10.0.0.2", "eth0");
    state
}

fn options() -> Options {
    Options { rollback: true, interrupted: Default::default() }
}

fn apply(model: &mut Model, wanted: &State) -> plan::Plan {
    let observed = model.observe(wanted).unwrap();
    let plan = plan::make(wanted, &observed).unwrap();
    let report = apply::run(model, &plan, &options(), &mut |_| {});
    assert!(report.is_success(), "{report:?}");
    let again = plan::make(wanted, &model.observe(wanted).unwrap()).unwrap();
    assert!(again.is_empty(), "{:#?}", again.changes);
    plan
}

fn bare() -> Model {
    Model::bare("star".into())
}

/// Without the record, and without what only says where it came from.
fn plain(model: &Model) -> State {
    State { record: Record::default(), ..model.state.clone() }
}

#[test]
fn applies_then_plans_to_nothing_then_destroys() {
    for wanted in [star(), direct()] {
        let mut model = bare();
        let before = plain(&model);
        apply(&mut model, &wanted);
        apply(&mut model, &State::empty("star".into()));
        assert_eq!(plain(&model), before);
        assert!(model.state.record.is_empty());
    }
}

#[test]
fn any_version_follows_any_other() {
    let (mut fresh, mut changed) = (bare(), bare());
    apply(&mut fresh, &direct());
    apply(&mut changed, &star());
    apply(&mut changed, &direct());
    assert_eq!(plain(&fresh), plain(&changed));
    apply(&mut changed, &star());
    let mut fresh = bare();
    apply(&mut fresh, &star());
    assert_eq!(plain(&fresh), plain(&changed));
}

#[test]
fn what_a_flap_takes_away_is_put_back() {
    let mut model = bare();
    apply(&mut model, &star());
    let eth0 = model.state.link(&LinkId::new("BLUE", "eth0")).unwrap().clone();
    let down = Link { up: Setting::Is(false), ..eth0.clone() };
    effect(
        &mut model.state,
        &Operation::Update { before: Resource::Link(Box::new(eth0)), after: Resource::Link(Box::new(down)) },
    )
    .unwrap();
    let plan = apply(&mut model, &star());
    let changed: Vec<_> = plan.changes.iter().map(|change| (change.id.to_string(), change.action)).collect();
    assert_eq!(
        changed,
        [
            ("BLUE/eth0".to_owned(), Action::Update),
            ("BLUE/eth0 fd00::4/64".to_owned(), Action::Create),
            ("BLUE default".to_owned(), Action::Create)
        ]
    );
}

#[test]
fn a_failure_at_any_step_is_undone() {
    let versions = [State::empty("star".into()), star(), direct()];
    for from in &versions {
        for to in &versions {
            let mut at = 0;
            loop {
                let mut model = bare();
                apply(&mut model, from);
                let before = plain(&model);
                let plan = plan::make(to, &model.observe(to).unwrap()).unwrap();
                if at == plan.steps.len() {
                    break;
                }
                model.fail_after = Some(at);
                let report = apply::run(&mut model, &plan, &options(), &mut |_| {});
                assert!(report.failure.is_some());
                assert_eq!(report.undone, Some(Ok(())), "step {at} of {:#?}", plan.steps);
                assert_eq!(plain(&model), before);
                at += 1;
            }
        }
    }
}

#[test]
fn a_taken_name_is_refused() {
    let mut model = bare();
    model.state.insert(Resource::Link(Box::new(link(("host", "br0"), Kind::Bridge))), Owner::Theirs(Foreign::Unknown));
    let conflicts = plan::make(&star(), &model.state).unwrap_err();
    assert_eq!(conflicts[0].reason, "bridge host/br0 already exists and belongs to another program or user");
}

#[test]
fn foreign_addresses_and_ports_of_a_bridge_made_anew_come_back() {
    let mut model = bare();
    apply(&mut model, &star());
    let mut theirs = Address::plain(LinkId::new("host", "br0"), "172.16.0.1/16".parse().unwrap());
    theirs.marked = false;
    let theirs = Resource::Address(theirs);
    model.state.insert(theirs.clone(), Owner::Theirs(Foreign::Unknown));
    let mut wanted = star();
    if let Some(Resource::Link(link)) =
        wanted.items.get_mut(&ResourceId::Link(LinkId::new("host", "br0"))).map(|item| &mut item.resource)
    {
        link.queues = Setting::Is(Queues { tx: 4, rx: 4 });
    }
    if let Some(Resource::Link(link)) =
        model.state.items.get_mut(&ResourceId::Link(LinkId::new("host", "br0"))).map(|item| &mut item.resource)
    {
        link.queues = Setting::Is(Queues { tx: 1, rx: 1 });
    }
    let plan = plan::make(&wanted, &model.state).unwrap();
    let replaced = plan.changes.iter().find(|change| change.action == Action::Replace).unwrap();
    assert!(replaced.loses.contains(&theirs.id()), "{replaced:#?}");
    let report = apply::run(&mut model, &plan, &options(), &mut |_| {});
    assert!(report.is_success(), "{report:?}");
    assert!(model.state.get(&theirs.id()).is_some());
}

#[test]
fn the_same_states_give_the_same_plan() {
    let mut model = bare();
    apply(&mut model, &star());
    let make = || serde_json::to_string(&plan::make(&direct(), &model.state).unwrap()).unwrap();
    assert_eq!(make(), make());
}

#[test]
fn a_link_that_was_moved_in_goes_home_when_it_is_undone() {
    let mut model = bare();
    let mut up0 =
        Link { tenure: Tenure::Existing, marked: false, ..Link::bare(LinkId::new("host", "up0"), Kind::Physical) };
    up0.up = Setting::Is(true);
    up0.mtu = Setting::Is(1450);
    up0.master = Setting::Is(None);
    model.state.insert(Resource::Link(Box::new(up0)), Owner::Theirs(Foreign::Unknown));
    let mut theirs = Address::plain(LinkId::new("host", "up0"), "192.0.2.1/24".parse().unwrap());
    theirs.marked = false;
    model.state.insert(Resource::Address(theirs), Owner::Theirs(Foreign::Unknown));
    let before = plain(&model);
    let mut wanted = State::empty("star".into());
    node(&mut wanted, "RED");
    let moved = Link {
        tenure: Tenure::From(LinkId::new("host", "up0")),
        up: Setting::Is(true),
        mtu: Setting::Is(1280),
        marked: false,
        ..Link::bare(LinkId::new("RED", "eth0"), Kind::Any)
    };
    wanted.insert(Resource::Link(Box::new(moved)), Owner::Named);
    address(&mut wanted, ("RED", "eth0"), "192.0.2.7/24", false);
    let steps = plan::make(&wanted, &model.state).unwrap().steps.len();
    for at in 0..steps {
        let plan = plan::make(&wanted, &model.state).unwrap();
        model.fail_after = Some(at);
        let report = apply::run(&mut model, &plan, &options(), &mut |_| {});
        assert_eq!(report.undone, Some(Ok(())), "step {at} of {:#?}", plan.steps);
        assert_eq!(plain(&model), before);
    }
    apply(&mut model, &wanted);
    // At home, but configured.
    let mut home = State::empty("star".into());
    let configured = Link {
        tenure: Tenure::Existing,
        mtu: Setting::Is(1300),
        marked: false,
        ..Link::bare(LinkId::new("host", "up0"), Kind::Any)
    };
    home.insert(Resource::Link(Box::new(configured)), Owner::Named);
    let plan = plan::make(&home, &model.state).unwrap();
    assert!(
        plan.changes.iter().all(|change| change.action != Action::Create || change.id.kind() != "link"),
        "{:#?}",
        plan.changes
    );
    apply(&mut model, &home);
    assert_eq!(model.state.link(&LinkId::new("host", "up0")).unwrap().mtu, Setting::Is(1300));
    apply(&mut model, &wanted);
    apply(&mut model, &home);
    apply(&mut model, &State::empty("star".into()));
    assert_eq!(plain(&model), before);
}

/// A machine on which `others` are, and that forwards because of `lab` and them.
fn forwarding(others: &[&str]) -> State {
    let of = |key: &str, value: &str| Sysctl::new(Node::host(), key, value);
    let (switch, default) = ("net/ipv4/ip_forward", "net/ipv4/conf/default/forwarding");
    let prior = vec![Resource::Sysctl(of(switch, "0")), Resource::Sysctl(of(default, "0"))];
    let record = Record { prior, wrote: vec![of(switch, "1")], ..Record::default() };
    let mut state = Model::bare("lab".into()).state;
    for key in [switch, default] {
        state.insert(Resource::Sysctl(of(key, "1")), Owner::Theirs(Foreign::Machine));
    }
    state.others = others.iter().map(|name| ((*name).into(), record.clone())).collect();
    state.record = record;
    state
}

#[test]
fn a_shared_switch_waits_for_the_last_topology_with_all_that_it_wrote() {
    let nothing = State::empty("lab".into());
    let plan = plan::make(&nothing, &forwarding(&["two"])).unwrap();
    assert!(plan.changes.is_empty(), "{:#?}", plan.changes);
    let last = plan::make(&nothing, &forwarding(&[])).unwrap();
    let keys: Vec<String> = last.changes.iter().map(|change| change.id.to_string()).collect();
    assert_eq!(keys, ["host net/ipv4/conf/default/forwarding", "host net/ipv4/ip_forward"]);
}

#[test]
fn a_namespace_that_another_topology_uses_stays() {
    let mut model = bare();
    apply(&mut model, &star());
    let mut observed = model.observe(&star()).unwrap();
    let node = observed.namespaces().find(|namespace| namespace.tenure == NodeTenure::Created).unwrap().node.clone();
    let existing = [("GUEST".into(), NetnsRef::Name(node.as_str().into()))].into();
    observed.others = vec![("two".into(), Record { existing, ..Record::default() })];
    assert!(plan::make(&star(), &observed).unwrap().is_empty());
    let conflicts = plan::make(&State::empty(star().topology), &observed).unwrap_err();
    assert_eq!(conflicts.len(), 1, "{conflicts:#?}");
    assert_eq!(
        (&conflicts[0].id, conflicts[0].reason.as_str()),
        (&ResourceId::Namespace(node), "topology \"two\" still uses it")
    );
}
