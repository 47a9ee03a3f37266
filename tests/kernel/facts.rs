//! What the kernel takes away besides, and what it refuses: each fact is seen on the real kernel by `ip`, and held by
//! the model.

use crate::sandbox;

use sandbox::{ip_json, sh, try_sh};
use topo::model::effect;
use topo::resource::*;

/// A state with a node RED and BLUE, and in RED the interface `e0`, peer of BLUE/e0, with what the tests put on it.
struct Paper(State);

impl Paper {
    fn new() -> Self {
        let mut state = State::empty("facts".into());
        for node in ["RED", "BLUE"] {
            let namespace = Resource::Namespace(Namespace {
                node: node.into(),
                tenure: NodeTenure::Created,
                marked: true,
                whole: false,
                alias: None,
            });
            effect(&mut state, &Operation::Create(namespace)).unwrap();
        }
        let mut paper = Self(state);
        paper.pair(("RED", "e0"), ("BLUE", "e0"));
        paper
    }

    fn pair(&mut self, one: (&str, &str), other: (&str, &str)) {
        let (mut one, mut other) = (up(one, Kind::Veth), up(other, Kind::Veth));
        one.peer = Some(other.id.clone());
        other.peer = Some(one.id.clone());
        effect(&mut self.0, &Operation::CreatePair(Box::new(one), Box::new(other))).unwrap();
    }

    fn address(&mut self, text: &str) {
        self.create(Resource::Address(Address::plain(LinkId::new("RED", "e0"), text.parse().unwrap())));
    }

    fn route(&mut self, to: &str, hops: &[(&str, &str)], source: Option<&str>) {
        let route = route(to, hops, source);
        self.create(Resource::Route(route));
    }

    fn create(&mut self, resource: Resource) {
        effect(&mut self.0, &Operation::Create(resource)).unwrap();
    }

    fn delete(&mut self, id: &ResourceId) {
        let resource = self.0.get(id).unwrap().clone();
        effect(&mut self.0, &Operation::Delete(resource)).unwrap();
    }

    fn delete_address(&mut self, text: &str) {
        self.delete(&ResourceId::Address(LinkId::new("RED", "e0"), text.parse().unwrap(), None));
    }

    fn set(&mut self, change: impl Fn(&mut Link)) {
        let before = self.0.link(&LinkId::new("RED", "e0")).unwrap().clone();
        let mut after = before.clone();
        change(&mut after);
        effect(
            &mut self.0,
            &Operation::Update { before: Resource::Link(Box::new(before)), after: Resource::Link(Box::new(after)) },
        )
        .unwrap();
    }

    /// The addresses of RED/e0 and the routes of RED.
    fn left(&self) -> Vec<String> {
        let link = LinkId::new("RED", "e0");
        let addresses = self.0.addresses_of(&link).map(|address| address.address.to_string());
        let node = Node::from("RED");
        addresses.chain(self.0.routes_of(&node).map(|route| route.id().to_string())).collect()
    }
}

fn up(id: (&str, &str), kind: Kind) -> Link {
    let mut link = Link::bare(LinkId::new(id.0, id.1), kind);
    link.up = Setting::Is(true);
    link.mtu = Setting::Is(1500);
    link
}

fn route(to: &str, hops: &[(&str, &str)], source: Option<&str>) -> Route {
    let to: ipnet::IpNet = to.parse().unwrap();
    let key = RouteKey::new(TableId::MAIN, to, if to.addr().is_ipv6() { 1024 } else { 0 });
    let hop = |(via, dev): &(&str, &str)| NextHop::new(via.parse().ok(), Some((*dev).into()));
    let source = source.map(|source| source.parse().unwrap());
    Route { nexthops: hops.iter().map(hop).collect(), source, scope: Setting::Is(0), ..Route::bare("RED".into(), key) }
}

/// RED/e0 and BLUE/e0, up.
fn machine() {
    sh("ip netns add RED; ip netns add BLUE; ip link add name e0 netns RED type veth peer name e0 netns BLUE
        ip -n RED link set dev e0 up; ip -n BLUE link set dev e0 up");
    // IPv6 addresses are there to be counted: no link-local ones.
    sh(
        "ip -n RED link set lo up; ip netns exec RED sysctl -qw net.ipv6.conf.e0.addr_gen_mode=1; ip -n RED address flush dev e0",
    );
}

/// The addresses of RED/e0 and the static routes of RED, as the kernel has them.
fn left() -> Vec<String> {
    let addresses = sh("ip -n RED -o address show dev e0 scope global | awk '{print $4}'");
    let routes =
        sh("ip -n RED route show proto static; ip -6 -n RED route show proto static | sed 's/^default/-6 default/'");
    let names = routes.lines().filter(|line| !line.starts_with(['\t', ' '])).map(|line| {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        let name = if first == "-6" { format!("-6 {}", words.next().unwrap_or_default()) } else { first.to_owned() };
        format!("RED {name}")
    });
    addresses.lines().map(str::to_owned).chain(names).collect()
}

fn add_static(words: &str) {
    sh(&format!("ip -n RED route add proto static {words}"));
}

/// [`machine`] and its paper, with an address and a route over it of each family.
fn machine_of_both_families() -> Paper {
    machine();
    let mut paper = Paper::new();
    sh("ip -n RED address add 10.0.0.1/24 dev e0; ip -n RED address add fd00::1/64 dev e0 nodad");
    add_static("10.9.0.0/16 via 10.0.0.2");
    add_static("fd09::/16 via fd00::2");
    paper.address("10.0.0.1/24");
    paper.address("fd00::1/64");
    paper.route("10.9.0.0/16", &[("10.0.0.2", "e0")], None);
    paper.route("fd09::/16", &[("fd00::2", "e0")], None);
    paper
}

#[track_caller]
fn both(paper: &Paper, expected: &[&str]) {
    assert_eq!(paper.left(), expected, "the model");
    assert_eq!(left(), expected, "the kernel");
}

#[test]
fn the_last_address_takes_all_routes_of_its_link() {
    sandbox::run("the_last_address_takes_all_routes_of_its_link", || {
        machine();
        let mut paper = Paper::new();
        sh("ip -n RED address add 10.0.0.1/24 dev e0");
        add_static("10.9.0.0/16 via 10.0.0.2");
        add_static("default via 10.0.0.2");
        paper.address("10.0.0.1/24");
        paper.route("10.9.0.0/16", &[("10.0.0.2", "e0")], None);
        paper.route("0.0.0.0/0", &[("10.0.0.2", "e0")], None);
        sh("ip -n RED address delete 10.0.0.1/24 dev e0");
        paper.delete_address("10.0.0.1/24");
        both(&paper, &[]);
    });
}

#[test]
fn one_of_two_subnets_takes_its_connected_route_only() {
    sandbox::run("one_of_two_subnets_takes_its_connected_route_only", || {
        machine();
        let mut paper = Paper::new();
        sh("ip -n RED address add 10.0.0.1/24 dev e0; ip -n RED address add 10.1.0.1/24 dev e0");
        add_static("10.9.0.0/16 via 10.0.0.2");
        add_static("10.8.0.0/16 dev e0 src 10.0.0.1");
        paper.address("10.0.0.1/24");
        paper.address("10.1.0.1/24");
        paper.route("10.9.0.0/16", &[("10.0.0.2", "e0")], None);
        paper.route("10.8.0.0/16", &[("", "e0")], Some("10.0.0.1"));
        sh("ip -n RED address delete 10.0.0.1/24 dev e0");
        paper.delete_address("10.0.0.1/24");
        both(&paper, &["10.1.0.1/24", "RED 10.9.0.0/16"]);
    });
}

#[test]
fn the_primary_takes_its_secondaries() {
    sandbox::run("the_primary_takes_its_secondaries", || {
        machine();
        let mut paper = Paper::new();
        sh("ip -n RED address add 10.0.0.1/24 dev e0; ip -n RED address add 10.0.0.5/24 dev e0");
        add_static("10.9.0.0/16 via 10.0.0.2");
        paper.address("10.0.0.1/24");
        paper.address("10.0.0.5/24");
        paper.route("10.9.0.0/16", &[("10.0.0.2", "e0")], None);
        sh("ip -n RED address delete 10.0.0.1/24 dev e0");
        paper.delete_address("10.0.0.1/24");
        both(&paper, &[]);
    });
}

#[test]
fn a_promoted_secondary_stays() {
    sandbox::run("a_promoted_secondary_stays", || {
        machine();
        let mut paper = Paper::new();
        sh("ip netns exec RED sysctl -qw net.ipv4.conf.e0.promote_secondaries=1
            ip -n RED address add 10.0.0.1/24 dev e0; ip -n RED address add 10.0.0.5/24 dev e0");
        add_static("10.9.0.0/16 via 10.0.0.2");
        paper.create(Resource::Sysctl(Sysctl::new("RED".into(), "net/ipv4/conf/e0/promote_secondaries", "1")));
        paper.address("10.0.0.1/24");
        paper.address("10.0.0.5/24");
        paper.route("10.9.0.0/16", &[("10.0.0.2", "e0")], None);
        sh("ip -n RED address delete 10.0.0.1/24 dev e0");
        paper.delete_address("10.0.0.1/24");
        both(&paper, &["10.0.0.5/24", "RED 10.9.0.0/16"]);
    });
}

#[test]
fn down_takes_routes_and_ipv6_addresses() {
    sandbox::run("down_takes_routes_and_ipv6_addresses", || {
        let mut paper = machine_of_both_families();
        sh("ip -n RED link set dev e0 down; ip -n RED link set dev e0 up");
        paper.set(|link| link.up = Setting::Is(false));
        paper.set(|link| link.up = Setting::Is(true));
        both(&paper, &["10.0.0.1/24"]);
    });
}

#[test]
fn a_small_mtu_takes_ipv6() {
    sandbox::run("a_small_mtu_takes_ipv6", || {
        let mut paper = machine_of_both_families();
        sh("ip -n RED link set dev e0 mtu 1279");
        paper.set(|link| link.mtu = Setting::Is(1279));
        both(&paper, &["10.0.0.1/24", "RED 10.9.0.0/16"]);
    });
}

/// An IPv6 route with an MTU of its own: cut by that of its link, and raised with it where it was the same, unless it
/// is locked.
#[test]
fn the_mtu_of_an_ipv6_route_follows_its_link() {
    sandbox::run("the_mtu_of_an_ipv6_route_follows_its_link", || {
        let mut paper = machine_of_both_families();
        for (to, mtu, lock) in [("fd0a::/16", 1400, ""), ("fd0b::/16", 1350, "lock "), ("fd0c::/16", 1290, "")] {
            add_static(&format!("{to} via fd00::2 mtu {lock}{mtu}"));
            let mut resource = route(to, &[("fd00::2", "e0")], None);
            resource.mtu = Some(mtu);
            if !lock.is_empty() {
                resource.metrics.insert(1, 1 << 2);
            }
            paper.create(Resource::Route(resource));
        }
        for (mtu, expected) in [(1300, [1300, 1350, 1290]), (1500, [1500, 1350, 1290]), (1450, [1450, 1350, 1290])] {
            sh(&format!("ip -n RED link set dev e0 mtu {mtu}"));
            paper.set(|link| link.mtu = Setting::Is(mtu));
            for (to, expected) in ["fd0a::/16", "fd0b::/16", "fd0c::/16"].iter().zip(expected) {
                let shown = sh(&format!("ip -n RED -6 route show {to}"));
                assert!(shown.trim_end().contains(&format!(" {expected}")), "{mtu}: {shown}");
                let route = route(to, &[("fd00::2", "e0")], None);
                let Some(Resource::Route(route)) = paper.0.get(&route.id()) else { panic!("{to} is gone") };
                assert_eq!(route.mtu, Some(expected), "{to} at {mtu}");
            }
        }
    });
}

#[test]
fn ipv6_that_is_off_takes_addresses_and_routes() {
    sandbox::run("ipv6_that_is_off_takes_addresses_and_routes", || {
        let mut paper = machine_of_both_families();
        let setting = |value: &str| Resource::Sysctl(Sysctl::new("RED".into(), "net/ipv6/conf/e0/disable_ipv6", value));
        paper.create(setting("0"));
        effect(&mut paper.0, &Operation::Update { before: setting("0"), after: setting("1") }).unwrap();
        sh("ip netns exec RED sysctl -qw net.ipv6.conf.e0.disable_ipv6=1");
        both(&paper, &["10.0.0.1/24", "RED 10.9.0.0/16"]);
        let off =
            |of: &str| sh(&format!("ip netns exec RED sysctl -n net.ipv6.conf.{of}.disable_ipv6")).trim().to_owned();
        sh("ip netns exec RED sysctl -qw net.ipv6.conf.all.disable_ipv6=0");
        assert_eq!(off("e0"), "0", "the switch writes that of each interface");
        sh("ip netns exec RED sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
        assert_eq!(["e0", "lo", "default"].map(off), ["1", "1", "1"]);
    });
}

#[test]
fn a_route_with_another_next_hop_stays_half_dead() {
    sandbox::run("a_route_with_another_next_hop_stays_half_dead", || {
        machine();
        let mut paper = Paper::new();
        paper.pair(("RED", "e1"), ("BLUE", "e1"));
        sh("ip link add name e1 netns RED type veth peer name e1 netns BLUE; ip -n RED link set dev e1 up; ip -n BLUE link set dev e1 up
            ip -n RED address add 10.0.0.1/24 dev e0; ip -n RED address add 10.1.0.1/24 dev e1");
        add_static("10.9.0.0/16 nexthop via 10.0.0.2 dev e0 nexthop via 10.1.0.2 dev e1");
        paper.address("10.0.0.1/24");
        paper.create(Resource::Address(Address::plain(LinkId::new("RED", "e1"), "10.1.0.1/24".parse().unwrap())));
        paper.route("10.9.0.0/16", &[("10.0.0.2", "e0"), ("10.1.0.2", "e1")], None);
        sh("ip -n RED address delete 10.0.0.1/24 dev e0");
        paper.delete_address("10.0.0.1/24");
        both(&paper, &["RED 10.9.0.0/16"]);
        assert!(sh("ip -n RED route show 10.9.0.0/16").contains("dead"), "the kernel");
        assert!(paper.0.routes_of(&"RED".into()).all(|route| route.dead), "the model");
    });
}

#[test]
fn a_route_with_several_next_hops_and_a_link_that_goes_or_is_down() {
    sandbox::run("a_route_with_several_next_hops_and_a_link_that_goes_or_is_down", || {
        for down in [true, false] {
            machine();
            let mut paper = Paper::new();
            paper.pair(("RED", "e1"), ("BLUE", "e1"));
            sh("ip link add name e1 netns RED type veth peer name e1 netns BLUE; ip -n RED link set dev e1 up; ip -n BLUE link set dev e1 up
                ip netns exec RED sysctl -qw net.ipv6.conf.e1.addr_gen_mode=1; ip -n RED address flush dev e1
                ip -n RED address add 10.0.0.1/24 dev e0; ip -n RED address add 10.1.0.1/24 dev e1
                ip -n RED address add fd00::1/64 dev e0 nodad; ip -n RED address add fd01::1/64 dev e1 nodad");
            add_static("10.9.0.0/16 nexthop via 10.0.0.2 dev e0 nexthop via 10.1.0.2 dev e1");
            add_static("fd09::/16 nexthop via fd00::2 dev e0 nexthop via fd01::2 dev e1");
            for (link, address) in
                [("e0", "10.0.0.1/24"), ("e0", "fd00::1/64"), ("e1", "10.1.0.1/24"), ("e1", "fd01::1/64")]
            {
                paper.create(Resource::Address(Address::plain(LinkId::new("RED", link), address.parse().unwrap())));
            }
            paper.route("10.9.0.0/16", &[("10.0.0.2", "e0"), ("10.1.0.2", "e1")], None);
            paper.route("fd09::/16", &[("fd00::2", "e0"), ("fd01::2", "e1")], None);
            if down {
                sh("ip -n RED link set dev e0 down");
                paper.set(|link| link.up = Setting::Is(false));
                both(&paper, &["10.0.0.1/24", "RED 10.9.0.0/16", "RED fd09::/16"]);
                assert_eq!(
                    sh("ip -n RED route show 10.9.0.0/16; ip -6 -n RED route show fd09::/16").matches("dead").count(),
                    2,
                    "the kernel"
                );
                assert!(paper.0.routes_of(&"RED".into()).all(|route| route.dead), "the model");
            } else {
                sh("ip -n RED link delete dev e0");
                paper.delete(&ResourceId::Link(LinkId::new("RED", "e0")));
                assert_eq!(
                    sh("ip -n RED route show proto static; ip -6 -n RED route show proto static | grep -c fd01::2"),
                    "1\n",
                    "the kernel"
                );
                let routes: Vec<String> = paper
                    .0
                    .routes_of(&"RED".into())
                    .map(|route| format!("{} {}", route.id(), route.nexthops.len()))
                    .collect();
                assert_eq!(routes, ["RED fd09::/16 1"], "the model");
            }
            sh("ip netns delete RED; ip netns delete BLUE");
        }
    });
}

#[test]
fn peers_go_with_a_namespace_a_little_later() {
    sandbox::run("peers_go_with_a_namespace_a_little_later", || {
        machine();
        let mut paper = Paper::new();
        sh("ip netns delete RED");
        let gone = || !try_sh("ip -n BLUE link show dev e0").stdout.contains("e0@");
        assert!(sandbox::wait_for(std::time::Duration::from_secs(5), gone), "the kernel");
        paper.delete(&ResourceId::Namespace("RED".into()));
        assert!(paper.0.link(&LinkId::new("BLUE", "e0")).is_none(), "the model");
    });
}

#[test]
fn ports_outlive_their_bridge_and_upper_links_do_not() {
    sandbox::run("ports_outlive_their_bridge_and_upper_links_do_not", || {
        machine();
        let mut paper = Paper::new();
        sh(
            "ip -n RED link add name br0 type bridge; ip -n RED link set dev e0 master br0; ip -n RED link add name mac0 link br0 type macvlan",
        );
        paper.create(Resource::Link(Box::new(up(("RED", "br0"), Kind::Bridge))));
        paper.set(|link| link.master = Setting::Is(Some("br0".into())));
        let mut macvlan = up(("RED", "mac0"), Kind::Macvlan);
        macvlan.link = Some(LinkId::new("RED", "br0"));
        paper.create(Resource::Link(Box::new(macvlan)));
        sh("ip -n RED link delete br0");
        paper.delete(&ResourceId::Link(LinkId::new("RED", "br0")));
        assert!(!sh("ip -n RED link show dev e0").contains("master"), "the kernel");
        assert!(!try_sh("ip -n RED link show dev mac0").stdout.contains("mac0@"), "the kernel");
        assert_eq!(paper.0.link(&LinkId::new("RED", "e0")).unwrap().master, Setting::Is(None), "the model");
        assert!(paper.0.link(&LinkId::new("RED", "mac0")).is_none(), "the model");
    });
}

#[test]
fn a_moved_link_is_down_and_bare() {
    sandbox::run("a_moved_link_is_down_and_bare", || {
        machine();
        let mut paper = Paper::new();
        sh("ip -n RED address add 10.0.0.1/24 dev e0");
        add_static("10.9.0.0/16 via 10.0.0.2");
        paper.address("10.0.0.1/24");
        paper.route("10.9.0.0/16", &[("10.0.0.2", "e0")], None);
        sh("ip netns add GREEN; ip -n RED link set dev e0 netns GREEN name e9");
        let green = Resource::Namespace(Namespace {
            node: "GREEN".into(),
            tenure: NodeTenure::Created,
            marked: true,
            whole: false,
            alias: None,
        });
        paper.create(green);
        let link = Box::new(paper.0.link(&LinkId::new("RED", "e0")).unwrap().clone());
        effect(&mut paper.0, &Operation::Move { link, to: LinkId::new("GREEN", "e9") }).unwrap();
        assert_eq!(sh("ip -n RED route show proto static"), "", "the kernel");
        assert_eq!(sh("ip -n GREEN -o -4 address show dev e9"), "", "the kernel");
        assert!(sh("ip -n GREEN link show dev e9").contains("state DOWN"), "the kernel");
        assert_eq!(paper.left(), Vec::<String>::new(), "the model");
        let moved = paper.0.link(&LinkId::new("GREEN", "e9")).unwrap().clone();
        assert_eq!((moved.up, moved.marked), (Setting::Is(false), true), "the model");
        // Back home it is as little topo's as before.
        effect(&mut paper.0, &Operation::Move { link: Box::new(moved), to: LinkId::new("RED", "e0") }).unwrap();
        assert!(!paper.0.link(&LinkId::new("RED", "e0")).unwrap().marked, "the model");
    });
}

#[test]
fn a_bridge_follows_its_ports_until_somebody_writes_its_mtu() {
    sandbox::run("a_bridge_follows_its_ports_until_somebody_writes_its_mtu", || {
        machine();
        let mtu = || sh("ip -n RED -j link show dev br0 | sed 's/.*\"mtu\":\\([0-9]*\\).*/\\1/'").trim().to_owned();
        sh(
            "ip -n RED link add name br0 type bridge; ip -n RED link set dev e0 mtu 1400; ip -n RED link set dev e0 master br0",
        );
        assert_eq!(mtu(), "1400", "it follows its port");
        sh("ip -n RED link set dev e0 nomaster");
        assert_eq!(mtu(), "1500", "and is as before without it");
        sh(
            "ip -n RED link set dev br0 mtu 1400; ip -n RED link set dev e0 master br0; ip -n RED link set dev e0 nomaster",
        );
        assert_eq!(mtu(), "1400", "what was written stays");
        // The model cannot tell the two, so that a plan writes the MTU again.
        let mut paper = Paper::new();
        paper.create(Resource::Link(Box::new(Link { mtu: Setting::Is(1400), ..up(("RED", "br0"), Kind::Bridge) })));
        paper.set(|link| link.mtu = Setting::Is(1400));
        paper.set(|link| link.master = Setting::Is(Some("br0".into())));
        paper.set(|link| link.master = Setting::Is(None));
        assert_eq!(paper.0.link(&LinkId::new("RED", "br0")).unwrap().mtu, Setting::Is(0), "the model");
    });
}

#[test]
fn a_bridge_takes_the_mtu_of_a_lower_port() {
    sandbox::run("a_bridge_takes_the_mtu_of_a_lower_port", || {
        machine();
        let mut paper = Paper::new();
        sh("ip -n RED link add name br0 type bridge; ip -n RED link set dev e0 master br0
            ip -n RED link add name e1 mtu 1400 type veth peer name e1 netns BLUE; ip -n RED link set dev e1 master br0");
        paper.create(Resource::Link(Box::new(up(("RED", "br0"), Kind::Bridge))));
        paper.set(|link| link.master = Setting::Is(Some("br0".into())));
        let (mut near, mut far) = (up(("RED", "e1"), Kind::Veth), up(("BLUE", "e1"), Kind::Veth));
        (near.mtu, near.master) = (Setting::Is(1400), Setting::Is(Some("br0".into())));
        (near.peer, far.peer) = (Some(far.id.clone()), Some(near.id.clone()));
        effect(&mut paper.0, &Operation::CreatePair(Box::new(near), Box::new(far))).unwrap();
        assert!(sh("ip -n RED link show dev br0").contains("mtu 1400"), "the kernel, though a port has 1500");
        assert_eq!(
            paper.0.link(&LinkId::new("RED", "br0")).unwrap().mtu,
            Setting::Is(0),
            "the model: unless somebody wrote it, which it cannot tell"
        );
    });
}

/// RED/m0, a macvlan on RED/e0, on both.
fn macvlan(paper: &mut Paper) {
    sh("ip -n RED link add name m0 link e0 type macvlan; ip -n RED link set dev m0 up");
    let macvlan = Link { link: Some(LinkId::new("RED", "e0")), ..up(("RED", "m0"), Kind::Macvlan) };
    paper.create(Resource::Link(Box::new(macvlan)));
}

#[test]
fn a_macvlan_takes_a_lower_mtu_from_below_and_loses_ipv6_with_it() {
    sandbox::run("a_macvlan_takes_a_lower_mtu_from_below_and_loses_ipv6_with_it", || {
        machine();
        let mut paper = Paper::new();
        macvlan(&mut paper);
        let m0 = LinkId::new("RED", "m0");
        sh("ip -n RED address add fd00::1/64 dev m0 nodad");
        paper.create(Resource::Address(Address::plain(m0.clone(), "fd00::1/64".parse().unwrap())));
        for (mtu, follows) in [(1400, 1400), (1279, 1279), (1500, 1279)] {
            sh(&format!("ip -n RED link set dev e0 mtu {mtu}"));
            paper.set(|link| link.mtu = Setting::Is(mtu));
            assert!(sh("ip -n RED link show dev m0").contains(&format!("mtu {follows} ")), "the kernel: {mtu}");
            assert_eq!(paper.0.link(&m0).unwrap().mtu, Setting::Is(follows), "the model: {mtu}");
            let there = usize::from(mtu == 1400);
            assert_eq!(sh("ip -n RED -o address show dev m0 to fd00::1").lines().count(), there, "the kernel: {mtu}");
            assert_eq!(paper.0.addresses_of(&m0).count(), there, "the model: {mtu}");
        }
        let before = Resource::Link(Box::new(paper.0.link(&m0).unwrap().clone()));
        let larger = Resource::Link(Box::new(Link { mtu: Setting::Is(1501), ..up(("RED", "m0"), Kind::Macvlan) }));
        assert_ne!(try_sh("ip -n RED link set dev m0 mtu 1501").code, 0, "the kernel");
        assert!(effect(&mut paper.0, &Operation::Update { before, after: larger }).is_err(), "the model");
    });
}

#[test]
fn a_macvlan_on_a_macvlan_is_beside_it() {
    sandbox::run("a_macvlan_on_a_macvlan_is_beside_it", || {
        machine();
        let mut paper = Paper::new();
        macvlan(&mut paper);
        sh("ip -n RED link add name m1 link m0 type macvlan");
        paper.create(Resource::Link(Box::new(Link {
            link: Some(LinkId::new("RED", "m0")),
            ..up(("RED", "m1"), Kind::Macvlan)
        })));
        assert!(sh("ip -n RED link show dev m1").contains("m1@e0"), "the kernel");
        assert_eq!(paper.0.link(&LinkId::new("RED", "m1")).unwrap().link, Some(LinkId::new("RED", "e0")), "the model");
    });
}

#[test]
fn one_thing_takes_what_comes_in() {
    sandbox::run("one_thing_takes_what_comes_in", || {
        machine();
        let mut paper = Paper::new();
        paper.pair(("RED", "e1"), ("BLUE", "e1"));
        macvlan(&mut paper);
        sh("ip link add name e1 netns RED type veth peer name e1 netns BLUE; ip -n RED link add name br0 type bridge; ip -n RED link set dev e1 master br0
            ip -n RED link add name mb0 link br0 type macvlan");
        paper.create(Resource::Link(Box::new(up(("RED", "br0"), Kind::Bridge))));
        let on = |lower: &str, name: &str| Link {
            link: Some(LinkId::new("RED", lower)),
            ..up(("RED", name), Kind::Macvlan)
        };
        paper.create(Resource::Link(Box::new(on("br0", "mb0"))));
        let mut join = |name: &str| {
            let before = paper.0.link(&LinkId::new("RED", name)).unwrap().clone();
            let after = Link { master: Setting::Is(Some("br0".into())), ..before.clone() };
            effect(
                &mut paper.0,
                &Operation::Update { before: Resource::Link(Box::new(before)), after: Resource::Link(Box::new(after)) },
            )
        };
        join("e1").unwrap();
        assert_ne!(try_sh("ip -n RED link set dev e0 master br0").code, 0, "the kernel: a macvlan is on it");
        assert!(join("e0").is_err(), "the model: a macvlan is on it");
        assert_ne!(try_sh("ip -n RED link set dev mb0 master br0").code, 0, "the kernel: it is on the bridge");
        assert!(join("mb0").is_err(), "the model: it is on the bridge");
        assert_ne!(try_sh("ip -n RED link add name m9 link e1 type macvlan").code, 0, "the kernel: it is a port");
        let late = Operation::Create(Resource::Link(Box::new(on("e1", "m9"))));
        assert!(effect(&mut paper.0, &late).is_err(), "the model: it is a port");
    });
}

#[test]
fn without_the_rule_for_main_no_gateway_is_found() {
    sandbox::run("without_the_rule_for_main_no_gateway_is_found", || {
        machine();
        let mut paper = Paper::new();
        sh("ip -n RED address add 10.0.0.1/24 dev e0; ip -n RED rule delete priority 32766");
        paper.address("10.0.0.1/24");
        let rule = Rule::of_the_kernel(&"RED".into())
            .into_iter()
            .find(|rule| (rule.key.family, rule.key.priority) == (Family::V4, 32766))
            .unwrap();
        paper.delete(&rule.id());
        assert_ne!(try_sh("ip -n RED route add 10.9.0.0/16 via 10.0.0.2").code, 0, "the kernel");
        let gateway = Operation::Create(Resource::Route(route("10.9.0.0/16", &[("10.0.0.2", "e0")], None)));
        assert!(effect(&mut paper.0.clone(), &gateway).is_err(), "the model");
        sh("ip -n RED route add 10.9.0.0/16 dev e0");
        paper.route("10.9.0.0/16", &[("", "e0")], None);
    });
}

#[test]
fn a_route_of_scope_host_stays_when_its_link_is_down() {
    sandbox::run("a_route_of_scope_host_stays_when_its_link_is_down", || {
        machine();
        let mut paper = Paper::new();
        sh("ip -n RED address add 10.0.0.1/24 dev e0");
        add_static("10.9.0.0/16 dev e0 scope host");
        add_static("10.8.0.0/16 dev e0 scope link");
        paper.address("10.0.0.1/24");
        paper.create(Resource::Route(Route { scope: Setting::Is(254), ..route("10.9.0.0/16", &[("", "e0")], None) }));
        paper.create(Resource::Route(Route { scope: Setting::Is(253), ..route("10.8.0.0/16", &[("", "e0")], None) }));
        sh("ip -n RED link set dev e0 down");
        paper.set(|link| link.up = Setting::Is(false));
        both(&paper, &["10.0.0.1/24", "RED 10.9.0.0/16"]);
        // It is taken, too; what leads somewhere is not.
        add_static("10.7.0.0/16 dev e0 scope host");
        paper.create(Resource::Route(Route { scope: Setting::Is(254), ..route("10.7.0.0/16", &[("", "e0")], None) }));
        assert!(try_sh("ip -n RED route add 10.6.0.0/16 dev e0").stderr.contains("is not up"));
        both(&paper, &["10.0.0.1/24", "RED 10.7.0.0/16", "RED 10.9.0.0/16"]);
        sh("ip -n RED address delete 10.0.0.1/24 dev e0");
        paper.delete_address("10.0.0.1/24");
        both(&paper, &[]);
    });
}

#[test]
fn files_outlive_their_namespace() {
    sandbox::run("files_outlive_their_namespace", || {
        machine();
        let mut paper = Paper::new();
        let hosts = File { node: "RED".into(), name: FileName::Hosts, content: "10.0.0.1 red\n".into() };
        sh(
            "mkdir -p /etc/netns/RED; echo 10.0.0.1 red >/etc/netns/RED/hosts; ip netns delete RED; test -e /etc/netns/RED/hosts",
        );
        paper.create(Resource::File(hosts.clone()));
        paper.delete(&ResourceId::Namespace("RED".into()));
        assert!(paper.0.get(&hosts.id()).is_some(), "the model");
        // And one can be made without it.
        paper.delete(&hosts.id());
        paper.create(Resource::File(hosts));
    });
}

#[test]
fn a_bridge_has_the_hardware_address_of_a_port() {
    sandbox::run("a_bridge_has_the_hardware_address_of_a_port", || {
        machine();
        let mac =
            |link: &str| ip_json(&format!("-n RED link show dev {link}"))[0]["address"].as_str().unwrap().to_owned();
        let mut paper = Paper::new();
        sh("ip -n RED link add name br0 type bridge");
        let before = mac("br0");
        let bridge = Link { mac: Setting::Is(Mac::parse(&before).unwrap()), ..up(("RED", "br0"), Kind::Bridge) };
        paper.create(Resource::Link(Box::new(bridge.clone())));
        sh("ip -n RED link set dev e0 master br0");
        paper.set(|link| link.master = Setting::Is(Some("br0".into())));
        assert_eq!(mac("br0"), mac("e0"), "the kernel");
        let drawn = |paper: &Paper| paper.0.link(&bridge.id).unwrap().mac;
        assert_eq!(drawn(&paper), Setting::Left, "the model does not know it");
        paper.0.insert(
            Resource::Link(Box::new(Link { mac: Setting::Is(Mac::parse(&mac("e0")).unwrap()), ..bridge.clone() })),
            Owner::Ours,
        );
        paper.set(|link| link.mac = Setting::Is(Mac::parse(&mac("e0")).unwrap()));
        sh("ip -n RED link set dev e0 nomaster");
        paper.set(|link| link.master = Setting::Is(None));
        assert_eq!(mac("br0"), "00:00:00:00:00:00", "the kernel");
        assert_eq!(drawn(&paper), Setting::Left, "the model does not know it");
        // One that somebody wrote stays.
        sh(&format!(
            "ip -n RED link set dev br0 address {before}; ip -n RED link set dev e0 master br0; ip -n RED link set dev e0 nomaster"
        ));
        assert_eq!(mac("br0"), before, "the kernel");
    });
}

#[test]
fn the_cost_of_a_port_follows_from_its_speed() {
    sandbox::run("the_cost_of_a_port_follows_from_its_speed", || {
        machine();
        let mut paper = Paper::new();
        sh("ip -n RED link add name br0 type bridge; ip -n RED link add name vx0 type vxlan id 7 dstport 4789 remote 192.0.2.9
            ip -n RED link set dev e0 master br0; ip -n RED link set dev vx0 master br0");
        paper.create(Resource::Link(Box::new(up(("RED", "br0"), Kind::Bridge))));
        paper.set(|link| link.master = Setting::Is(Some("br0".into())));
        paper.create(Resource::Link(Box::new(Link {
            master: Setting::Is(Some("br0".into())),
            ..up(("RED", "vx0"), Kind::Vxlan)
        })));
        let cost = |link: &str| {
            ip_json(&format!("-n RED link show dev {link}"))[0]["linkinfo"]["info_slave_data"]["cost"].as_u64()
        };
        assert_eq!((cost("e0"), cost("vx0")), (Some(2), Some(100)), "the kernel");
        let drawn = |link: &str| paper.0.link(&LinkId::new("RED", link)).unwrap().port.get("cost").cloned();
        assert_eq!((drawn("e0"), drawn("vx0")), (Some(Value::Number(2)), None), "the model knows that of a pair");
    });
}

#[test]
fn who_forwards_takes_no_redirects() {
    sandbox::run("who_forwards_takes_no_redirects", || {
        machine();
        let redirects = "net/ipv4/conf/all/accept_redirects";
        for (forward, accept) in [("1", "0"), ("0", "1")] {
            sh(&format!("ip netns exec RED sysctl -qw net.ipv4.ip_forward={forward}"));
            let mut model = topo::model::Model::new(Paper::new().0);
            model.set(Sysctl::new("RED".into(), "net/ipv4/ip_forward", forward));
            assert_eq!(sh(&format!("ip netns exec RED sysctl -n {redirects}")).trim(), accept, "the kernel");
            assert_eq!(model.value(&"RED".into(), redirects), accept, "the model");
        }
    });
}

#[test]
fn an_ipv4_default_reaches_no_link_that_has_an_address() {
    sandbox::run("an_ipv4_default_reaches_no_link_that_has_an_address", || {
        machine();
        let mut paper = Paper::new();
        paper.pair(("RED", "e1"), ("BLUE", "e1"));
        sh("ip -n RED link add name e1 type veth peer name e1 netns BLUE; ip -n RED address add 10.0.0.1/24 dev e0");
        paper.address("10.0.0.1/24");
        sh("ip netns exec RED sysctl -qw net.ipv4.conf.default.proxy_arp=1");
        let mut model = topo::model::Model::new(paper.0);
        let default = |value| Resource::Sysctl(Sysctl::new("RED".into(), "net/ipv4/conf/default/proxy_arp", value));
        let update = Operation::Update { before: default("0"), after: default("1") };
        assert!(topo::kernel::Kernel::perform(&mut model, &"facts".into(), &[update])[0].is_ok());
        for (link, value) in [("e0", "0"), ("e1", "1")] {
            let key = format!("net/ipv4/conf/{link}/proxy_arp");
            assert_eq!(sh(&format!("ip netns exec RED sysctl -n {key}")).trim(), value, "the kernel: {link}");
            assert_eq!(model.value(&"RED".into(), &key), value, "the model: {link}");
        }
    });
}

#[test]
fn what_the_kernel_refuses_the_model_refuses() {
    sandbox::run("what_the_kernel_refuses_the_model_refuses", || {
        machine();
        let mut paper = Paper::new();
        sh(
            "ip -n RED link add name br0 type bridge; ip -n RED address add 10.0.0.1/24 dev e0; ip -n RED link add name e2 type veth peer name e3",
        );
        paper.create(Resource::Link(Box::new(up(("RED", "br0"), Kind::Bridge))));
        paper.address("10.0.0.1/24");
        let mut low = up(("RED", "e2"), Kind::Veth);
        let mut other = up(("RED", "e3"), Kind::Veth);
        (low.up, other.up) = (Setting::Is(false), Setting::Is(false));
        (low.peer, other.peer) = (Some(other.id.clone()), Some(low.id.clone()));
        effect(&mut paper.0, &Operation::CreatePair(Box::new(low), Box::new(other))).unwrap();
        let mut second = up(("RED", "br2"), Kind::Bridge);
        second.master = Setting::Is(Some("br0".into()));
        let address =
            |text: &str, link: &str| Resource::Address(Address::plain(LinkId::new("RED", link), text.parse().unwrap()));
        let refused = [
            ("link add name br0 type bridge", Resource::Link(Box::new(up(("RED", "br0"), Kind::Bridge)))),
            ("link add name br2 type bridge; ip -n RED link set br2 master br0", Resource::Link(Box::new(second))),
            ("address add 10.0.0.1/24 dev e0", address("10.0.0.1/24", "e0")),
            ("address add 10.0.0.1/24 dev nowhere", address("10.0.0.1/24", "nowhere")),
            ("route add 10.9.0.0/16 dev e2", Resource::Route(route("10.9.0.0/16", &[("", "e2")], None))),
            ("route add 10.9.0.0/16 dev nowhere", Resource::Route(route("10.9.0.0/16", &[("", "nowhere")], None))),
        ];
        for (words, resource) in refused {
            assert_ne!(try_sh(&format!("set -e; ip -n RED {words}")).code, 0, "the kernel did it: {words}");
            assert!(effect(&mut paper.0.clone(), &Operation::Create(resource)).is_err(), "the model did it: {words}");
        }
    });
}

#[test]
fn a_setting_writes_others_too() {
    sandbox::run("a_setting_writes_others_too", || {
        machine();
        let read = |key: &str| sh(&format!("ip netns exec RED sysctl -n {key}")).trim().to_owned();
        sh(
            "ip netns exec RED sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.default.rp_filter=2",
        );
        for (main, others) in [
            (
                "net/ipv4/ip_forward",
                vec![
                    ("net/ipv4/conf/e0/forwarding", "1"),
                    ("net/ipv4/conf/default/forwarding", "1"),
                    ("net/ipv4/conf/all/accept_redirects", "0"),
                ],
            ),
            (
                "net/ipv6/conf/all/forwarding",
                vec![("net/ipv6/conf/e0/forwarding", "1"), ("net/ipv6/conf/default/forwarding", "1")],
            ),
            ("net/ipv4/conf/default/rp_filter", vec![("net/ipv4/conf/e0/rp_filter", "2")]),
        ] {
            for (key, value) in others {
                assert_eq!(read(&key.replace('/', ".")), value, "the kernel: {key}");
                let mut paper = Paper::new();
                let setting = |key: &str, value| Resource::Sysctl(Sysctl::new("RED".into(), key, value));
                let (before, after) = (setting(main, "0"), setting(main, "1"));
                paper.0.insert(before.clone(), Owner::Ours);
                paper.0.insert(setting(key, "7"), Owner::Ours);
                effect(&mut paper.0, &Operation::Update { before, after }).unwrap();
                assert_eq!(
                    paper.0.get(&ResourceId::Sysctl("RED".into(), key.into())),
                    Some(&setting(key, "")),
                    "the model: {key}"
                );
            }
        }
    });
}
