//! What topo 0.1 left behind is read by this one: its record, its way back. The files of `tests/upgrade/` are those
//! that 0.1.0 wrote for `second.yaml`, applied after `first.yaml`, with the numbers that are another on each machine
//! left open.

#![allow(clippy::disallowed_methods, reason = "a test makes files")]

use crate::sandbox;

use sandbox::{sh, topo};

const RECORD: &str = "/run/topo/lab/record.json";
const MACHINE: &str = "ip link add up0 type veth peer name up1; ip link set up0 up; ip link set up1 up
    ip link add lent0 address 02:00:00:00:00:77 type veth peer name lent1; ip netns add other";

fn file(name: &str) -> String {
    sandbox::in_repository(&format!("tests/upgrade/{name}"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The sum that is kept beside a record (FNV-1a, 64 bits).
fn sum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A record as topo writes it.
fn with_sum(record: &str) -> String {
    format!("{{\"version\":1,\"sum\":{},\"record\":{record}}}", sum(record))
}

/// The record in a file, without what stands around it.
fn inner(text: &str) -> &str {
    text.split_once("\"record\":").unwrap().1.trim_end().strip_suffix('}').unwrap()
}

/// A machine with a lab whose record and way back are those of 0.1. Answers with the record.
fn applied_by_the_old_one() -> String {
    for name in ["first.yaml", "second.yaml"] {
        topo(&["apply", "-q", "--yes", &file(name)]).expect(0);
    }
    let now: serde_json::Value = serde_json::from_str(&read(RECORD)).unwrap();
    let number = |value: &serde_json::Value| value.as_u64().unwrap().to_string();
    let filled = |name: &str| {
        let text = read(&file(name)).replace("COOKIE-HOST", &number(&now["record"]["host_cookie"]));
        let text = text.replace("COOKIE-BLUE", &number(&now["record"]["namespaces"]["BLUE"]));
        text.replace("COOKIE-RED", &number(&now["record"]["namespaces"]["RED"]))
    };
    sh("rm /run/topo/lab/*");
    let record = inner(&filled("record.json")).to_owned();
    std::fs::write(RECORD, with_sum(&record)).unwrap();
    std::fs::write("/run/topo/lab/apply-2.json", filled("apply-2.json")).unwrap();
    sh("chmod 600 /run/topo/lab/*");
    record
}

#[test]
fn a_lab_of_the_old_topo_is_planned_undone_and_destroyed() {
    sandbox::run("a_lab_of_the_old_topo_is_planned_undone_and_destroyed", || {
        sh(MACHINE);
        std::thread::sleep(std::time::Duration::from_secs(2));
        let clean = sandbox::snapshot();
        applied_by_the_old_one();
        topo(&["list"]).expect(0).says("unknown").says("what was last wanted is not known");
        let said = topo(&["plan", "--detailed-exitcode", &file("second.yaml")]).expect(0).stderr;
        assert!(!said.contains("record"), "{said}");
        topo(&["undo", "--yes"]).expect(0).says("topo 0.1.0 made the apply that is undone").says("Undone: lab");
        assert!(
            sh("ip link show up0; ip -n BLUE route").contains("mtu 1400")
                && sh("ip -n BLUE route").contains("10.5.0.0/16")
        );
        topo(&["plan", "--detailed-exitcode", &file("first.yaml")]).expect(0);
        topo(&["apply", "--yes", &file("second.yaml")]).expect(0);
        topo(&["list"]).expect(0).says("ok");
        assert_eq!(topo(&["destroy", "--yes", "lab"]).expect(0).stderr, "");
        sandbox::assert_snapshot(&clean);
    });
}

#[test]
fn a_lab_of_the_old_topo_is_destroyed_at_once() {
    sandbox::run("a_lab_of_the_old_topo_is_destroyed_at_once", || {
        sh(MACHINE);
        std::thread::sleep(std::time::Duration::from_secs(2));
        let clean = sandbox::snapshot();
        applied_by_the_old_one();
        assert_eq!(topo(&["destroy", "--yes", "lab"]).expect(0).stderr, "");
        sandbox::assert_snapshot(&clean);
    });
}

/// One thing in a record that is written in a way that is not known costs that thing, and not the record.
#[test]
fn what_cannot_be_read_is_dropped_with_a_word() {
    sandbox::run("what_cannot_be_read_is_dropped_with_a_word", || {
        sh(MACHINE);
        let record = applied_by_the_old_one();
        let strange = record.replacen(
            "{\"Sysctl\":{\"node\":\"host\",\"key\":\"net/ipv4/conf/up1/forwarding\"",
            "{\"Knob\":{\"node\":\"host\",\"key\":\"x\"",
            1,
        );
        assert_ne!(record, strange);
        std::fs::write(RECORD, with_sum(&strange)).unwrap();
        topo(&["plan", &file("second.yaml")])
            .expect(0)
            .says("was written by another topo: 1 thing in it cannot be read");
        topo(&["destroy", "--yes", "lab"]).expect(0).says("will not come back");
        sh("test ! -e /run/netns/RED && test ! -e /run/topo && test $(cat /proc/sys/net/ipv4/ip_forward) = 0");
        // An apply that cannot be read is not undone, and says why.
        applied_by_the_old_one();
        sh("sed -i 's/\"target\":/\"aim\":/' /run/topo/lab/apply-2.json");
        topo(&["undo", "--yes"]).expect(1).says("it was made by topo 0.1.0").says("apply the file of before");
        topo(&["destroy", "--yes", "lab"]).expect(0);
    });
}

#[test]
fn a_saved_plan_of_the_old_topo_is_refused() {
    sandbox::run("a_saved_plan_of_the_old_topo_is_refused", || {
        sh(MACHINE);
        topo(&["plan", "--out", "/run/lock/lab.plan", &file("first.yaml")]).expect(0);
        let version = env!("CARGO_PKG_VERSION");
        sh(&format!("sed -i 's/\"made_by\":\"{version}\"/\"made_by\":\"0.1.0\"/' /run/lock/lab.plan"));
        topo(&["apply", "/run/lock/lab.plan"])
            .expect(65)
            .says("was made by topo 0.1.0")
            .says("make it again with topo plan --out");
        // One of which not even the rest can be read.
        sh("echo '{\"topo_plan\":1,\"made_by\":\"0.1.0\",\"plans\":[{\"plan\":7}]}' >/run/lock/old.plan");
        topo(&["apply", "/run/lock/old.plan"])
            .expect(65)
            .says("was made by topo 0.1.0")
            .says("make it again with topo plan --out");
        sh("test ! -e /run/netns/RED");
    });
}
