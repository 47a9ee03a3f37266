//! Good files.

use super::good;
use crate::resource::{IfName, LinkId, Node, Resource, ResourceId, Setting};

const RED_BLUE: &str = r#"
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
    let route = state.resources().find_map(|r| match r {
        Resource::Route(route) if route.node == Node::from("RED") => Some(route),
        _ => None,
    });
    assert_eq!(route.unwrap().nexthops[0].dev, Some(IfName::from("reth0")));
    let origin = &topology.origins[&ResourceId::Link(LinkId::new("host", "reth1"))];
    assert_eq!((origin.line, origin.column, origin.path.as_str()), (15, 22, "namespaces.RED.interfaces.reth0"));
}
