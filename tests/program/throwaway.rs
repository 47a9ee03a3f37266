//! The sandbox itself: what all other tests stand on.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{Options, assert_snapshot, difference, ip_json, sh, snapshot, snapshot_with, topo, try_sh};

#[test]
fn fresh() {
    sandbox::run("fresh", || {
        assert_eq!(ip_json("link show").as_array().unwrap().len(), 1, "only lo");
        assert_eq!(sh("ls -A /run/netns /etc/netns | grep -v : | tr -d '\\n'"), "");
        assert_eq!(snapshot(), snapshot(), "two snapshots of a quiet machine are equal");
        assert_eq!(topo(&["--version"]).expect(0).stdout.split(' ').next(), Some("topo"));
    });
}

#[test]
fn sees_everything() {
    sandbox::run("sees_everything", || {
        sh(
            "ip netns add RED; ip link add v0 type veth peer name v1 netns RED; ip link add br0 type bridge; ip link set v0 master br0 up; ip link set br0 up",
        );
        sh(
            "ip addr add 10.0.0.1/24 dev br0; nft 'table ip t { chain c { type filter hook input priority 0; accept; }; }'",
        );
        std::thread::sleep(std::time::Duration::from_millis(1500));
        let before = snapshot();
        assert!(before.contains("\"peer\":\"RED/v1\"") && before.contains("\"peer\":\"host/v0\""), "{before}");
        for (edit, back) in [
            ("ip addr add 10.0.0.2/24 dev br0", "ip addr del 10.0.0.2/24 dev br0"),
            ("ip -n RED route add blackhole 192.0.2.0/24 table 7", "ip -n RED route flush table 7"),
            ("ip rule add fwmark 1 table 7", "ip rule del fwmark 1 table 7"),
            ("ip link set v0 nomaster", "ip link set v0 master br0"),
            ("ip -n RED link set v1 mtu 1400", "ip -n RED link set v1 mtu 1500"),
            ("ip link set v0 alias x", "ip link set v0 alias ''"),
            (
                "nft add rule ip t c drop",
                "nft -a list chain ip t c | sed -n 's/.*drop # handle //p' | xargs -n1 nft delete rule ip t c handle",
            ),
            (
                "ip netns exec RED sysctl -qw net.ipv4.conf.v1.proxy_arp=1",
                "ip netns exec RED sysctl -qw net.ipv4.conf.v1.proxy_arp=0",
            ),
            ("mkdir -p /etc/netns/RED; echo x >/etc/netns/RED/hosts", "rm -r /etc/netns/RED"),
            ("mkdir -p /run/topo/a", "rm -r /run/topo"),
            ("ip netns add EXTRA", "ip netns del EXTRA"),
            ("bridge link set dev v0 hairpin on", "bridge link set dev v0 hairpin off"),
            ("bridge fdb add 02:00:00:00:00:01 dev v0 master static", "bridge fdb del 02:00:00:00:00:01 dev v0 master"),
            ("ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:01 nud permanent dev br0", "ip neigh del 10.0.0.9 dev br0"),
        ] {
            sh(edit);
            assert_ne!(snapshot_with(&Options::default()), before, "not seen: {edit}");
            sh(back);
            assert_snapshot(&before);
        }
        let keep = Options { handles: true, ..Options::default() };
        let kept = snapshot_with(&keep);
        sh("nft delete table ip t; nft 'table ip t { chain c { type filter hook input priority 0; accept; }; }'");
        assert_eq!(snapshot(), before, "a table made again looks the same");
        let _ = (kept, difference("", ""));
    });
}

#[test]
fn a_failure_inside_is_a_failure() {
    let inside = || sandbox::run("a_failure_inside_is_a_failure", || assert_eq!(try_sh("exit 3").code, 0));
    if sandbox::is_inside("a_failure_inside_is_a_failure") {
        inside();
    } else {
        assert!(std::panic::catch_unwind(inside).is_err(), "the failed assertion was lost");
    }
}

#[test]
#[should_panic(expected = "no test is called")]
fn a_wrong_name_is_a_failure() {
    sandbox::run("no_such_test", || ());
}
