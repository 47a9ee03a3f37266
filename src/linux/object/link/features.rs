//! The offload features of a device, over ethtool's netlink (`include/uapi/linux/ethtool_netlink.h`).

use super::failure::Failure;
use crate::kernel::Error;
use crate::linux::netlink::attributes::{Attributes, Writer};
use crate::linux::netlink::generic::{Answer, Family};
use crate::linux::netlink::socket::Refused;
use crate::linux::netlink::{link, socket};
use crate::linux::netns;
use crate::linux::netns::context::Site;
use crate::linux::netns::places::Places;
use crate::resource::offload::{ALL, Offload, is_on};
use crate::resource::{IfName, Link, LinkId, Node, Options, Value};
use nix::libc;
use std::collections::{BTreeMap, BTreeSet, HashMap};

const NAME: &str = "ethtool";
const VERSION: u8 = 1;
const GET: u8 = 11;
const SET: u8 = 12;

// `ETHTOOL_A_FEATURES_*`.
const HEADER: u16 = 1;
const HARDWARE: u16 = 2;
const WANTED: u16 = 3;
const ACTIVE: u16 = 4;
const NO_CHANGE: u16 = 5;
// `ETHTOOL_A_HEADER_*`, and the flag that a change is acknowledged without telling what it did.
const DEV_INDEX: u16 = 1;
const FLAGS: u16 = 3;
const OMIT_REPLY: u32 = 1 << 1;
// `ETHTOOL_A_BITSET_*`, `ETHTOOL_A_BITSET_BITS_BIT`, `ETHTOOL_A_BITSET_BIT_*`.
const NO_MASK: u16 = 1;
const BITS: u16 = 3;
const BIT: u16 = 1;
const BIT_NAME: u16 = 2;
const BIT_VALUE: u16 = 3;

/// The features of a device, by their names.
#[derive(Default, PartialEq, Eq, Debug)]
struct Features {
    /// Those that it can change.
    changeable: BTreeSet<String>,
    /// Those that it is asked to do.
    wanted: BTreeSet<String>,
    /// Those that it does.
    active: BTreeSet<String>,
}

/// The names of the bits that are on. In a set without a mask all that are listed are.
fn on(set: Attributes<'_>) -> BTreeSet<String> {
    let all = set.get(NO_MASK).is_some();
    let bits = set.inner(BITS).map(|(_, bit)| Attributes(bit));
    bits.filter(|bit| all || bit.get(BIT_VALUE).is_some()).filter_map(|bit| bit.text(BIT_NAME)).collect()
}

fn parse(answer: &Answer) -> Features {
    let [mut changeable, wanted, active, fixed] =
        [HARDWARE, WANTED, ACTIVE, NO_CHANGE].map(|set| on(answer.attributes().inner(set)));
    changeable.retain(|feature| !fixed.contains(feature));
    Features { changeable, wanted, active }
}

impl Features {
    fn changeable(&self, offload: &Offload) -> impl Iterator<Item = &String> {
        self.changeable.iter().filter(|feature| offload.covers(feature))
    }

    /// What the device is asked to do under a name; where it cannot change any of it, whether it does it.
    fn value(&self, offload: &Offload) -> Value {
        let can = self.changeable(offload).count();
        let on: Vec<&str> =
            self.changeable(offload).filter(|feature| self.wanted.contains(*feature)).map(String::as_str).collect();
        match on.len() {
            0 if can == 0 => Value::Bool(self.active.iter().any(|feature| offload.covers(feature))),
            0 => Value::Bool(false),
            some if some == can => Value::Bool(true),
            _ => Value::word(&on.join(" ")),
        }
    }

    /// The features to change for `options`, or the name that the device cannot have so.
    fn changes<'a>(&self, options: &'a Options) -> Result<Vec<(&str, bool)>, (&'a str, &'a Value)> {
        let mut changes = Vec::new();
        for (name, value) in options {
            let offload = Offload::of(name)
                .filter(|offload| self.value(offload) == *value || self.changeable(offload).next().is_some());
            let offload = offload.ok_or((&**name, value))?;
            changes.extend(self.changeable(offload).map(|feature| (feature.as_str(), is_on(value, feature))));
        }
        Ok(changes)
    }

    /// Those of `options` that it has otherwise.
    fn missing<'a>(&self, options: &'a Options) -> Option<(&'a str, &'a Value)> {
        let has = |name: &str, value: &Value| Offload::of(name).is_some_and(|offload| self.value(offload) == *value);
        options.iter().map(|(name, value)| (&**name, value)).find(|(name, value)| !has(name, value))
    }
}

fn get(family: &Family, index: u32) -> Result<Features, Refused> {
    let mut body = family.message(GET);
    body.nest(HEADER, |header| _ = header.u32(DEV_INDEX, index));
    family.get(&body).map(|answer| parse(&answer))
}

/// Writes what is to change; what is not named stays.
fn write_changes(index: u32, changes: &[(&str, bool)], body: &mut Writer) {
    body.nest(HEADER, |header| _ = header.u32(DEV_INDEX, index).u32(FLAGS, OMIT_REPLY));
    body.nest(WANTED, |set| {
        set.nest(BITS, |bits| {
            for (feature, on) in changes {
                bits.nest(BIT, |bit| {
                    bit.text(BIT_NAME, feature);
                    if *on {
                        bit.put(BIT_VALUE, &[]);
                    }
                });
            }
        });
    });
}

/// What the links of the calling thread's namespace with these numbers are asked to do, of what is asked of each. One
/// that went meanwhile is left out.
///
/// # Errors
///
/// If the kernel has no ethtool over netlink (before 5.6), or refuses.
pub fn read<'a>(links: impl IntoIterator<Item = (u32, &'a BTreeSet<&'a str>)>) -> Result<HashMap<u32, Options>, Error> {
    let mut links = links.into_iter().peekable();
    let mut seen = HashMap::new();
    if links.peek().is_none() {
        return Ok(seen);
    }
    let family = Family::open(NAME, VERSION)?;
    for (index, names) in links {
        match get(&family, index) {
            Ok(features) => {
                let asked = ALL.iter().filter(|offload| names.contains(offload.name));
                seen.insert(index, asked.map(|offload| (offload.name.into(), features.value(offload))).collect());
            }
            Err(refused) if refused.errno == libc::ENODEV => {}
            Err(refused) => return Err(refused.error("read the offload features of an interface")),
        }
    }
    Ok(seen)
}

/// What links have right now, of each everything.
///
/// # Errors
///
/// If there is no such link, or the kernel has no ethtool over netlink (before 5.6).
pub fn values(which: &[LinkId], places: &Places) -> Result<Vec<Options>, Error> {
    let mut by_node: BTreeMap<&Node, Vec<&IfName>> = BTreeMap::new();
    for link in which {
        by_node.entry(&link.node).or_default().push(&link.name);
    }
    let jobs = by_node.iter().map(|(node, names)| netns::job(places.of(node), move || here(names)));
    let answers = netns::run(netns::READERS, jobs.collect());
    let mut values: HashMap<(&Node, &IfName), Options> = HashMap::new();
    for ((node, names), answer) in by_node.iter().zip(answers) {
        values.extend(names.iter().map(|name| (*node, *name)).zip(answer??));
    }
    Ok(which.iter().map(|link| values.remove(&(&link.node, &link.name)).unwrap_or_default()).collect())
}

fn here(names: &[&IfName]) -> Result<Vec<Options>, Error> {
    let socket = socket::Socket::open()?;
    let find = |name: &&IfName| link::find(&socket, name).map(|seen| seen.index);
    let indexes: Vec<u32> = names
        .iter()
        .map(find)
        .collect::<Result<_, _>>()
        .map_err(|refused: Refused| refused.error("read an interface"))?;
    let all = ALL.iter().map(|offload| offload.name).collect();
    let mut seen = read(indexes.iter().map(|index| (*index, &all)))?;
    Ok(indexes.iter().map(|index| seen.remove(index).unwrap_or_default()).collect())
}

/// Has a link do what `options` say.
///
/// # Errors
///
/// If the device cannot change a feature, or keeps another value.
pub fn write(site: &Site<'_>, link: &Link, options: &Options) -> Result<(), Failure> {
    if options.is_empty() {
        return Ok(());
    }
    let family = Family::open(NAME, VERSION)?;
    let index = site.index(&link.id.name)?;
    let features = get(&family, index)?;
    let mut body = family.message(SET);
    write_changes(index, &features.changes(options).map_err(cannot)?, &mut body);
    family.request(&body)?;
    // It takes what it can and says nothing of the rest.
    get(&family, index)?.missing(options).map_or(Ok(()), |(name, value)| Err(cannot((name, value)).into()))
}

fn cannot((name, value): (&str, &Value)) -> Refused {
    let text = match value {
        Value::Bool(on) => format!("the device cannot turn {name} {}", if *on { "on" } else { "off" }),
        other => format!("the device cannot have {other} of {name}"),
    };
    Refused { errno: libc::EINVAL, text: Some(text) }
}

#[cfg(test)]
#[path = "features/tests.rs"]
mod tests;
