//! All rules.

use super::{
    address_taken, bridge_filter, docker_chain, docker_restart, drifted, firewalld_reload, flow_stops, foreign_filter,
    forwarding, in_the_way, kernel_feature, mtu_lower, mtu_path, network_manager, networkd, nft_version, no_listener,
    old_kernel, rp_filter, rules_unread, subnet_routed, turned_off, user_namespaces,
};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;

/// A rule: what it finds.
pub(crate) type Rule = fn(&Examined<'_>) -> Vec<Finding>;

/// All of them, in the order of the codes.
pub(crate) const ALL: &[Rule] = &[
    in_the_way::find,
    kernel_feature::find,
    bridge_filter::find,
    foreign_filter::find,
    forwarding::find,
    rp_filter::find,
    flow_stops::find,
    no_listener::find,
    mtu_path::find,
    mtu_lower::find,
    subnet_routed::find,
    address_taken::find,
    turned_off::find,
    drifted::find,
    rules_unread::find,
    network_manager::find,
    networkd::find,
    firewalld_reload::find,
    docker_chain::find,
    docker_restart::find,
    user_namespaces::find,
    old_kernel::find,
    nft_version::find,
];
