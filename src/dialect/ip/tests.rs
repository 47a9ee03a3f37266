use super::*;
use crate::resource::*;
use std::net::IpAddr;

fn words() -> Words {
    let mut wanted = State::empty("lab".into());
    for (node, tenure) in [
        ("host", NodeTenure::Host),
        ("RED", NodeTenure::Created),
        ("box", NodeTenure::Existing(NetnsRef::Pid(42))),
        ("file", NodeTenure::Existing(NetnsRef::Path("/run/my ns".into()))),
    ] {
        let node = Node::from(node);
        wanted.insert(
            Resource::Namespace(Namespace { node, tenure, marked: true, whole: false, alias: None }),
            Owner::Ours,
        );
    }
    Words::new(&wanted, &State::empty("lab".into()))
}

fn link(node: &str, name: &str, kind: Kind) -> Link {
    Link { up: Setting::Is(true), ..Link::bare(LinkId::new(node, name), kind) }
}

#[test]
fn a_shell_sees_one_word() {
    assert_eq!(quote("eth0.100"), "eth0.100");
    assert_eq!(quote("a b"), "'a b'");
    assert_eq!(quote("it's"), r"'it'\''s'");
    assert_eq!(quote(""), "''");
    assert_eq!(quote("$(reboot)"), "'$(reboot)'");
    assert_eq!(quote("a'\u{2}\u{9b}"), r"$'a\047\002\302\233'");
}

#[test]
fn a_namespace_is_made_and_marked() {
    let namespace =
        Namespace { node: "RED".into(), tenure: NodeTenure::Created, marked: true, whole: false, alias: None };
    let create = Operation::Create(Resource::Namespace(namespace.clone()));
    assert_eq!(words().commands(&create), ["ip netns add RED", "ip -n RED link set lo alias topo:lab"]);
    assert_eq!(commands(&create), ["ip netns add RED"]);
    assert_eq!(commands(&Operation::Delete(Resource::Namespace(namespace))), ["ip netns delete RED"]);
}

#[test]
fn a_name_is_no_abbreviation() {
    let lines = commands(&Operation::Create(Resource::Link(Box::new(link("RED", "a", Kind::Bridge)))));
    assert_eq!(lines, ["ip -n RED link add name a type bridge", "ip -n RED link set dev a up"]);
}

#[test]
fn a_pair_is_born_in_its_namespaces() {
    let near = Link { mtu: Setting::Is(1400), ..link("RED", "reth0", Kind::Veth) };
    let far = Link {
        master: Setting::Is(Some("br0".into())),
        port: [("isolated".into(), Value::Bool(true))].into(),
        ..link("host", "reth1", Kind::Veth)
    };
    let lines = words().commands(&Operation::CreatePair(Box::new(near), Box::new(far)));
    let group = format!("{:#x}", group(&"lab".into()));
    assert_eq!(
        lines,
        [
            format!("ip -n RED link add reth0 mtu 1400 type veth peer name reth1 group {group} netns $$"),
            "ip -n RED link set reth0 up".into(),
            "ip link set reth1 alias topo:lab master br0 up".into(),
            "ip link set reth1 type bridge_slave isolated on".into(),
        ]
    );
}

#[test]
fn an_update_names_what_differs() {
    let mut before = Link {
        mtu: Setting::Is(1500),
        alternative_names: Setting::Is(["a".to_owned()].into()),
        ..link("RED", "br0", Kind::Bridge)
    };
    // The kernel may give back a hundredth less than it was reported.
    before.options.insert("hello-time".into(), Value::Centis(199));
    let mut after =
        Link { mtu: Setting::Is(1400), alternative_names: Setting::Is(["b".to_owned()].into()), ..before.clone() };
    after.options.insert("hello-time".into(), Value::Centis(200));
    after.options.insert("forward-delay".into(), Value::Centis(400));
    after.options.insert("multicast-snooping".into(), Value::Bool(false));
    let update = Operation::Update { before: Resource::Link(Box::new(before)), after: Resource::Link(Box::new(after)) };
    assert_eq!(
        commands(&update),
        [
            "ip -n RED link set br0 mtu 1400",
            "ip -n RED link set br0 type bridge forward_delay 400 mcast_snooping 0",
            "ip -n RED link property del dev br0 altname a",
            "ip -n RED link property add dev br0 altname b",
        ]
    );
}

#[test]
fn a_link_on_another_nodes_interface_is_made_there() {
    let mut macvlan = Link { link: Some(LinkId::new("host", "eth0")), ..link("RED", "mv0", Kind::Macvlan) };
    macvlan.options.insert("mode".into(), Value::word("bridge"));
    let lines = words().commands(&Operation::Create(Resource::Link(Box::new(macvlan))));
    assert_eq!(lines, ["ip link add mv0 link eth0 netns RED type macvlan mode bridge", "ip -n RED link set mv0 up"]);
}

#[test]
fn a_vxlan_has_all_its_words() {
    let mut vxlan = Link::bare(LinkId::new("RED", "vx0"), Kind::Vxlan);
    for (key, value) in [
        ("id", Value::Number(77)),
        ("remote", Value::Ip("239.1.1.1".parse().unwrap())),
        ("local", Value::Unset),
        ("learning", Value::Bool(false)),
        ("source-port-low", Value::Number(1000)),
        ("source-port-high", Value::Number(2000)),
        ("port", Value::Number(4789)),
    ] {
        vxlan.options.insert(key.into(), value);
    }
    vxlan.link = Some(LinkId::new("RED", "eth0"));
    let lines = commands(&Operation::Create(Resource::Link(Box::new(vxlan))));
    assert_eq!(
        lines,
        ["ip -n RED link add vx0 type vxlan id 77 nolearning dstport 4789 group 239.1.1.1 srcport 1000 2000 dev eth0"]
    );
}

#[test]
fn existing_namespaces_are_entered_by_path_or_process() {
    let address = |node: &str| Address::plain(LinkId::new(node, "eth0"), "10.0.0.1/24".parse().unwrap());
    let add = |node: &str| words().commands(&Operation::Create(Resource::Address(address(node)))).join("\n");
    assert_eq!(add("box"), "nsenter -t 42 -n ip address add 10.0.0.1/24 dev eth0");
    assert_eq!(add("file"), "nsenter --net='/run/my ns' ip address add 10.0.0.1/24 dev eth0");
    let sysctl = Sysctl::new("box".into(), "net/ipv4/ip_local_port_range", "1000  2000");
    assert_eq!(
        words().commands(&Operation::Create(Resource::Sysctl(sysctl))),
        ["nsenter -t 42 -n sysctl -w 'net.ipv4.ip_local_port_range=1000 2000'"]
    );
}

#[test]
fn a_dot_inside_a_name_keeps_the_slashes() {
    let sysctl = Sysctl::new("RED".into(), "net/ipv4/conf/eth0.100/rp_filter", "1");
    assert_eq!(
        commands(&Operation::Create(Resource::Sysctl(sysctl))),
        ["ip netns exec RED sysctl -w net/ipv4/conf/eth0.100/rp_filter=1"]
    );
}

fn route(to: &str, hops: Vec<NextHop>) -> Route {
    let to: ipnet::IpNet = to.parse().unwrap();
    let metric = if to.addr().is_ipv6() { 1024 } else { 0 };
    let (node, kind) = ("RED".into(), RouteKind::Unicast);
    Route { kind, nexthops: hops, ..Route::bare(node, RouteKey::new(TableId::MAIN, to, metric)) }
}

fn hop(via: &str) -> NextHop {
    NextHop::new(Some(via.parse::<IpAddr>().unwrap()), None)
}

#[test]
fn routes_of_every_shape() {
    let add = |route: Route| words().commands(&Operation::Create(Resource::Route(route))).join("\n");
    assert_eq!(add(route("0.0.0.0/0", vec![hop("10.0.0.1")])), "ip -n RED route add default via 10.0.0.1 proto 116");
    assert_eq!(add(route("::/0", vec![hop("fe80::1")])), "ip -n RED -6 route add default via fe80::1 proto 116");
    assert_eq!(
        add(route("10.9.0.0/16", vec![hop("fe80::1")])),
        "ip -n RED route add 10.9.0.0/16 via inet6 fe80::1 proto 116"
    );
    let several = route("10.9.0.0/16", vec![hop("10.0.0.1"), NextHop { weight: 3, ..hop("10.0.0.2") }]);
    assert_eq!(
        add(several),
        "ip -n RED route add 10.9.0.0/16 proto 116 nexthop via 10.0.0.1 weight 1 nexthop via 10.0.0.2 weight 3"
    );
    let mut blackhole = Route { kind: RouteKind::Blackhole, mtu: Some(1300), ..route("10.8.0.0/16", Vec::new()) };
    blackhole.key.table = TableId::Number(50);
    blackhole.key.metric = 7;
    assert_eq!(add(blackhole), "ip -n RED route add blackhole 10.8.0.0/16 table 50 metric 7 proto 116 mtu 1300");
}

#[test]
fn a_rule_and_its_family() {
    let key = RuleKey {
        fwmark: Some((0x20, u32::MAX)),
        ..RuleKey::all(Family::V6, 100, RuleAction::Table(TableId::Number(50)))
    };
    let rule = Rule { node: "host".into(), key, kernel: false, marked: true, protocol: 0 };
    let add = |rule: &Rule| words().commands(&Operation::Create(Resource::Rule(rule.clone())));
    assert_eq!(add(&rule), ["ip -6 rule add priority 100 from all fwmark 0x20 table 50 protocol 116"]);
    // What another program says that the language does not.
    let mut odd = Rule { marked: false, ..rule };
    (odd.key.invert, odd.key.tos) = (true, 0x10);
    let bytes = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_ne_bytes()).collect::<Vec<u8>>();
    odd.key.raw.0.extend([(14, bytes(&[0])), (20, bytes(&[0, 99])), (99, vec![1, 0xff])]);
    let words = "ip -6 rule add priority 100 not from all tos 0x10 fwmark 0x20 suppress_prefixlength 0 uidrange 0-99 attribute 99 01ff table 50";
    assert_eq!(add(&odd), [words]);
    (odd.key.action, odd.key.raw) = (RuleAction::Other(2), Raw([(4, bytes(&[200]))].into()));
    assert_eq!(add(&odd), ["ip -6 rule add priority 100 not from all tos 0x10 fwmark 0x20 goto 200"]);
}

#[test]
fn a_file_is_a_here_document() {
    let file = File { node: "RED".into(), name: FileName::Hosts, content: "127.0.0.1 localhost\n".into() };
    let lines = commands(&Operation::Create(Resource::File(file)));
    assert_eq!(lines, ["mkdir -p /etc/netns/RED && cat > /etc/netns/RED/hosts <<'EOF'\n127.0.0.1 localhost\nEOF"]);
}

#[test]
fn a_bad_line_is_said_whole_where_something_goes() {
    let line = |netem: Netem| {
        Resource::Qdisc(Qdisc { link: LinkId::new("RED", "eth0"), work: Work::Netem(netem), marked: true })
    };
    let bad = Netem {
        delay: Nanoseconds(20_000_000),
        jitter: Nanoseconds(1_500_000),
        distribution: Distribution::Normal,
        loss: Share::of_percent(5, 1).unwrap(),
        rate: ByteRate(187_500),
        limit: 1000,
        ..Netem::default()
    };
    let create = Operation::Create(line(bad.clone()));
    let words = "tc -n RED qdisc replace dev eth0 root handle 7471: netem limit 1000 delay 20ms 1500us distribution normal loss 0.5% rate 1500kbit";
    assert_eq!(commands(&create), [words]);
    let after = Netem {
        reorder: Share::of_percent(25, 0).unwrap(),
        delay: Nanoseconds(1_000_001),
        limit: 7,
        ..Netem::default()
    };
    let words = "tc -n RED qdisc replace dev eth0 root handle 7470: netem limit 7 delay 1000.0015us 0ms loss 0% reorder 25% rate 0bit";
    assert_eq!(commands(&Operation::Update { before: line(bad.clone()), after: line(after) }), [words]);
    assert_eq!(commands(&Operation::Delete(line(bad))), ["tc -n RED qdisc delete dev eth0 root"]);
    let other = Work::Other { kind: "tbf".into(), more: String::new(), options: vec![1] };
    let other = Resource::Qdisc(Qdisc { link: LinkId::new("host", "eth0"), work: other, marked: false });
    assert_eq!(
        commands(&Operation::Create(other)),
        ["tc qdisc replace dev eth0 root tbf # with the options that it had"]
    );
}

#[test]
fn what_a_link_does_for_the_kernel() {
    let with = |list: &[(&'static str, Value)]| Link {
        offload: list.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(),
        ..link("RED", "eth0", Kind::Bridge)
    };
    let said = |before: &Link, after: &Link| {
        let (before, after) = (Resource::Link(Box::new(before.clone())), Resource::Link(Box::new(after.clone())));
        commands(&Operation::Update { before, after })
    };
    let before = with(&[("tso", Value::Bool(true)), ("gro", Value::Bool(true))]);
    let after = with(&[("tso", Value::Bool(false)), ("gro", Value::Bool(true)), ("tx-checksum", Value::Bool(false))]);
    assert_eq!(said(&before, &after), ["ip netns exec RED ethtool -K eth0 tso off tx off"]);
    let some = with(&[("tso", Value::word("tx-tcp-segmentation tx-tcp6-segmentation"))]);
    let expected = [
        "ip netns exec RED ethtool -K eth0 tso off",
        "ip netns exec RED ethtool -K eth0 tx-tcp-segmentation on tx-tcp6-segmentation on",
    ];
    assert_eq!(said(&after, &some), expected);
}
