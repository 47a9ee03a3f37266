//! Rules about packets.

use super::super::{Code, Obstacle, Severity};
use super::{BRIDGE, Case, GATEWAY, ROUTER, UPLINK, drop_all, yaml};
use crate::resource::{LinkId, Node, ResourceId};
use crate::survey::Missing;
use serde_json::json;

#[test]
fn whole_labs_have_nothing() {
    for text in [BRIDGE, ROUTER, GATEWAY] {
        assert_eq!(Case::of(text).find(), []);
        assert_eq!(Case::of(text).applied().find(), []);
    }
}

#[test]
fn in_the_way() {
    let mut case = Case::of(BRIDGE);
    let id = ResourceId::Link(LinkId::new(Node::host(), "lab0"));
    case.obstacles.push(Obstacle { id, what: "link host/lab0: it is there".to_owned(), help: None });
    let finding = case.only();
    assert_eq!((finding.code, finding.severity), (Code::InTheWay, Severity::Error));
    assert_eq!(finding.interface.as_deref(), Some("lab0"));
}

#[test]
fn kernel_feature() {
    let mut case = Case::of(BRIDGE);
    let id = ResourceId::Link(LinkId::new("A", "wg0"));
    case.machine.missing.push(Missing { id, what: "wireguard".to_owned(), config: "CONFIG_WIREGUARD".to_owned() });
    let finding = case.only();
    assert_eq!(finding.code, Code::KernelFeature);
    assert!(finding.what.contains("no wireguard support (CONFIG_WIREGUARD)"), "{}", finding.what);
    // What was found out on the way is said as it came, once.
    let lacks = |link: &str| Obstacle {
        id: ResourceId::Link(LinkId::new("A", link)),
        what: "this kernel has no bridge VLAN filtering".to_owned(),
        help: Some("use another".to_owned()),
    };
    case.lacking = vec![lacks("wg0"), lacks("br0")];
    let found = case.find();
    assert_eq!(
        found.iter().map(|finding| finding.interface.as_deref()).collect::<Vec<_>>(),
        [Some("wg0"), Some("br0")]
    );
}

#[test]
fn bridge_filter() {
    let case = Case::of(BRIDGE).rule("forward", drop_all());
    assert_eq!(case.find(), [], "without br_netfilter frames meet no rules");
    let case = case.setting("host", "net/bridge/bridge-nf-call-iptables", "1");
    let finding = case.only();
    assert_eq!((finding.code, finding.severity), (Code::BridgeFilter, Severity::Error));
    assert_eq!(finding.flows, ["ping from A to B (10.0.0.2)"]);
    assert_eq!(
        yaml(&finding),
        "host:\n  firewall:\n    insert:\n      - { chain: \"ip filter FORWARD\", in: lab0, out: lab0, accept: {} }"
    );
}

#[test]
fn foreign_filter() {
    let finding = Case::of(GATEWAY).others(UPLINK).rule("forward", drop_all()).only();
    assert_eq!((finding.code, finding.severity), (Code::ForeignFilter, Severity::Error));
    assert_eq!(finding.flows, ["ping from A to the outside (198.51.100.1)"]);
    let lines: Vec<&str> = yaml(&finding).lines().skip(3).map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "- { chain: \"ip filter FORWARD\", in: lab0, accept: {} }",
            "- { chain: \"ip filter FORWARD\", out: lab0, state: [established, related], accept: {} }"
        ]
    );
}

#[test]
fn the_file_may_drop() {
    let own = "    firewall: { forward: { policy: drop } }\n  B:";
    assert_eq!(Case::of(&ROUTER.replace("  B:", own)).find(), [], "what the file says itself is no finding");
    let check = "checks: [{ ping: { from: A, to: 10.0.2.2 } }]\n";
    let finding = Case::of(&(ROUTER.replace("  B:", own) + check)).only();
    assert_eq!((finding.code, finding.origin.is_some()), (Code::FlowStops, true));
}

#[test]
fn published_ports() {
    let text = GATEWAY.replace(
        "namespaces:",
        "  nat: [{ dnat: { in: ext0, protocol: tcp, port: 8080, to: \"10.80.0.2:80\" } }]\nnamespaces:",
    );
    let case = Case::of(&text).others(UPLINK);
    assert_eq!(case.find(), []);
    let match_ = json!([{ "match": { "op": "==", "left": { "meta": { "key": "iifname" } }, "right": "ext0" } }, { "drop": null }]);
    let finding = case.rule("forward", match_).only();
    assert_eq!(finding.flows, ["tcp/8080 from the outside by host/ext0 to host (192.0.2.5)"]);
    assert!(
        yaml(&finding).contains("destination: 10.80.0.2, port: 80, protocol: tcp, accept: {}"),
        "{}",
        yaml(&finding)
    );
}

#[test]
fn forwarding() {
    let finding = Case::of(&ROUTER.replace("    forwarding: true\n", "")).only();
    assert_eq!((finding.code, finding.node), (Code::Forwarding, Some("R".into())));
    let off = Case::of(ROUTER).applied().setting("R", "net/ipv4/conf/ra/forwarding", "0").find();
    let off = off.first().unwrap();
    assert_eq!((off.code, yaml(off)), (Code::Forwarding, "R:\n  forwarding: ipv4"));
    assert!(off.why.contains("has switched it off since"), "{}", off.why);
}

#[test]
fn rp_filter() {
    // The answer comes back by another interface than it would be sent to.
    let text = "name: lab\nnamespaces:\n  A:\n    interfaces:\n      a0: { veth: B/b0, addresses: [10.0.1.1/24] }\n      a1: { veth: B/b1, addresses: [10.0.2.1/24] }\n    routes: [{ to: 10.5.0.0/24, via: 10.0.1.2 }]\n  B:\n    interfaces:\n      b0: { addresses: [10.0.1.2/24] }\n      b1: { addresses: [10.0.2.2/24] }\n      d0: { dummy: {}, addresses: [10.5.0.1/24] }\n    routes: [{ to: 10.0.1.1/32, via: 10.0.2.1 }]\n";
    assert_eq!(Case::of(text).find(), []);
    let found = Case::of(text).setting("A", "net/ipv4/conf/a1/rp_filter", "1").find();
    assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::RpFilter], "{found:#?}");
    assert!(yaml(found.first().unwrap()).contains("net.ipv4.conf.a1.rp_filter: 0"));
}

#[test]
fn flow_stops() {
    // B knows no way back: that may be meant so, unless a check asks for it.
    let lost = ROUTER.replace("    routes: [{ to: 10.0.1.0/24, via: 10.0.2.1 }]\n", "");
    assert_eq!(Case::of(&lost).find(), []);
    let finding = Case::of(&(lost + "checks: [{ ping: { from: A, to: 10.0.2.2 } }]\n")).only();
    assert_eq!((finding.code, finding.severity, finding.origin.is_some()), (Code::FlowStops, Severity::Error, true));
    assert_eq!(yaml(&finding), "B:\n  routes:\n    - { to: 10.0.1.0/24, via: 10.0.2.1 }");
    // A has a route to what its gateway knows no way to.
    let text = ROUTER.replace("to: default, via: 10.0.1.1", "to: 10.0.3.0/24, via: 10.0.1.1")
        + "  C: { interfaces: { c0: { veth: B/b1, addresses: [10.0.3.2/24] } } }\n";
    let finding = Case::of(&text).only();
    assert_eq!((finding.node, &*finding.what), (Some("R".into()), "in R, it has no route to 10.0.3.2"));
}

#[test]
fn mtu_path() {
    let small = BRIDGE
        .replace("lab0: { bridge: { ports: [a1, b1] } }", "lab0: { bridge: { ports: [a1, b1] } }, b1: { mtu: 1400 }");
    let finding = Case::of(&small).only();
    assert_eq!((finding.code, finding.severity), (Code::MtuPath, Severity::Warning));
    assert_eq!(yaml(&finding), "host:\n  interfaces:\n    b1: { mtu: 1500 }");
}
