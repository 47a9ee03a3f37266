//! Rules about what is on the machine.

use super::super::{Code, Severity};
use super::{BRIDGE, Case, GATEWAY, ROUTER, written, yaml};
use crate::flow::ruleset::Ruleset;
use crate::resource::{IfName, Item, LinkId, Mac, NetnsRef, Node, NodeTenure, Resource, ResourceId, Runtime, Setting};
use crate::survey::Heard;

#[test]
fn mtu_lower() {
    let text = "name: lab\nhost: { interfaces: { eth9: { existing: {} }, vx0: { vxlan: { id: 5, link: eth9, remote: 192.0.2.7 }, mtu: 1500 } } }\n";
    let others = "name: others\nhost: { interfaces: { eth9: { dummy: {}, mtu: 1500 } } }\n";
    let finding = Case::of(text).others(others).only();
    assert_eq!((finding.code, finding.severity), (Code::MtuLower, Severity::Warning));
    assert_eq!(yaml(&finding), "host:\n  interfaces:\n    vx0: { mtu: 1450 }");
    assert_eq!(Case::of(&text.replace("mtu: 1500", "mtu: 1450")).others(others).find(), []);
}

#[test]
fn subnet_routed() {
    let route = |to: &str| {
        format!(
            "name: others\nhost: {{ interfaces: {{ tun9: {{ dummy: {{}}, addresses: [172.31.9.1/30] }} }}, routes: [{{ to: {to}, via: 172.31.9.2 }}] }}\n"
        )
    };
    let wide = Case::of(GATEWAY).others(&route("10.0.0.0/8")).only();
    assert_eq!((wide.code, wide.severity), (Code::SubnetRouted, Severity::Warning));
    let narrow = Case::of(GATEWAY).others(&route("10.80.0.0/25")).find();
    let narrow = narrow.first().unwrap();
    assert_eq!((narrow.code, narrow.severity), (Code::SubnetRouted, Severity::Error));
    assert!(narrow.why.ends_with("10.64.0.0/24 is free here."), "{}", narrow.why);
    assert_eq!(Case::of(GATEWAY).others(&route("10.81.0.0/16")).find(), []);
}

#[test]
fn address_taken() {
    let others = "name: others\nnamespaces: { X: { interfaces: { eth0: { veth: host/x1, addresses: [10.80.0.2/24] } } } }\nhost: { interfaces: { lab0: { existing: {} }, x1: { master: lab0 } } }\n";
    let mut case = Case::of(GATEWAY).others(others);
    // Another program's namespace, of which topo sees what is in it.
    if let Some(Item { resource: Resource::Namespace(x), .. }) =
        case.others.items.get_mut(&ResourceId::Namespace("X".into()))
    {
        x.tenure = NodeTenure::Existing(NetnsRef::Pid(9));
    }
    case.others.items.remove(&ResourceId::Link(LinkId::new(Node::host(), "lab0")));
    let found = case.find();
    let finding =
        found.iter().find(|finding| finding.code == Code::AddressTaken).unwrap_or_else(|| panic!("{found:#?}"));
    assert_eq!(finding.severity, Severity::Error);
    assert!(finding.what.contains("10.80.0.2 of A/eth0 is taken on its segment: X/eth0 has it"), "{}", finding.what);

    let mut heard = Case::of(GATEWAY);
    let mac = Mac([2, 0, 0, 0, 0, 9]);
    heard.neighbors.push(Heard {
        node: Node::host(),
        interface: IfName::from("lab0"),
        address: [10, 80, 0, 2].into(),
        mac,
    });
    assert_eq!(heard.only().severity, Severity::Warning);
    // Applied, and it is its own address that has answered.
    let mut own = heard.applied();
    if let Some(Item { resource: Resource::Link(link), .. }) =
        own.observed.as_mut().and_then(|state| state.items.get_mut(&ResourceId::Link(LinkId::new("A", "eth0"))))
    {
        link.mac = Setting::Is(mac);
    }
    assert!(!own.codes().contains(&Code::AddressTaken));
}

#[test]
fn turned_off_and_drifted() {
    let mut case = Case::of(GATEWAY).applied();
    let id = ResourceId::Sysctl(Node::host(), "net/ipv4/ip_forward".to_owned());
    if let Some(Item { resource: Resource::Sysctl(sysctl), .. }) =
        case.observed.as_mut().and_then(|state| state.items.get_mut(&id))
    {
        sysctl.value = "0".to_owned();
    }
    assert_eq!(case.codes(), [Code::Forwarding, Code::TurnedOff, Code::Drifted]);
    case.observed = None;
    assert_eq!(case.codes(), [], "what is not applied has not drifted");
}

#[test]
fn rules_unread() {
    let mut case = Case::of(GATEWAY);
    let unread = Ruleset { unread: Some("rules of iptables-legacy are there".to_owned()), ..Ruleset::default() };
    case.rules.push((Node::host(), unread));
    assert_eq!(case.only().code, Code::RulesUnread);
}

#[test]
fn network_manager() {
    let case = Case::of(BRIDGE).daemon("NetworkManager");
    let finding = case.only();
    assert_eq!(
        written(&finding),
        [
            "/etc/NetworkManager/conf.d/topo.conf: [keyfile] | unmanaged-devices+=interface-name:a1;interface-name:b1;interface-name:lab0"
        ]
    );
    let all = "[keyfile]\nunmanaged-devices=interface-name:lab*;interface-name:?1\n";
    assert_eq!(case.text("/etc/NetworkManager/conf.d/9.conf", all).find(), []);
    let added = "[keyfile]\nunmanaged-devices+=interface-name:a1;interface-name:b1;interface-name:lab0\n";
    assert_eq!(
        Case::of(BRIDGE).daemon("NetworkManager").text("/etc/NetworkManager/conf.d/topo.conf", added).find(),
        []
    );
    assert_eq!(Case::of(ROUTER).daemon("NetworkManager").find(), [], "nothing of it is on the host");
}

#[test]
fn networkd() {
    let routed = GATEWAY.replace("namespaces:", "  routes: [{ to: 10.81.0.0/16, via: 10.80.0.2 }]\nnamespaces:");
    let case = Case::of(&routed).daemon("systemd-network");
    let finding = case.find().into_iter().find(|finding| finding.code == Code::Networkd).unwrap();
    assert_eq!(written(&finding), ["/etc/systemd/networkd.conf.d/topo.conf: [Network] | ManageForeignRoutes=no"]);
    let case = case.text("/etc/systemd/networkd.conf.d/topo.conf", "[Network]\nManageForeignRoutes=no\n");
    assert!(!case.codes().contains(&Code::Networkd));
    let greedy = Case::of(BRIDGE)
        .daemon("systemd-network")
        .text("/etc/systemd/network/10-all.network", "[Match]\nName=*\n[Network]\nDHCP=yes\n");
    assert!(greedy.only().what.contains("10-all.network of systemd-networkd matches"));
    let wired = "[Match]\nType=ether\nName=*\n[Network]\nDHCP=yes\n";
    assert_eq!(
        Case::of(BRIDGE).daemon("systemd-network").text("/etc/systemd/network/10-wired.network", wired).find(),
        []
    );
}

#[test]
fn chains_of_daemons() {
    let insert = |chain: &str| {
        BRIDGE.replace("lab0: { bridge: { ports: [a1, b1] } } }", &format!("lab0: {{ bridge: {{ ports: [a1, b1] }} }} }}, firewall: {{ insert: [{{ chain: \"{chain}\", in: lab0, accept: {{}} }}] }}"))
    };
    let codes = |chain: &str, daemon: &str| Case::of(&insert(chain)).daemon(daemon).codes();
    assert_eq!(codes("inet firewalld filter_FORWARD", "firewalld"), [Code::FirewalldReload]);
    assert_eq!(codes("inet firewalld filter_FORWARD", "dockerd"), []);
    assert_eq!(codes("ip filter DOCKER-FORWARD", "dockerd"), [Code::DockerChain]);
    assert_eq!(codes("ip filter DOCKER-USER", "dockerd"), []);
}

#[test]
fn docker_restart() {
    let mut case = Case::of("name: lab\nnamespaces: { C: { existing: { container: web } } }\n").daemon("dockerd");
    if let Some(Item { resource: Resource::Namespace(node), .. }) =
        case.wanted.items.get_mut(&ResourceId::Namespace("C".into()))
    {
        node.tenure =
            NodeTenure::Existing(NetnsRef::Container { runtime: Some(Runtime::Docker), name: "web".to_owned() });
    }
    assert_eq!(written(&case.only()), ["/etc/docker/daemon.json: { \"live-restore\": true }"]);
    assert_eq!(case.text("/etc/docker/daemon.json", "{ \"live-restore\": true }").find(), []);
}

#[test]
fn user_namespaces() {
    let mut case = Case::of(BRIDGE);
    case.machine.settings.insert("kernel/apparmor_restrict_unprivileged_userns".to_owned(), "1".to_owned());
    let finding = case.only();
    assert_eq!(finding.severity, Severity::Note);
    let lines = written(&finding);
    assert!(
        lines
            .iter()
            .any(|line| line == "/etc/sysctl.d/60-userns.conf: kernel.apparmor_restrict_unprivileged_userns = 0"),
        "{lines:?}"
    );
    assert!(lines.iter().any(|line| line.contains("flags=(unconfined) { userns, }")), "{lines:?}");
    case.machine.settings.insert("kernel/apparmor_restrict_unprivileged_userns".to_owned(), "0".to_owned());
    assert_eq!(case.find(), []);
}

#[test]
fn versions() {
    let mut case = Case::of(BRIDGE);
    case.machine.kernel = "4.19.0-26-amd64".to_owned();
    assert_eq!((case.only().code, case.only().severity), (Code::OldKernel, Severity::Warning));
    case.machine.kernel = "6.12.1".to_owned();
    case.machine.nft = Some("1.0.6".to_owned());
    assert_eq!(case.find(), []);
    let unread = Ruleset { unread: Some("the listing of nft cannot be read: x".to_owned()), ..Ruleset::default() };
    case.rules.push((Node::host(), unread));
    assert_eq!(case.codes(), [Code::RulesUnread, Code::NftVersion]);
    case.machine.nft = Some("1.1.1".to_owned());
    assert_eq!(case.codes(), [Code::RulesUnread]);
}

#[test]
fn names_of_others_are_quoted() {
    use super::super::quoted::{plain, quoted};
    assert_eq!(quoted("ip filter \"x\\\n"), "\"ip filter \\\"x\\\\\\U0000000a\"");
    assert_eq!(
        [plain("lab0"), plain("on"), plain("1e3"), plain("a b"), plain("fd00::1")],
        ["lab0", "\"on\"", "\"1e3\"", "\"a b\"", "\"fd00::1\""]
    );
}
