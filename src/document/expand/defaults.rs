//! `defaults`: what nodes and interfaces that the file makes do not say themselves.

use crate::document::Finding;
use crate::document::schema::defaults::{common, options_of};
use crate::document::schema::interface::KindKey;
use crate::document::yaml::limits::MAX_EXPANDED;
use crate::document::yaml::tree::{Data, Yaml};
use std::collections::HashMap;

type Pair<'a> = (Yaml<'a>, Yaml<'a>);

/// The defaults of a file, by what they are for.
struct Defaults<'a> {
    nodes: Option<Yaml<'a>>,
    host: Option<Yaml<'a>>,
    interfaces: Option<Yaml<'a>>,
    kinds: HashMap<&'static str, OfKind<'a>>,
    /// How many values may still be made.
    left: u64,
}

/// What interfaces of one kind have.
struct OfKind<'a> {
    /// Keys of all interfaces.
    common: Yaml<'a>,
    /// Options of the kind.
    options: Yaml<'a>,
}

/// Puts the defaults of a file where nothing else is said.
///
/// # Errors
///
/// If the file becomes too large.
pub fn apply(root: &mut Yaml<'_>) -> Result<(), Box<Finding>> {
    let Some(written) = root.get("defaults").filter(|written| !written.pairs().is_empty()) else { return Ok(()) };
    let place = written.place;
    let of = |key: &str| written.get(key).cloned().map(share);
    let kinds = KindKey::KEYS.iter().filter_map(|kind| Some((*kind, OfKind::of(kind, written.get(kind)?))));
    let mut defaults = Defaults {
        nodes: of("namespaces"),
        host: of("host"),
        interfaces: written.get("interfaces").map(|interfaces| map(interfaces, all(interfaces))),
        kinds: kinds.collect(),
        left: MAX_EXPANDED,
    };
    let Data::Map(sections) = root.data_mut() else { return Ok(()) };
    for (key, section) in sections {
        match key.text() {
            "host" => defaults.node(section, true),
            "namespaces" => {
                if let (false, Data::Map(nodes)) = (section.is_null(), section.data_mut()) {
                    nodes.iter_mut().for_each(|(_, node)| defaults.node(node, false));
                }
            }
            _ => {}
        }
    }
    if defaults.left == 0 {
        let message = format!("with its defaults the file has more than {MAX_EXPANDED} values");
        return Err(Box::new(
            Finding::error("too-many-objects", place, message).help("shorten the defaults, or the ranges"),
        ));
    }
    Ok(())
}

impl<'a> OfKind<'a> {
    fn of(kind: &str, written: &Yaml<'a>) -> Self {
        let options = options_of(kind);
        let own = |pair: &Pair<'a>| options.contains(&pair.0.text());
        let mut common = all(written);
        common.retain(|pair| !own(pair));
        let own = written.pairs().iter().filter(|pair| own(pair)).cloned().collect();
        Self { common: map(written, common), options: map(written, own) }
    }
}

fn map<'a>(written: &Yaml<'a>, pairs: Vec<Pair<'a>>) -> Yaml<'a> {
    share(Yaml::made(Data::Map(pairs), written.place, written.end))
}

/// Those of the keys that all interfaces have; others are reported where the defaults are read.
fn all<'a>(written: &Yaml<'a>) -> Vec<Pair<'a>> {
    let keys = common();
    written.pairs().iter().filter(|(key, _)| keys.contains(&key.text())).cloned().collect()
}

impl<'a> Defaults<'a> {
    fn node(&mut self, node: &mut Yaml<'a>, host: bool) {
        let own = if host { self.host.clone() } else { self.nodes.clone() };
        if let Some(own) = own.filter(|_| host || node.get("existing").is_none()) {
            self.join(node, &own);
        }
        if self.interfaces.is_none() && self.kinds.is_empty() || node.get("interfaces").is_none() {
            return;
        }
        let Data::Map(pairs) = node.data_mut() else { return };
        for (_, interfaces) in pairs.iter_mut().filter(|(key, _)| key.text() == "interfaces") {
            if interfaces.is_null() {
                continue;
            }
            let Data::Map(interfaces) = interfaces.data_mut() else { continue };
            for (_, interface) in interfaces.iter_mut().filter(|(name, _)| name.text() != "lo") {
                self.interface(interface);
            }
        }
    }

    /// An interface, unless it is there without the file. One without a kind is the other end of a veth pair.
    fn interface(&mut self, interface: &mut Yaml<'a>) {
        let key = interface.pairs().iter().find_map(|(key, _)| KindKey::KEYS.iter().find(|kind| **kind == key.text()));
        let kind = key.copied().unwrap_or("veth");
        if kind == "existing" || !(interface.is_null() || matches!(interface.data(), Data::Map(_))) {
            return;
        }
        let of_kind = self.kinds.get(kind).map(|of| (of.common.clone(), of.options.clone()));
        // What the kind says comes before what all interfaces have.
        let mut together = of_kind.as_ref().map(|(common, _)| common.clone());
        match (&mut together, self.interfaces.clone()) {
            (Some(together), Some(all)) => self.join(together, &all),
            (none @ None, all) => *none = all,
            (Some(_), None) => {}
        }
        if let Some((_, options)) = of_kind.filter(|(_, options)| !options.pairs().is_empty())
            && let Some(own) = pair_mut(interface, kind).filter(|own| matches!(own.data(), Data::Map(_)))
        {
            self.join(own, &options);
        }
        if let Some(together) = together {
            self.join(interface, &together);
        }
    }

    /// Puts in what `entry` does not say: maps are joined, lists and single values stay. `KEY: null` takes a default
    /// away.
    fn join(&mut self, entry: &mut Yaml<'a>, defaults: &Yaml<'a>) {
        if entry.is_null() {
            *entry.data_mut() = Data::Map(Vec::new());
        }
        let Data::Map(pairs) = entry.data_mut() else { return };
        for (key, default) in defaults.pairs() {
            match pairs.iter().position(|(own, _)| own.text() == key.text()) {
                None => {
                    self.left = self.left.saturating_sub(size(default) + 1);
                    if self.left > 0 {
                        pairs.push((key.clone(), default.clone()));
                    }
                }
                Some(at) if pairs.get(at).is_some_and(|(_, own)| own.is_null()) => _ = pairs.remove(at),
                Some(at) => {
                    if let (Some((_, own)), Data::Map(_)) = (pairs.get_mut(at), default.data()) {
                        self.join(own, default);
                    }
                }
            }
        }
    }
}

fn pair_mut<'y, 'a>(yaml: &'y mut Yaml<'a>, key: &str) -> Option<&'y mut Yaml<'a>> {
    let Data::Map(pairs) = yaml.data_mut() else { return None };
    pairs.iter_mut().find(|(name, _)| name.text() == key).map(|(_, value)| value)
}

/// How many values there are in one.
fn size(yaml: &Yaml<'_>) -> u64 {
    match yaml.data() {
        Data::Map(pairs) => 1 + pairs.iter().map(|(key, value)| size(key) + size(value)).sum::<u64>(),
        Data::List(items) => 1 + items.iter().map(size).sum::<u64>(),
        _ => 1,
    }
}

/// The same, of which copies share all that is in it.
fn share(mut yaml: Yaml<'_>) -> Yaml<'_> {
    if let Data::Map(pairs) = yaml.data_mut() {
        let shared = std::mem::take(pairs).into_iter().map(|(key, value)| (key, share(value))).collect();
        *pairs = shared;
    }
    yaml.shared()
}
