//! The harness itself: a test runs on a kernel that has what it needs, this machine's or the lane's (`tests/kernel-lane`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods, reason = "a test fails by panicking")]

mod sandbox;

use sandbox::{is_in_lane, run_in_lane, run_needing, sh};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn what_every_kernel_has_runs_here() {
    run_needing("what_every_kernel_has_runs_here", &["veth", "bridge", "macvlan"], || {
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
            ip link set v0.7 up; ip -n far link set v1.7 up
            ping -q -c 2 -i 0.2 10.0.0.2");
    });
}

#[test]
fn forced() {
    run_in_lane("forced", &["netem"], MINUTE, || {
        assert!(is_in_lane());
    });
}
