//! Ports as a user writes them: listed at the bridge, bond or VRF that they are ports of.

use super::tree::Yaml;

/// The kinds that list their ports.
const LISTS: [&str; 3] = ["bridge", "bond", "vrf"];

/// Moves the ports of a node to what they are ports of, where the file makes that. The end of a pair that then has
/// nothing more to say goes without saying.
pub(super) fn gather(section: &mut Yaml) {
    let Some(Yaml::Map(interfaces)) = section.get_mut("interfaces") else { return };
    let named: Vec<(String, String)> = interfaces
        .iter()
        .filter_map(|(port, entry)| match entry.get("master") {
            Some(Yaml::Text(master)) => Some((master.clone(), port.clone())),
            _ => None,
        })
        .collect();
    for (master, port) in named {
        let Some((_, at)) = interfaces.iter_mut().find(|(name, _)| *name == master) else { continue };
        let Some(options) = LISTS.iter().find_map(|kind| at.keys().contains(kind).then_some(*kind)) else { continue };
        let Some(options) = at.get_mut(options) else { continue };
        match options.get_mut("ports") {
            Some(Yaml::List(ports)) => ports.push(Yaml::of(&port)),
            _ => options.put_first("ports", Yaml::List(vec![Yaml::of(&port)])),
        }
        if let Some((_, entry)) = interfaces.iter_mut().find(|(name, _)| *name == port) {
            entry.remove("master");
        }
        interfaces.retain(|(name, entry)| *name != port || !entry.is_empty());
    }
    if interfaces.is_empty() {
        section.remove("interfaces");
    }
}
