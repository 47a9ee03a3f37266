//! What nodes have learned and counted, beside `ip neigh`, `bridge fdb`, `ip -s link` and `conntrack`.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{ip_json, sh, topo, topo_path, try_sh, wait_for, write};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Two hosts on a bridge, a router with NAT behind it, and a pair to the host.
const LAB: &str = "\
name: lab
namespaces:
  SW:
    interfaces:
      br0: { bridge: { ports: [p1, p2, p3], stp: false } }
      p1: { veth: A/eth0, fdb: [{ mac: \"02:00:00:00:00:77\" }] }
      p2: { veth: B/eth0 }
      p3: { veth: R/eth0 }
  A:
    interfaces:
      eth0: { addresses: [10.0.0.1/24, \"2001:db8::1/64\"], ipv6: { dad: false } }
    routes: [{ to: default, via: 10.0.0.9 }]
    neighbors: [{ address: 10.0.0.77, mac: \"02:00:00:00:00:77\", dev: eth0 }]
  B:
    interfaces:
      eth0: { addresses: [10.0.0.2/24, \"2001:db8::2/64\"], ipv6: { dad: false } }
  R:
    forwarding: true
    interfaces:
      eth0: { addresses: [10.0.0.9/24] }
      eth1: { veth: OUT/eth0, addresses: [192.0.2.1/24] }
    nat: [{ masquerade: { source: 10.0.0.0/24, out: eth1 } }]
  OUT:
    interfaces:
      eth0: { addresses: [192.0.2.7/24] }
host:
  interfaces:
    lab0: { veth: B/up0, addresses: [10.5.0.1/24] }
";

fn shown(arguments: &[&str]) -> Value {
    let output = topo(&[&["show", "--json"], arguments].concat()).expect(0);
    let schema: Value = serde_json::from_str(&topo(&["schema", "state"]).expect(0).stdout).unwrap();
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
    value["topologies"][0].clone()
}

/// Those of one node, each without it.
fn of<'a>(value: &'a Value, what: &str, node: &'a str) -> Vec<Value> {
    let list = value[what].as_array().unwrap_or_else(|| panic!("no {what}: {value:#}"));
    let mut found: Vec<Value> = list.iter().filter(|it| it["node"] == node).cloned().collect();
    found.iter_mut().for_each(|it| _ = it.as_object_mut().unwrap().remove("node"));
    found
}

fn sorted(mut values: Vec<Value>) -> Vec<Value> {
    values.sort_by_key(ToString::to_string);
    values
}

fn pinged() {
    sh(
        "ip netns exec A ping -qc1 -W2 10.0.0.2; ip netns exec A ping -qc1 -W2 2001:db8::2; ip netns exec A ping -qc1 -W2 192.0.2.7",
    );
    try_sh("ip netns exec A ping -qc1 -W1 10.0.0.55");
}

#[test]
fn neighbors_are_those_of_ip_neigh() {
    sandbox::run("neighbors_are_those_of_ip_neigh", || {
        topo(&["apply", "--yes", &write("lab.yaml", LAB)]).expect(0);
        pinged();
        // The states of neighbours change by themselves: looked at until both say the same.
        let mut seen = (Vec::new(), Vec::new());
        let same = wait_for(Duration::from_secs(10), || {
            let value = shown(&["lab", "--neighbors"]);
            seen = (Vec::new(), Vec::new());
            for node in ["A", "B", "R"] {
                seen.0.extend(sorted(of(&value, "neighbors", node)));
                let theirs = ip_json(&format!("-n {node} neigh show"));
                let theirs = theirs.as_array().unwrap().iter().map(|it| {
                    json!({
                        "interface": it["dev"],
                        "address": it["dst"],
                        "mac": it["lladdr"],
                        "state": it["state"][0].as_str().unwrap().to_lowercase(),
                        "router": it.get("router").is_some(),
                    })
                });
                seen.1.extend(sorted(theirs.collect()));
            }
            seen.0 == seen.1 && seen.0.iter().any(|it| it["state"] == "failed")
        });
        assert!(same, "{seen:#?}");
        let has = |address: &str, state: &str| {
            seen.0
                .iter()
                .any(|it| it["address"] == address && it["state"].as_str().is_some_and(|it| it.contains(state)))
        };
        assert!(has("10.0.0.77", "permanent") && has("10.0.0.55", "failed") && has("2001:db8::2", ""), "{seen:#?}");
    });
}

#[test]
fn forwarding_entries_are_those_of_bridge_fdb() {
    sandbox::run("forwarding_entries_are_those_of_bridge_fdb", || {
        topo(&["apply", "--yes", &write("lab.yaml", LAB)]).expect(0);
        pinged();
        let value = shown(&["lab/SW", "--fdb"]);
        let theirs: Value = serde_json::from_str(&sh("bridge -n SW -j fdb show")).unwrap();
        let group = |mac: &Value| u8::from_str_radix(&mac.as_str().unwrap()[..2], 16).unwrap() & 1 == 1;
        let theirs = theirs.as_array().unwrap().iter().filter(|it| !group(&it["mac"])).map(|it| {
            let state = it["state"].as_str().filter(|state| !state.is_empty()).unwrap_or("learned");
            json!({
                "interface": it["ifname"],
                "mac": it["mac"],
                "vlan": it["vlan"],
                "master": it["master"],
                "dst": it["dst"],
                "state": state,
            })
        });
        let ours = sorted(of(&value, "fdb", "SW"));
        assert_eq!(ours, sorted(theirs.collect()));
        for state in ["learned", "static", "permanent"] {
            assert!(ours.iter().any(|it| it["state"] == state), "{state}: {ours:#?}");
        }
        assert!(value["fdb"].as_array().unwrap().iter().all(|it| it["node"] == "SW"), "{value:#}");
    });
}

#[test]
fn counters_are_those_of_ip_link() {
    sandbox::run("counters_are_those_of_ip_link", || {
        topo(&["apply", "--yes", &write("lab.yaml", LAB)]).expect(0);
        pinged();
        let mut seen = (Vec::new(), Vec::new());
        // A late packet of IPv6 may come between two looks.
        let same = wait_for(Duration::from_secs(10), || {
            let value = shown(&["lab", "--counters"]);
            seen = (Vec::new(), Vec::new());
            for node in ["A", "SW", "OUT"] {
                seen.0.extend(sorted(of(&value, "counters", node)));
                let theirs = ip_json(&format!("-n {node} -s link show"));
                let theirs = theirs.as_array().unwrap().iter().map(|it| {
                    let part = |of: &Value| json!({ "packets": of["packets"], "bytes": of["bytes"], "errors": of["errors"], "dropped": of["dropped"] });
                    json!({ "interface": it["ifname"], "rx": part(&it["stats64"]["rx"]), "tx": part(&it["stats64"]["tx"]) })
                });
                seen.1.extend(sorted(theirs.collect()));
            }
            seen.0 == seen.1
        });
        assert!(same, "{seen:#?}");
        assert!(seen.0.iter().any(|it| it["rx"]["packets"].as_u64().unwrap() > 3), "{:#?}", seen.0);
        // Of the host only what is the topology's.
        let value = shown(&["lab", "--counters"]);
        let host: Vec<Value> = of(&value, "counters", "host").iter().map(|it| it["interface"].clone()).collect();
        assert_eq!(host, ["lab0"]);
        // Text: every number of the JSON stands in a line of its own interface, none wider than the terminal.
        let text = topo(&["show", "lab/A", "--counters"]).expect(0).stdout;
        assert!(text.lines().any(|line| line.contains("eth0") && line.contains(" rx ")), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    });
}

#[test]
fn connections_are_those_that_the_kernel_tracks() {
    sandbox::run("connections_are_those_that_the_kernel_tracks", || {
        topo(&["apply", "--yes", &write("lab.yaml", LAB)]).expect(0);
        pinged();
        let server = "import socket\ns=socket.create_server(('192.0.2.7',8080))\nc,_=s.accept()\nc.recv(9)";
        let client = "import socket,sys\ns=socket.create_connection(('192.0.2.7',8080))\nprint(s.getsockname()[1],flush=True)\nsys.stdin.read(1)";
        let start = |node: &str, program: &str| {
            let mut command = Command::new("ip");
            command.args(["netns", "exec", node, "python3", "-c", program]);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
        };
        let mut server = start("OUT", server);
        assert!(wait_for(Duration::from_secs(10), || sh("ip netns exec OUT ss -ltn").contains(":8080")));
        let mut client = start("A", client);
        let mut port = String::new();
        BufReader::new(client.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
        let port: u16 = port.trim().parse().unwrap();
        let value = shown(&["lab", "--connections"]);
        let tcp: Vec<Value> = of(&value, "connections", "R").into_iter().filter(|it| it["protocol"] == "tcp").collect();
        let [tcp] = tcp.as_slice() else { panic!("{value:#}") };
        assert_eq!(
            (&tcp["state"], &tcp["translated"], &tcp["answered"]),
            (&json!("ESTABLISHED"), &json!(true), &json!(true))
        );
        assert_eq!(
            tcp["original"],
            json!({ "source": "10.0.0.1", "destination": "192.0.2.7", "source_port": port, "destination_port": 8080 })
        );
        assert_eq!((&tcp["reply"]["source"], &tcp["reply"]["destination"]), (&json!("192.0.2.7"), &json!("192.0.2.1")));
        // As the kernel's own list has it.
        let list = sh("ip netns exec R cat /proc/net/nf_conntrack");
        let line = list.lines().find(|line| line.contains(" tcp ")).unwrap_or_else(|| panic!("{list}"));
        for part in ["ESTABLISHED", &format!("sport={port}"), &format!("dport={}", tcp["reply"]["destination_port"])] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert_eq!(of(&value, "connections", "R").len(), list.lines().count(), "{value:#}\n{list}");
        let text = topo(&["show", "lab/R", "--connections"]).expect(0).stdout;
        assert!(text.contains(&format!("10.0.0.1:{port}")) && text.contains("as "), "{text}");
        // A node without any connection.
        assert_eq!(of(&value, "connections", "SW"), Vec::<Value>::new());
        client.stdin.take();
        client.wait().unwrap();
        let _ = server.kill();
        let _ = server.wait();
    });
}

#[test]
fn watch_draws_again_until_it_is_ended() {
    sandbox::run("watch_draws_again_until_it_is_ended", || {
        topo(&["apply", "--yes", &write("lab.yaml", LAB)]).expect(0);
        let watch = |arguments: &[&str]| {
            let mut command = Command::new(topo_path());
            command.arg("show").args(arguments).stdout(Stdio::piped()).spawn().unwrap()
        };
        // A line of JSON each second, in which the counters grow.
        let mut child = watch(&["lab/A", "--counters", "--json", "--watch"]);
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let mut packets = || {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let value: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
            let counters = of(&value["topologies"][0], "counters", "A");
            counters.iter().find(|it| it["interface"] == "eth0").unwrap()["tx"]["packets"].as_u64().unwrap()
        };
        let first = packets();
        sh("ip netns exec A ping -qc3 -i0.01 10.0.0.2");
        packets();
        let third = packets();
        assert!(third >= first + 3, "{first} {third}");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().cast_signed()), nix::sys::signal::Signal::SIGINT)
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        // Text, whose reader goes away.
        let mut child = watch(&["lab/A", "--watch"]);
        let mut some = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut some).unwrap();
        assert!(wait_for(Duration::from_secs(5), || child.try_wait().unwrap().is_some()), "it goes on for no reader");
        // A terminal is cleared, and the topology that goes ends it.
        let log = "/run/lock/typescript";
        let mut child = Command::new("script")
            .args(["-qefc", &format!("{} show lab --watch --color never", topo_path()), log])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let read = || std::fs::read_to_string(log).unwrap_or_default();
        assert!(wait_for(Duration::from_secs(10), || read().matches("\x1b[H\x1b[J").count() > 1), "{:?}", read());
        topo(&["destroy", "--yes", "lab"]).expect(0);
        assert_eq!(child.wait().unwrap().code(), Some(1), "{}", read());
        assert!(read().contains("there is no topology and no node"), "{}", read());
    });
}
