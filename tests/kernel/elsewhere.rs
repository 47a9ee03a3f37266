//! `topo import --from`: files of containerlab and netplan, read, and scripts, run where nothing of the machine is.

use crate::sandbox;

use sandbox::{in_repository, sh, topo, try_sh, wait_for, write};
use std::time::Duration;

const CONTAINERLAB: &str = r#"name: clos
mgmt: { network: custom }
topology:
  defaults: { image: "alpine:3" }
  kinds:
    linux: { sysctls: { net.ipv4.ip_forward: 1 } }
  nodes:
    leaf:
      kind: linux
      exec:
        - ip addr add 10.1.0.1/24 dev eth1
        - sh -c 'ip link set eth2 mtu 1400 && ip addr add 10.2.0.1/24 dev eth2'
        - ip route del default
        - vtysh -c "show version"
    client:
      kind: linux
      binds: [a:/a]
      exec: ["ip addr add 10.1.0.2/24 dev eth1", "ip route add default via 10.1.0.1"]
    server:
      kind: linux
      exec: ["ip addr add 10.2.0.2/24 dev eth1", "ip route replace default via 10.2.0.1", "echo $HOME > x"]
    spine: { kind: nokia_srlinux, image: ghcr.io/nokia/srlinux }
    br-lan: { kind: bridge }
  links:
    - endpoints: ["leaf:eth1", "client:eth1"]
    - endpoints: ["leaf:eth2", "br-lan:port1"]
    - endpoints: ["server:eth1", "br-lan:port2"]
    - endpoints: ["leaf:eth3", "spine:e1-1"]
    - type: veth
      mtu: 1300
      endpoints:
        - { node: client, interface: eth9, mac: "02:00:00:00:00:09", ipv4: 10.9.0.1/24 }
        - { node: host, interface: clienteth9 }
    - endpoints: ["spine:mgmt0", "mgmt-net:spine"]
"#;

#[test]
fn a_lab_of_containerlab_works() {
    sandbox::run("a_lab_of_containerlab_works", || {
        let file = write("clos.clab.yml", CONTAINERLAB);
        let text = topo(&["import", "--from", "containerlab", &file]).expect(0).stdout;
        for said in [
            "name: clos",
            "`mgmt`: containerlab's own",
            "`vtysh -c show version`: nothing here starts programs",
            "`echo $HOME > x`: it is more than commands of ip",
            "line 17: `binds`: a container's",
            "kind nokia_srlinux (ghcr.io/nokia/srlinux) needs its image",
            "what the image alpine:3 starts",
            "a link to mgmt-net",
            "br-lan:",
            "mac: \"02:00:00:00:00:09\"",
        ] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        let lab = write("clos.yaml", &text);
        topo(&["apply", "--yes", &lab]).expect(0);
        topo(&["plan", "--detailed-exitcode", &lab]).expect(0);
        sh("ip netns exec client ping -c 1 -W 2 10.2.0.2; ip -n leaf link show eth2 | grep -q 'mtu 1400'");
        topo(&["destroy", "--yes", &lab]).expect(0);
    });
}

const NETPLAN: &str = r#"network:
  version: 2
  renderer: networkd
  ethernets:
    up0:
      dhcp4: no
      addresses: [10.50.0.2/24, "fd50::2/64"]
      nameservers: { addresses: [10.50.0.1] }
      routes:
        - { to: default, via: 10.50.0.1, metric: 100 }
        - { to: 10.60.0.0/16, via: 10.50.0.3, table: 7, on-link: true }
      routing-policy:
        - { from: 10.50.0.0/24, table: 7, priority: 70 }
    port0: { mtu: 1400 }
  bridges:
    br7:
      interfaces: [port0]
      addresses: [10.70.0.1/24]
      parameters: { stp: false, forward-delay: 4, path-cost: { port0: 5 } }
  dummy-devices:
    d0: {}
  wifis:
    wlan0: { dhcp4: true }
"#;

#[test]
fn a_network_of_netplan_works() {
    sandbox::run("a_network_of_netplan_works", || {
        let file = write("50-net.yaml", NETPLAN.replace("  dummy-devices:\n    d0: {}\n", "").as_str());
        let text = topo(&["import", "--from", "netplan", "--name", "net", &file]).expect(0).stdout;
        for said in [
            "`nameservers` of up0: the machine's own resolv.conf",
            "wlan0: topo has no wireless networks",
            "`path-cost:",
            "forward-delay: 4s",
        ] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        sh(
            "ip link add up0 type veth peer name up1; ip link add port0 type veth peer name port1; for l in up0 up1 port0 port1; do ip link set $l up; done",
        );
        let net = write("net.yaml", &text);
        topo(&["apply", "--yes", &net]).expect(0);
        topo(&["plan", "--detailed-exitcode", &net]).expect(0);
        sh(
            "ip route show default | grep -q 'via 10.50.0.1 dev up0.*metric 100'; ip route show table 7 | grep -q 10.60.0.0/16; ip rule | grep -q '^70:.*lookup 7'; bridge link show dev port0 | grep -q 'master br7'; ip addr show up0 | grep -q fd50::2",
        );
        topo(&["destroy", "--yes", "net"]).expect(0);
        let bad = write("bad.yaml", "network:\n  ethernets:\n    e0: { addresses: [10.0.0.300/24] }\n");
        topo(&["import", "--from", "netplan", &bad])
            .expect(65)
            .says("\"10.0.0.300/24\" is no address")
            .says("bad.yaml:3");
        topo(&["import", "--from", "netplan", "--run", &bad]).expect(64);
        topo(&["import", "--from", "containerlab", &bad]).expect(65).says("there is no `topology`");
    });
}

/// What a script makes in the sandbox is what it makes on the machine.
#[test]
fn a_script_is_run_where_nothing_of_the_machine_is() {
    sandbox::run("a_script_is_run_where_nothing_of_the_machine_is", || {
        let path = in_repository("tests/import/red-blue-nat.sh");
        topo(&["import", "--from", "script", &path]).expect(64).says("--run");
        let before = sandbox::snapshot();
        let read = topo(&["import", "--from", "script", "--run", "--name", "lab", &path]).expect(0).stdout;
        sandbox::assert_snapshot(&before);
        sh(&format!("set -e; . {path}"));
        let made = topo(&["import", "--all", "--name", "lab"]).expect(0).stdout;
        assert_eq!(read, made, "a script makes another network in the sandbox");
    });
}

#[test]
fn a_script_sees_and_changes_nothing() {
    sandbox::run("a_script_sees_and_changes_nothing", || {
        sh("ip link add secret0 type bridge; ip netns add secret; echo 7 >/run/lock/secret");
        let script = r#"
test "$(ls /sys/class/net)" = lo
test -z "$(ls /run/netns /run/lock /home 2>/dev/null | grep secret)"
test ! -e /etc/shadow
test "$(cat /proc/1/comm)" != systemd
test "$(ls -d /proc/[0-9]* | wc -l)" -lt 12
! touch /usr/x 2>/dev/null
! mount -o remount,rw /usr 2>/dev/null
test "$(hostname)" = sandbox
! ping -c 1 -W 1 10.0.0.1
test -z "$TOPO_SANDBOX"
ip netns add inside
sleep 4711 &
"#;
        let file = write("nosy.sh", script);
        let text = topo(&["import", "--from", "script", "--run", &format!("/run/lock/{}", "nosy.sh")]);
        assert_eq!(text.code, 0, "{}{}", text.stdout, text.stderr);
        assert!(text.stdout.contains("inside:") && !text.stdout.contains("secret"), "{}", text.stdout);
        assert!(
            wait_for(Duration::from_secs(2), || try_sh("ps -eo args | grep -q '^sleep 4711'").code != 0),
            "it left a process"
        );
        let bash = write("fails.sh", "#!/bin/sh\necho begin\nip link add x type nosuchkind\nexit 3\n");
        topo(&["import", "--from", "script", "--run", &bash]).expect(1).says("it ended with 3").says("begin");
        let forks = write("forks.sh", "f() { f | f & }; f; ulimit -v; ulimit -v unlimited\n");
        topo(&["import", "--from", "script", "--run", &forks]).expect(1);
        _ = file;
    });
}
