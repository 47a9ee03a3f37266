//! The harness itself: a test runs on a kernel that has what it needs, this machine's or the lane's
//! (`tests/kernel-lane`). And topo on the lane's kernel.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use crate::sandbox;

use sandbox::{
    Options, assert_snapshot_with, in_repository, is_in_lane, is_inside, lane_sh, quiet, run_in_lane, run_needing, sh,
    topo, try_sh,
};
use std::panic::catch_unwind;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// Held by those for whom it matters that nobody else crashes the lane.
static BOOTS: Mutex<()> = Mutex::new(());

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

fn here() -> String {
    std::fs::read_to_string(BOOT_ID).unwrap().trim().to_owned()
}

/// What a test says when it fails.
fn failure(test: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let thrown = catch_unwind(test).expect_err("this test should fail");
    thrown
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| thrown.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .expect("a text")
}

/// For a test that does more with the lane than run in it: whether a person wants no lane, which is said.
fn left_out(name: &str) -> bool {
    let left_out = !is_inside(name) && std::env::var_os("TOPO_LANE").is_some();
    if left_out {
        run_in_lane(name, &[], MINUTE, || {});
    }
    left_out
}

/// This test binary again, for one test, with one more variable: whether it passed, and its output.
fn again(test: &str, key: &str, value: &str) -> (bool, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("lane::{test}")])
        .env(key, value)
        .output()
        .unwrap();
    (
        output.status.success(),
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
    )
}

#[test]
fn what_this_kernel_has_runs_here() {
    run_needing("what_this_kernel_has_runs_here", &["veth", "bridge"], || {
        assert!(!is_in_lane());
    });
}

#[test]
fn vlan_carries_pings() {
    run_needing("vlan_carries_pings", &["vlan"], || {
        sh("ip netns add far
            ip link add v0 type veth peer name v1 netns far
            ip link set v0 up; ip -n far link set v1 up
            ip link add v0.7 link v0 type vlan id 7; ip -n far link add v1.7 link v1 type vlan id 7
            ip addr add 10.0.0.1/24 dev v0.7; ip -n far addr add 10.0.0.2/24 dev v1.7
            ip link set v0.7 up
            ! ping -q -c 1 -W 1 10.0.0.2
            ip -n far link set v1.7 up
            ping -q -c 3 -i 0.2 10.0.0.2");
    });
}

#[test]
fn netem_delays() {
    run_needing("netem_delays", &["netem"], || {
        sh("ip netns add far
            ip link add v0 type veth peer name v1 netns far
            ip addr add 10.0.0.1/24 dev v0; ip -n far addr add 10.0.0.2/24 dev v1
            ip link set v0 up; ip -n far link set v1 up
            ping -q -c 1 10.0.0.2; tc qdisc add dev v0 root netem delay 60ms");
        let answer = sh("ping -n -c 1 10.0.0.2");
        let took: f64 =
            answer.split("time=").nth(1).and_then(|rest| rest.split(' ').next()).expect("a time").parse().unwrap();
        assert!(took >= 60.0, "{answer}");
    });
}

/// The lane's kernel, not this machine's; and the features were not taken from a table.
#[test]
fn the_lane_is_another_kernel() {
    let name = "the_lane_is_another_kernel";
    if left_out(name) {
        return;
    }
    if !is_inside(name) {
        assert_ne!(lane_sh(&format!("cat {BOOT_ID}")).expect(0).stdout.trim(), here());
    }
    run_in_lane(name, &["vlan", "vrf", "bond", "wireguard", "netem", "bridge_vlan_filtering"], MINUTE, || {
        assert!(is_in_lane());
        sh("ip link add red type vrf table 100; ip link set red up; ip -d link show red | grep 'vrf table 100'");
    });
}

/// Two tests see one boot; each has a sandbox of its own.
#[test]
fn one_boot_serves_many() {
    let name = "one_boot_serves_many";
    let test = || {
        run_in_lane(name, &[], MINUTE, || {
            assert_eq!(sh("ip -o link show type veth"), "", "what another test left");
            sh(&format!("ip link add left0 type veth peer name left1; cat {BOOT_ID} >>/tmp/boots; ip link show left0"));
        });
    };
    if left_out(name) {
        return;
    }
    if is_inside(name) {
        return test();
    }
    let _alone = BOOTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    test();
    test();
    let boots = lane_sh("cat /tmp/boots").expect(0).stdout;
    let [first, second] = boots.lines().collect::<Vec<_>>()[..] else { panic!("{boots}") };
    assert_eq!(first, second);
    // The machine's own files are out of reach.
    assert!(!std::path::Path::new("/tmp/boots").exists());
}

/// A kernel that crashes under one test fails that test, with what the kernel said, and no other.
#[test]
fn a_crash_fails_one_test() {
    let name = "a_crash_fails_one_test";
    if is_inside(name) {
        std::fs::write("/proc/sysrq-trigger", "c").unwrap();
    }
    if left_out(name) {
        return;
    }
    let _alone = BOOTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let said = failure(|| run_in_lane(name, &[], MINUTE, || {}));
    assert!(said.contains(name) && said.contains("sysrq triggered crash"), "{said}");
    lane_sh("true").expect(0);
}

#[test]
fn a_failure_in_the_lane_is_a_failure() {
    let name = "a_failure_in_the_lane_is_a_failure";
    assert!(!is_inside(name), "on purpose");
    if left_out(name) {
        return;
    }
    let said = failure(|| run_in_lane(name, &[], MINUTE, || {}));
    assert!(said.contains(name) && said.contains("failed in its sandbox (exit Some(101))"), "{said}");
    let said = failure(|| run_in_lane("no_such_test", &[], MINUTE, || {}));
    assert!(said.contains("no test is called \"no_such_test\""), "{said}");
}

#[test]
fn a_lane_that_does_not_boot_fails_by_name() {
    if left_out("a_lane_that_does_not_boot_fails_by_name") {
        return;
    }
    let (passed, output) = again("topo_on_the_lanes_kernel", "KERNEL_LANE_CPU", "no-such-processor");
    assert!(
        !passed
            && output.contains("topo_on_the_lanes_kernel needs the lane")
            && output.contains("unable to find CPU model"),
        "{output}"
    );
}

#[test]
fn leaving_out_is_said() {
    let (passed, output) = again("topo_on_the_lanes_kernel", "TOPO_LANE", "never");
    assert!(passed && output.contains("left out: topo_on_the_lanes_kernel (TOPO_LANE=never): "), "{output}");
    let (passed, output) = again("topo_on_the_lanes_kernel", "TOPO_LANE", "nevr");
    assert!(!passed && output.contains("TOPO_LANE is \"nevr\""), "{output}");
}

#[test]
fn unknown_features_fail() {
    let said = failure(|| run_needing("unknown_features_fail", &["veth", "vlam"], || {}));
    assert!(said.contains("no feature of a kernel is called \"vlam\"") && said.contains("vlan, qinq"), "{said}");
}

/// Labs that every kernel can do, on one that is older than most machines' and built by a distribution.
#[test]
fn topo_on_the_lanes_kernel() {
    run_in_lane("topo_on_the_lanes_kernel", &[], MINUTE, || {
        assert!(is_in_lane());
        let options = Options { handles: true, indexes: true, addresses: true, ..Options::default() };
        let before = quiet(&options);
        for lab in ["two-namespaces", "bridge", "nat"] {
            let file = in_repository(&format!("topologies/{lab}.yaml"));
            topo(&["apply", "--yes", &file]).expect(0);
            topo(&["plan", "--detailed-exitcode", &file]).expect(0);
            topo(&["destroy", "--yes", &file]).expect(0);
            assert_snapshot_with(&before, &options);
        }
        assert_eq!(try_sh("ls /run/netns").stdout, "");
    });
}
