//! The rules, a function and a file each.

mod address_taken;
mod bridge_filter;
mod docker_chain;
mod docker_restart;
mod drifted;
mod firewalld_reload;
mod flow_stops;
mod foreign_filter;
mod forwarding;
mod in_the_way;
mod kernel_feature;
mod let_through;
mod mtu_lower;
mod mtu_path;
mod network_manager;
mod networkd;
mod nft_version;
mod no_listener;
mod old_kernel;
mod rp_filter;
mod rules_unread;
mod subnet_routed;
mod table;
mod turned_off;
mod unmanaged;
mod user_namespaces;

pub(super) use table::ALL;
