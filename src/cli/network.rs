//! The network as packets find it: what a topology has, or will have, and what others have in its namespaces.

use crate::dialect::nft_script::table_name;
use crate::flow::ruleset::Ruleset;
use crate::flow::{World, xtables};
use crate::kernel::Error;
use crate::linux::Linux;
use crate::linux::ground::Ground;
use crate::resource::{Node, Resource, ResourceId, State, Sysctl};

/// The network of an observed state, with the rules and settings that everybody has in its namespaces.
///
/// # Errors
///
/// If a namespace cannot be entered, or its rules or settings cannot be read.
pub fn look<'a>(kernel: &Linux, state: &'a State) -> Result<World<'a>, Error> {
    let nodes: Vec<&Node> = state.namespaces().map(|namespace| &namespace.node).collect();
    let grounds = kernel.ground(&nodes)?;
    let mut world = World::new(state);
    world.assumed = false;
    for (node, ground) in nodes.into_iter().zip(grounds) {
        let rules = ruleset(&world, node, &ground);
        world.set_rules(node, rules);
        for (key, value) in ground.settings {
            world.set_setting(node.clone(), key, value);
        }
        world.set_sockets(node, ground.sockets);
    }
    Ok(world)
}

/// An observed state with everything that others have in the namespaces that topo did not make: routes, addresses,
/// interfaces.
///
/// # Errors
///
/// If such a namespace cannot be read.
pub fn with_others(kernel: &Linux, state: State) -> Result<State, Error> {
    let nodes: Vec<&Node> = outside(&state);
    if nodes.is_empty() {
        return Ok(state);
    }
    let around = kernel.around(&state.topology, &nodes)?;
    Ok(joined(state, &around.state))
}

/// A state with what it does not have and `others` has.
pub fn joined(mut state: State, others: &State) -> State {
    for (id, item) in &others.items {
        state.items.entry(id.clone()).or_insert_with(|| item.clone());
    }
    state
}

/// The nodes of a state that topo does not make.
pub fn outside(state: &State) -> Vec<&Node> {
    state.namespaces().map(|namespace| &namespace.node).filter(|node| !state.is_made(node)).collect()
}

/// The network of a state that is only wanted in part: in the namespaces `there`, which topo does not make, others have
/// rules and settings, and will go on to have them.
///
/// # Errors
///
/// If a namespace cannot be entered, or its rules or settings cannot be read.
pub fn planned<'a>(kernel: &Linux, state: &'a State, there: &[&'a Node]) -> Result<World<'a>, Error> {
    let mut world = World::new(state);
    world.assumed = false;
    let mut bridged = false;
    for (node, ground) in there.iter().copied().zip(kernel.ground(there)?) {
        let mut rules = ruleset(&world, node, &ground);
        for resource in state.resources() {
            match resource {
                Resource::Insert(insert) if insert.node == *node => rules.add_insert(insert),
                _ => {}
            }
        }
        world.set_rules(node, rules);
        bridged |= ground.settings.iter().any(|(key, _)| key.starts_with(BRIDGES));
        for (key, value) in settings(state, node, &ground) {
            world.set_setting(node.clone(), key, value);
        }
    }
    // Where the module is loaded, each new namespace begins with it switched on (`brnf_init_net`).
    for namespace in state.namespaces().filter(|_| bridged).filter(|namespace| state.is_made(&namespace.node)) {
        for word in ["iptables", "ip6tables"] {
            world.set_setting(namespace.node.clone(), format!("{BRIDGES}{word}"), "1".to_owned());
        }
    }
    Ok(world)
}

const BRIDGES: &str = "net/bridge/bridge-nf-call-";

/// The rules of a node: what the state has, and what others have there.
fn ruleset(world: &World<'_>, node: &Node, ground: &Ground) -> Ruleset {
    let own = table_name(&world.state.topology);
    let mut rules = world.rules(node).cloned().unwrap_or_default();
    match ground.ruleset.as_deref().map(serde_json::from_str) {
        None => {}
        Some(Ok(listing)) => {
            let saved: Vec<_> = ground.saved.iter().map(|(family, text)| (*family, xtables::read(text))).collect();
            rules.add_listing(&listing, &own, &saved);
        }
        Some(Err(error)) => rules.unread = Some(format!("the listing of nft cannot be read: {error}")),
    }
    if ground.legacy {
        rules.unread = Some("rules of iptables-legacy are there, which nft does not list".to_owned());
    }
    rules
}

/// The settings of a node as they will be: what the state has goes before what is there, a switch for all interfaces
/// before that of each, and a new interface begins with the default.
fn settings(state: &State, node: &Node, ground: &Ground) -> Vec<(String, String)> {
    let wanted = |key: &str| state.get(&ResourceId::Sysctl(node.clone(), key.to_owned())).is_some();
    let switched = wanted(Sysctl::FORWARDING_V4);
    let of_each = |key: &str| key.starts_with("net/ipv4/conf/") && key.ends_with("/forwarding");
    let kept = ground.settings.iter().filter(|(key, _)| !(wanted(key) || switched && of_each(key)));
    let mut settings: Vec<(String, String)> = kept.cloned().collect();
    let default = ground.settings.iter().find(|(key, _)| key == "net/ipv4/conf/default/forwarding");
    if let Some((_, value)) = default.filter(|_| !switched) {
        let keys = state.links_of(node).map(|link| format!("net/ipv4/conf/{}/forwarding", link.id.name));
        let new = keys.filter(|key| !wanted(key) && ground.settings.iter().all(|(there, _)| there != key));
        settings.extend(new.map(|key| (key, value.clone())).collect::<Vec<_>>());
    }
    settings
}
