//! Good files.

use super::good;
use crate::document::lower::topology::Topology;
use crate::resource::{
    Class, Family, FileName, IfName, Kind, LinkId, Node, NodeTenure, Owner, Peer, PeerKey, Resource, ResourceId,
    RuleAction, Setting, TableId, TableRule, Tenure, Value, Verdict,
};

pub const RED_BLUE: &str = r#"
name: red-blue-nat
host:
  forwarding: true
  interfaces:
    br0:
      bridge: { ports: [reth1, beth1] }
      addresses: [11.11.11.1/24]
  nat:
    - masquerade: { source: 11.11.11.0/24, out: "!br0" }
    - dnat: { in: "!br0", protocol: tcp, port: 8080, to: "11.11.11.2:80" }
namespaces:
  RED:
    interfaces:
      reth0: { veth: host/reth1, addresses: [11.11.11.2/24] }
    routes:
      - { to: default, via: 11.11.11.1 }
  BLUE:
    interfaces:
      beth0: { veth: host/beth1, addresses: [11.11.11.3/24, "fd00::3/64"] }
    routes:
      - { to: default, via: 11.11.11.1 }
"#;

/// Every key of the language at least once.
pub const EVERYTHING: &str = include_str!("everything.yaml");

fn all<'t, T>(topology: &'t Topology, pick: impl Fn(&'t Resource) -> Option<T>) -> Vec<T> {
    topology.state.resources().filter_map(pick).collect()
}

#[test]
fn red_and_blue() {
    let (_, topology) = good(RED_BLUE);
    let state = &topology.state;
    for id in state.items.keys() {
        assert!(topology.origins.contains_key(id), "{id}");
    }
    let reth1 = state.link(&LinkId::new("host", "reth1")).unwrap();
    assert_eq!(reth1.peer, Some(LinkId::new("RED", "reth0")));
    assert_eq!(reth1.master, Setting::Is(Some(IfName::from("br0"))));
    assert_eq!(reth1.mtu, Setting::Is(1500));
    assert!(reth1.port.contains_key("learning"));
    assert_eq!(state.link(&LinkId::new("host", "br0")).unwrap().mtu, Setting::Left);
    let route = all(&topology, |r| if let Resource::Route(route) = r { Some(route) } else { None })
        .into_iter()
        .find(|r| r.node.as_str() == "RED")
        .unwrap();
    assert_eq!(route.nexthops[0].dev, Some(IfName::from("reth0")));
    assert_eq!(route.scope, Setting::Is(0));
    let origin = &topology.origins[&ResourceId::Link(LinkId::new("host", "reth1"))];
    assert_eq!((origin.line, origin.column, origin.path.as_str()), (15, 22, "namespaces.RED.interfaces.reth0"));
    let Some(Resource::Table(table)) = state.get(&ResourceId::Table(Node::host())) else { panic!() };
    assert_eq!(
        table.chains.iter().map(|chain| chain.name.as_str()).collect::<Vec<_>>(),
        ["nat-prerouting", "nat-postrouting"]
    );
    let forward = state
        .items
        .values()
        .filter(|item| item.resource.class() == Class::Sysctl && item.resource.id().node().is_host())
        .collect::<Vec<_>>();
    assert_eq!(forward.len(), 2);
    assert!(forward.iter().all(|item| item.owner == Owner::Named));
    assert_eq!(state.namespace(&Node::from("RED")).unwrap().tenure, NodeTenure::Created);
    let lo = state.link(&LinkId::new("RED", "lo")).unwrap();
    assert_eq!((&lo.kind, &lo.tenure, lo.up), (&Kind::Loopback, &Tenure::Existing, Setting::Is(true)));
}

#[test]
fn links_of_everything() {
    let (_, topology) = good(EVERYTHING);
    let state = &topology.state;
    let p2 = state.link(&LinkId::new("host", "p2")).unwrap();
    assert_eq!((p2.mtu, p2.master.clone()), (Setting::Is(1400), Setting::Is(Some(IfName::from("br0")))));
    assert_eq!(p2.peer, Some(LinkId::new("a", "eth1")));
    assert_eq!(p2.port["isolated"], Value::Bool(true));
    assert_eq!(p2.port.len(), 17);
    let eth2 = state.link(&LinkId::new("a", "eth2")).unwrap();
    let far = state.link(eth2.peer.as_ref().unwrap()).unwrap();
    assert_eq!(far.id.name.as_str(), "va-eth2");
    assert_eq!(far.candidates.len(), 2);
    assert_eq!((far.mtu, far.master.clone()), (Setting::Is(1300), Setting::Is(Some(IfName::from("br0")))));
    assert_eq!(far.port["isolated"], Value::Bool(true));
    assert!(eth2.port.is_empty());
    assert_eq!(eth2.master, Setting::Is(None));
    let x1 = state.link(&LinkId::new("a", "x1")).unwrap();
    assert_eq!(x1.options["remote"].to_string(), "239.1.1.1");
    assert_eq!((x1.options["local"].clone(), x1.mtu), (Value::Unset, Setting::Left));
    assert_eq!(state.link(&LinkId::new("a", "x0")).unwrap().link, Some(LinkId::new("a", "eth0")));
    assert_eq!(state.link(&LinkId::new("a", "m0")).unwrap().link, Some(LinkId::new("host", "eth9")));
    let e1 = &state.items[&ResourceId::Link(LinkId::new("a", "e1"))];
    assert_eq!(e1.owner, Owner::Named);
    assert_eq!(e1.resource.as_link().unwrap().tenure, Tenure::From(LinkId::new("host", "eth1")));
    assert_eq!(e1.resource.as_link().unwrap().up, Setting::Is(true));
    let br0 = state.link(&LinkId::new("host", "br0")).unwrap();
    assert_eq!(br0.options["forward-delay"], Value::Centis(400));
    assert_eq!(br0.options["stp"], Value::Bool(true));
    assert_eq!(all(&topology, |r| if let Resource::Fdb(fdb) = r { Some(fdb) } else { None }).len(), 2);
}

#[test]
fn addresses_of_everything() {
    let (_, topology) = good(EVERYTHING);
    let addresses = all(&topology, |r| if let Resource::Address(address) = r { Some(address) } else { None });
    let find = |text: &str| *addresses.iter().find(|address| address.address.to_string() == text).unwrap();
    assert!(!find("10.0.0.2/24").secondary);
    assert!(find("10.0.0.3/24").secondary);
    assert_eq!(find("10.9.0.1/32").label, Setting::Is("eth0:1".to_owned()));
    assert_eq!(find("10.9.0.1/32").scope, Setting::Is(253));
    assert_eq!(find("fd00::2/64").nodad, Setting::Is(false), "dad: true");
    assert_eq!(find("fd00::2/64").label, Setting::Left);
    assert_eq!(find("10.88.0.1/24").link, LinkId::new("a", "e1"));
    let sysctl = |node: &str, key: &str| match topology.state.get(&ResourceId::Sysctl(Node::from(node), key.to_owned()))
    {
        Some(Resource::Sysctl(sysctl)) => sysctl.value.clone(),
        _ => "nothing".to_owned(),
    };
    assert_eq!(sysctl("a", "net/ipv6/conf/eth0/accept_ra"), "2", "the node forwards");
    assert_eq!(sysctl("a", "net/ipv4/conf/eth0/forwarding"), "1");
    assert_eq!(sysctl("a", "net/ipv4/ip_local_port_range"), "1024 65000");
    assert_eq!(sysctl("BLUE", "net/ipv4/ip_forward"), "0");
    assert_eq!(sysctl("host", "net/ipv4/ip_forward"), "1");
    assert_eq!(sysctl("host", "net/ipv6/conf/all/forwarding"), "nothing");
    assert_eq!(sysctl("other", "net/ipv4/ip_forward"), "nothing");
}

#[test]
fn routing_of_everything() {
    let (_, topology) = good(EVERYTHING);
    let routes = all(&topology, |r| if let Resource::Route(route) = r { Some(route) } else { None });
    let find = |text: &str| *routes.iter().find(|route| route.key.to.to_string() == text).unwrap();
    assert_eq!(find("10.2.0.0/16").key.table, TableId::Number(100));
    assert!(find("10.3.0.0/16").nexthops.is_empty());
    assert_eq!(find("10.4.0.0/16").nexthops[1].weight, 2);
    assert_eq!(find("10.4.0.0/16").nexthops[0].dev, Some(IfName::from("eth0")));
    assert_eq!(find("10.5.0.0/16").scope, Setting::Is(253));
    assert_eq!(
        (find("10.6.0.1/32").key.table.clone(), find("10.6.0.1/32").scope),
        (TableId::Number(255), Setting::Is(254))
    );
    assert_eq!((find("fd01::/64").key.metric, find("fd01::/64").scope), (1024, Setting::Left));
    let rules = all(&topology, |r| if let Resource::Rule(rule) = r { Some(rule) } else { None });
    let of = |priority: u32| rules.iter().filter(|rule| rule.key.priority == priority).collect::<Vec<_>>();
    assert_eq!((of(50).len(), of(100).len(), of(101).len(), of(102).len()), (2, 1, 2, 1));
    assert!(of(50)[0].kernel);
    assert_eq!(of(101)[0].key.action, RuleAction::Table(TableId::Name("uplink".into())));
    assert_eq!(of(100)[0].key.fwmark, Some((0x20, 0xff)));
    let files = all(&topology, |r| if let Resource::File(file) = r { Some(file) } else { None });
    assert_eq!(files.len(), 3);
    let hosts = files.iter().find(|file| file.name == FileName::Hosts && file.content.contains("web")).unwrap();
    assert!(hosts.content.starts_with("# topo:everything"));
    assert!(hosts.content.contains("10.0.0.2 web\n10.0.0.3 db\nfd00::3 db\n10.0.0.1 gateway\n"), "{}", hosts.content);
}

#[test]
fn packets_of_everything() {
    let (_, topology) = good(EVERYTHING);
    let Some(Resource::Table(table)) = topology.state.get(&ResourceId::Table(Node::from("a"))) else { panic!() };
    let names: Vec<(&str, &str, i32, bool)> = table
        .chains
        .iter()
        .map(|chain| (chain.name.as_str(), chain.kind.as_str(), chain.priority, chain.drop))
        .collect();
    let wanted = [
        ("prerouting", "filter", -150, false),
        ("input", "filter", 0, true),
        ("forward", "filter", 0, false),
        ("output", "route", -150, false),
        ("postrouting", "filter", 0, false),
        ("nat-prerouting", "nat", -100, false),
        ("nat-output", "nat", -100, false),
        ("nat-postrouting", "nat", 100, false),
    ];
    assert_eq!(names, wanted);
    let rules = |name: &str| &table.chains.iter().find(|chain| chain.name == name).unwrap().rules;
    let TableRule::Typed(first) = &rules("forward")[0] else { panic!() };
    assert_eq!(first.family, Some(Family::V4));
    assert_eq!(first.source.as_ref().unwrap().items.len(), 1);
    assert_eq!(rules("forward").len(), 3);
    assert!(matches!(&rules("forward")[2], TableRule::Raw(_)));
    let TableRule::Typed(dnat) = &rules("nat-output")[0] else { panic!() };
    assert!(dnat.local && matches!(dnat.verdict, Some(Verdict::Dnat(_))));
    assert_eq!((rules("nat-output").len(), rules("nat-prerouting").len(), rules("nat-postrouting").len()), (2, 1, 2));
    let inserts = all(&topology, |r| if let Resource::Insert(insert) = r { Some(insert) } else { None });
    assert_eq!(inserts.len(), 2);
    let docker = inserts.iter().find(|insert| insert.chain.chain == "DOCKER-USER").unwrap();
    assert_eq!((docker.rules.len(), docker.if_present), (3, true));
    assert_eq!(inserts.iter().find(|insert| insert.chain.family == "inet").unwrap().rules.len(), 1);
}

#[test]
fn checks_of_everything() {
    use crate::resource::probe::{HttpHost, Probe};
    use std::time::Duration;
    let (_, topology) = good(EVERYTHING);
    let checks = &topology.checks;
    let words: Vec<&str> = checks.iter().map(|check| check.words.as_str()).collect();
    assert_eq!(words[..3], ["ping 10.0.0.9", "ping a/eth0 (ipv6)", "ping web"]);
    assert_eq!(words[10], "sh -c 'exit 0' 7");
    assert_eq!(checks[0].probe, Probe::Ping { to: "10.0.0.9".parse().unwrap(), count: 1, size: 56 });
    assert_eq!((checks[0].retries, checks[0].timeout, checks[0].expect), (2, Duration::from_secs(2), true));
    assert_eq!(checks[1].probe, Probe::Ping { to: "fd00::2".parse().unwrap(), count: 3, size: 1400 });
    assert_eq!(
        (checks[1].retries, checks[1].timeout, checks[1].title().as_str()),
        (5, Duration::from_millis(500), "six")
    );
    assert_eq!((checks[2].retries, checks[2].expect, checks[4].retries), (0, false, 1));
    assert_eq!(checks[2].probe, Probe::Ping { to: "10.0.0.2".parse().unwrap(), count: 1, size: 56 });
    assert_eq!(
        checks[5].probe,
        Probe::Udp { to: "10.0.0.2:7".parse().unwrap(), send: "hello".to_owned(), reply: false }
    );
    assert!(
        matches!(&checks[7].probe, Probe::Http { host: HttpHost::Name(name, true), port: 80, .. } if name == "shop.lab")
    );
    assert!(matches!(&checks[8].probe, Probe::Dns { six: true, server: None, .. }));
    assert_eq!(
        checks[9].probe,
        Probe::Dns {
            name: "web.lab".to_owned(),
            six: false,
            server: Some("10.0.0.2:5353".parse().unwrap()),
            address: None
        }
    );
    assert_eq!(checks[0].origin.path, "checks[0]");
}

#[test]
fn anchors_quotes_and_words() {
    let (document, topology) = good(
        "name: 123\nnamespaces:\n  no: &n\n    interfaces: { lo: { addresses: [10.0.0.1/32] } }\n  007: *n\n  on:\n  10:20:\n",
    );
    assert_eq!(document.name.as_str(), "123");
    let nodes: Vec<String> = topology.state.namespaces().map(|namespace| namespace.node.to_string()).collect();
    assert_eq!(nodes, ["007", "10:20", "no", "on"]);
    assert!(topology.state.namespace(&Node::host()).is_none());
}

#[test]
fn a_pair_may_be_said_from_both_ends() {
    let (_, topology) = good(
        "name: x\nnamespaces:\n  a: { interfaces: { e: { veth: b/f, mtu: 1400 } } }\n  b: { interfaces: { f: { veth: a/e }, g: { veth: h }, h: {} } }\n",
    );
    assert_eq!(topology.state.link(&LinkId::new("b", "f")).unwrap().peer, Some(LinkId::new("a", "e")));
    assert_eq!(topology.state.link(&LinkId::new("b", "f")).unwrap().mtu, Setting::Is(1500));
    assert_eq!(topology.state.link(&LinkId::new("b", "h")).unwrap().peer, Some(LinkId::new("b", "g")));
    assert_eq!(topology.state.links().count(), 6);
}

#[test]
fn the_line_of_everything() {
    let (_, topology) = good(EVERYTHING);
    let Some(Resource::Qdisc(qdisc)) = topology.state.get(&ResourceId::Qdisc(LinkId::new("a", "eth0"))) else {
        panic!()
    };
    let said = "netem delay 20ms, jitter 5ms, distribution pareto, loss 0.5%, duplicate 1%, corrupt 0.1%, reorder 25%, rate 10mbit, limit 2000";
    assert_eq!((qdisc.work.to_string().as_str(), qdisc.marked), (said, true));
}

#[test]
fn wireguard_is_lowered_whole() {
    let (_, topology) = good(EVERYTHING);
    let id = LinkId::new("a", "w0");
    let link = topology.state.link(&id).unwrap();
    let folder = std::path::Path::new(&topology.source.name).parent().unwrap();
    let word = |text: &str| Some(Value::word(text));
    assert_eq!(link.options.get("private-key-file").cloned(), word(&folder.join("keys/a.key").to_string_lossy()));
    assert_eq!(
        topology.state.link(&LinkId::new("a", "w1")).unwrap().options.get("private-key-file").cloned(),
        word("/etc/b.key")
    );
    assert_eq!(
        (link.transport(), link.options.get("fwmark"), &link.mtu),
        (Node::host(), Some(&Value::Number(0x20)), &Setting::Is(1420))
    );
    let peers: Vec<&Peer> = topology.state.peers_of(&id).collect();
    let [known, other] = peers.as_slice() else { panic!("{peers:?}") };
    assert_eq!((known.keepalive, known.endpoint), (25, Setting::Is("192.0.2.1:51820".parse().unwrap())));
    assert_eq!(known.preshared_file, Some(folder.join("ab.psk").to_string_lossy().into_owned()));
    assert_eq!((&other.key, other.endpoint), (&PeerKey::Of(LinkId::new("a", "w1")), Setting::Left));
}

#[test]
fn numbers_without_a_unit_have_the_one_of_ip_and_wg() {
    let text = |miimon: &str, delay: &str, keepalive: &str, ageing: &str| {
        format!(
            "name: lab
namespaces:
  A:
    interfaces:
      p: {{ dummy: {{}} }}
      b: {{ bond: {{ ports: [p], miimon: {miimon}, up-delay: {delay}, down-delay: {delay} }} }}
      v: {{ vxlan: {{ id: 7, ageing: {ageing} }} }}
      w: {{ wireguard: {{ private-key-file: /k, peers: [{{ public-key: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', allowed-ips: [10.0.0.2/32], keepalive: {keepalive} }}] }} }}
"
        )
    };
    let (_, plain) = good(&text("100", "200", "25", "60"));
    let (_, written) = good(&text("100ms", "0.2s", "25s", "60s"));
    assert!(plain.state.items == written.state.items);
    let link = plain.state.link(&LinkId::new("A", "b")).unwrap();
    assert_eq!(
        (link.options.get("miimon"), link.options.get("up-delay")),
        (Some(&Value::Millis(100)), Some(&Value::Millis(200)))
    );
}

#[test]
fn vlans_of_ports() {
    let (_, topology) = good(
        "name: lab
namespaces:
  SW:
    interfaces:
      br0: { bridge: { vlan-filtering: true, vlan-default-pvid: 10, ports: [a, b] }, port-vlan: { trunk: [10, 20-30], native: 1 } }
      a: { veth: A/eth0 }
      b: { veth: A/eth1, port-vlan: { trunk: 7 }, fdb: [{ mac: '02:00:00:00:00:05' }] }
      br1: { bridge: { ports: [c] } }
      c: { veth: A/eth3, fdb: [{ mac: '02:00:00:00:00:05' }] }
  A: { interfaces: { eth2: { veth: { bridge: SW/br0 }, port-vlan: { access: 30 } } } }
",
    );
    let vlans = |node: &str, name: &str| {
        topology.state.link(&LinkId::new(node, name)).unwrap().vlans.get().map(ToString::to_string)
    };
    assert_eq!(vlans("SW", "br0").unwrap(), "trunk 10 20-30 native 1");
    // One that says nothing has the bridge's default; what is no port of a bridge that filters has none.
    assert_eq!(vlans("SW", "a").unwrap(), "access 10");
    assert_eq!((vlans("A", "eth0"), vlans("SW", "br1"), vlans("SW", "c")), (None, None, None));
    let far = topology.state.link(&LinkId::new("A", "eth2")).unwrap().peer.clone().unwrap();
    assert_eq!(vlans("SW", far.name.as_str()).unwrap(), "access 30");
    // An entry is for the VLANs of the port, or for all.
    let entries = all(&topology, |r| if let Resource::Fdb(fdb) = r { Some(fdb.id().to_string()) } else { None });
    assert_eq!(entries, ["SW/b 02:00:00:00:00:05 vlan 7", "SW/c 02:00:00:00:00:05 static"]);
}
