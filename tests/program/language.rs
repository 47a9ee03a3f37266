//! Words of the language on the real kernel, judged by the programs that have them: `nft`, `ip`, `bridge`, `ping`.

#![allow(clippy::too_many_lines, reason = "a table")]

use crate::sandbox;

use sandbox::{sh, topo, write};

const COUNTED: &str = "name: counted
namespaces:
  R:
    forwarding: ipv4
    interfaces: { r0: { veth: A/a0, addresses: [10.0.0.1/24] }, r1: { veth: B/b0, addresses: [10.1.0.1/24] } }
    nat:
      - masquerade: { source: 10.0.0.0/24, out: r1, counter: true }
      - dnat: { in: r0, protocol: tcp, port: 80, to: 10.1.0.2, counter: true }
      - snat: { source: 10.9.0.0/24, to: 10.1.0.9 }
    firewall:
      prerouting: { rules: [{ in: r0, protocol: icmp, set-mark: 7, counter: true }] }
      forward: { rules: [{ mark: 7, accept: { counter: true } }] }
  A: { interfaces: { a0: { addresses: [10.0.0.2/24] } }, routes: [{ to: default, via: 10.0.0.1 }] }
  B: { interfaces: { b0: { addresses: [10.1.0.2/24] } } }
";

#[test]
fn every_rule_counts_and_show_has_the_numbers() {
    sandbox::run("every_rule_counts_and_show_has_the_numbers", || {
        let file = write("counted.yaml", COUNTED);
        topo(&["apply", "--yes", &file]).expect(0);
        sh("ip netns exec A ping -c3 -i0.2 -s56 10.1.0.2");
        let shown = topo(&["show", "counted/R"]).expect(0).stdout;
        let nft: Vec<String> = sh("ip netns exec R nft list table inet topo-counted")
            .lines()
            .filter(|line| line.contains("counter"))
            .map(str::to_owned)
            .collect();
        assert_eq!(nft.len(), 4, "four rules count: {nft:?}");
        for line in &nft {
            let number =
                line.split_once("counter ").unwrap().1.split_whitespace().take(4).collect::<Vec<_>>().join(" ");
            assert!(shown.contains(&number), "{number:?} of {line:?} is not in\n{shown}");
        }
        // One connection was translated, three packets were marked and forwarded, of 84 bytes each.
        assert!(
            shown.contains("iifname \"r0\" meta l4proto icmp meta mark set 0x00000007 counter packets 3 bytes 252"),
            "{shown}"
        );
        assert!(shown.contains("oifname \"r1\" ip saddr 10.0.0.0/24 counter masquerade packets 1 bytes 84"), "{shown}");
        assert!(shown.contains("ip saddr 10.9.0.0/24 snat ip to 10.1.0.9\n"), "{shown}");
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        let yaml = write("again.yaml", &topo(&["show", "counted", "--yaml"]).expect(0).stdout);
        topo(&["plan", "--detailed-exitcode", &yaml]).expect(0);
        topo(&["destroy", "--yes", "counted"]).expect(0);
    });
}

#[test]
fn rules_in_chains_of_others_show_what_they_counted() {
    sandbox::run("rules_in_chains_of_others_show_what_they_counted", || {
        sh(
            "nft 'add table inet theirs; add chain inet theirs out { type filter hook output priority 0; }; add rule inet theirs out counter'",
        );
        sh("iptables-nft -A OUTPUT -j ACCEPT");
        let text = "name: in\nhost:\n  firewall:\n    insert:\n      - { chain: inet theirs out, protocol: icmp, accept: { counter: true } }\n      - { chain: ip filter OUTPUT, protocol: icmp, accept: {} }\n";
        topo(&["apply", "--yes", &write("in.yaml", text)]).expect(0);
        sh("ping -c2 -i0.2 -s56 127.0.0.1");
        let shown = topo(&["show", "in"]).expect(0).stdout;
        // An echo and its answer are both sent from here.
        assert_eq!(shown.matches("packets 4 bytes 336").count(), 2, "{shown}");
        topo(&["destroy", "--yes", "in"]).expect(0);
    });
}

const PUBLISHED: &str = "name: published
namespaces:
  R:
    forwarding: ipv4
    interfaces:
      lan0: { veth: SERVER/eth0, addresses: [10.0.0.1/24] }
      wan0: { veth: CLIENT/eth0, addresses: [192.0.2.1/24] }
      far0: { veth: FAR/eth0, addresses: [198.51.100.1/24] }
    sysctls: { net.ipv4.conf.all.route_localnet: 1 }
    nat:
      - dnat: { destination: local, protocol: tcp, port: 8080, to: \"10.0.0.2:80\", local: true, counter: true }
  SERVER: { interfaces: { eth0: { addresses: [10.0.0.2/24] } }, routes: [{ to: default, via: 10.0.0.1 }] }
  CLIENT: { interfaces: { eth0: { addresses: [192.0.2.2/24] } }, routes: [{ to: default, via: 192.0.2.1 }] }
  FAR: { interfaces: { eth0: { addresses: [198.51.100.2/24] } }, routes: [{ to: default, via: 198.51.100.1 }] }
checks:
  - tcp: { from: CLIENT, to: \"192.0.2.1:8080\", name: by an address of the node }
  - tcp: { from: CLIENT, to: \"198.51.100.1:8080\", name: by another }
  - tcp: { from: R, to: \"192.0.2.1:8080\", name: from the node itself }
  - tcp: { from: R, to: \"127.0.0.1:8080\", name: by localhost }
  - tcp: { from: SERVER, to: \"192.0.2.1:8080\", name: from the server itself }
  - tcp: { from: CLIENT, to: \"198.51.100.2:8080\", name: what passes through is left alone }
";

#[test]
fn a_published_port_answers_from_everywhere() {
    sandbox::run("a_published_port_answers_from_everywhere", || {
        let file = write("published.yaml", PUBLISHED);
        let validated = topo(&["validate", &file]).expect(0);
        assert_eq!(validated.stderr.matches("warning").count(), 0, "{}", validated.stderr);
        topo(&["apply", "--yes", &file]).expect(0);
        let answer = |port: u16, text: &str| {
            format!(
                "import socket\nw = socket.create_server(('', {port}))\nwhile True:\n c = w.accept()[0]; c.send(b'{text}'); c.close()\n"
            )
        };
        let serve = |node: &str, port: u16, text: &str| {
            let mut command = std::process::Command::new("ip");
            command.args(["netns", "exec", node, "python3", "-c", &answer(port, text)]).spawn().unwrap()
        };
        let mut servers = [serve("SERVER", 80, "server"), serve("FAR", 8080, "far")];
        let listens = |node: &str, port: u16| !sh(&format!("ip netns exec {node} ss -Hltn sport = :{port}")).is_empty();
        assert!(
            sandbox::wait_for(std::time::Duration::from_secs(20), || listens("SERVER", 80) && listens("FAR", 8080)),
            "the servers do not listen"
        );
        let tested = topo(&["test", &file]);
        servers.iter_mut().for_each(|server| drop(server.kill().and_then(|()| server.wait())));
        tested.expect(0);
        assert!(
            sh("ip netns exec R nft list chain inet topo-published nat-prerouting").contains("fib daddr type local")
        );
        topo(&["plan", "--detailed-exitcode", &file]).expect(0);
        let yaml = write("again.yaml", &topo(&["show", "published", "--yaml"]).expect(0).stdout);
        topo(&["plan", "--detailed-exitcode", &yaml]).expect(0);
        // Without the setting it is said what does not work.
        let without =
            write("without.yaml", &PUBLISHED.replace("    sysctls: { net.ipv4.conf.all.route_localnet: 1 }\n", ""));
        topo(&["validate", &without])
            .expect(0)
            .says("dnat-from-localhost")
            .says("add `net.ipv4.conf.all.route_localnet: 1` to its `sysctls`");
        topo(&["destroy", "--yes", "published"]).expect(0);
    });
}
