//! The network as packets find it: what a topology has, and what others have in its namespaces.

use crate::dialect::nft_script::table_name;
use crate::flow::packet::Protocol;
use crate::flow::{World, xtables};
use crate::kernel::Error;
use crate::linux::{Linux, ground};
use crate::resource::{Node, State};

/// The network of an observed state, with the rules and settings that everybody has in its namespaces.
///
/// # Errors
///
/// If a namespace cannot be entered, or its rules or settings cannot be read.
pub fn look<'a>(kernel: &Linux, state: &'a State) -> Result<World<'a>, Error> {
    let nodes: Vec<&Node> = state.namespaces().map(|namespace| &namespace.node).collect();
    let grounds = kernel.ground(&nodes)?;
    let own = table_name(&state.topology);
    let mut world = World::new(state);
    world.assumed = false;
    for (node, ground) in nodes.into_iter().zip(grounds) {
        for (key, value) in ground.settings {
            world.set_setting(node.clone(), key, value);
        }
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
        world.set_rules(node, rules);
        let carried = |protocol| if protocol == ground::Protocol::Tcp { Protocol::Tcp } else { Protocol::Udp };
        let sockets = ground.sockets.into_iter().map(|(protocol, address, port)| (carried(protocol), address, port));
        world.set_sockets(node, sockets.collect());
    }
    Ok(world)
}
