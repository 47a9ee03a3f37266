//! Changing links in place, and moving them.

use super::body::{differing, new, port, properties};
use super::failure::{Failure, carries_mark};
use super::{automatic, features, vlan, wireguard};
use crate::linux::netlink::attributes::Writer;
use crate::linux::netlink::link::{head, head_with};
use crate::linux::netlink::socket::Refused;
use crate::linux::netlink::{kinds as codec, link};
use crate::linux::netns::context::Site;
use crate::resource::mark::{group, mark};
use crate::resource::{IfName, Impact, Kind, Link, LinkId, Options, Setting, Value, kinds};
use nix::libc;
use std::collections::BTreeSet;
use std::os::fd::{AsFd, AsRawFd};

/// Writes the attributes of a kind that differ. By a request of its own: a vxlan refuses one that has an MTU beside
/// them (`vxlan_nl2conf`). A tunnel is reported everything, its MTU too, which the kernel would work out anew.
fn change_options(site: &Site<'_>, before: &Link, after: &Link) -> Result<(), Failure> {
    let mut options = differing(&after.options, &before.options);
    if kinds::traits(&after.kind).has_keys {
        return wireguard::configure(site, after, &options);
    }
    delays(site, after, &mut options)?;
    let (all, number) = (codec::says_all(&after.kind), codec::link_number(&after.kind));
    let moves = after.link.is_some() && after.link != before.link && number.is_some();
    if options.is_empty() && !moves {
        return Ok(());
    }
    let lower = match after.link.as_ref().or(before.link.as_ref()) {
        Some(lower) if (moves || all) && lower.node == site.node => Some(site.index(&lower.name)?),
        Some(lower) if all => Some(site.elsewhere(&lower.node, |socket| link::find(socket, &lower.name))??.index),
        _ => None,
    };
    let mut body = Writer::new(&head(site.index(&after.id.name)?, None));
    if let (true, Some(mtu)) = (all, after.mtu.get().or_else(|| before.mtu.get())) {
        body.u32(link::MTU, *mtu);
    }
    let options = by_number(site, if all { after.options.clone() } else { options })?;
    body.nest(link::LINKINFO, |info| {
        info.text(link::INFO_KIND, after.kind.name()).nest(link::INFO_DATA, |data| {
            codec::write(&after.kind, &options, &after.options, data);
            if let (Some(lower), Some(number)) = (lower, number) {
                data.u32(number, lower);
            }
        });
    });
    Ok(site.ask(link::NEW, 0, &body)?)
}

/// A bond counts its delays in steps of `miimon`, which it takes first: with another one they are others too, and with
/// none it takes no delay any more (`bond_option_miimon_set`, `bond_option_updelay_set`).
fn delays(site: &Site<'_>, after: &Link, options: &mut Options) -> Result<(), Failure> {
    let Some(miimon) = options.get("miimon").cloned().filter(|_| after.kind == Kind::Bond) else { return Ok(()) };
    let names = ["up-delay", "down-delay"];
    if miimon != Value::Millis(0) {
        options.extend(
            names
                .iter()
                .filter_map(|name| after.options.get_key_value(*name))
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        return Ok(());
    }
    let first: Options = names.iter().filter_map(|name| options.remove_entry(*name)).collect();
    if first.is_empty() {
        return Ok(());
    }
    let mut body = Writer::new(&head(site.index(&after.id.name)?, None));
    body.nest(link::LINKINFO, |info| {
        info.text(link::INFO_KIND, after.kind.name())
            .nest(link::INFO_DATA, |data| codec::write(&after.kind, &first, &first, data));
    });
    Ok(site.ask(link::NEW, 0, &body)?)
}

/// Another link among the attributes (the primary port of a bond) by its number.
fn by_number(site: &Site<'_>, mut options: Options) -> Result<Options, Refused> {
    if let Some(Value::Word(name)) = options.get("primary").cloned() {
        options.insert("primary".into(), Value::Number(site.index(&IfName::from(&*name))?.into()));
    }
    Ok(options)
}

/// Whether what is changed needs the link down.
fn flaps(before: &Link, after: &Link) -> bool {
    let differs = differing(&after.options, &before.options);
    kinds::of(&after.kind)
        .iter()
        .any(|attribute| attribute.impact == Impact::Flap && differs.contains_key(attribute.name))
}

/// Sets a link up or down.
fn set(site: &Site<'_>, link: &Link, up: bool) -> Result<(), Refused> {
    site.ask(link::NEW, 0, &Writer::new(&head(site.index(&link.id.name)?, Some(up))))
}

/// Changes a link in place; only what differs is sent.
///
/// # Errors
///
/// If there is no such link, or the kernel refuses a new value.
pub fn update(site: &Site<'_>, before: &Link, after: &Link) -> Result<(), Failure> {
    let was_up = before.up == Setting::Is(true);
    let into_bond = match new(&after.master, &before.master) {
        Some(Some(master)) => site.known(master)?.1 == Kind::Bond,
        _ => false,
    };
    let out_of_bond = match (before.master.get(), new(&after.master, &before.master)) {
        // One that is gone meanwhile has let go of it.
        (Some(Some(old)), Some(_)) => site.known(old).is_ok_and(|(_, kind)| kind == Kind::Bond),
        _ => false,
    };
    let flaps = flaps(before, after);
    if was_up && (into_bond || flaps) {
        set(site, after, false)?;
    }
    // A bond sets up what it is given, by itself.
    let up = new(&after.up, &before.up).copied().filter(|_| !into_bond);
    let (arp, multicast) = (new(&after.arp, &before.arp).copied(), new(&after.multicast, &before.multicast).copied());
    let flags = [(libc::IFF_UP, up), (libc::IFF_NOARP, arp.map(|arp| !arp)), (libc::IFF_MULTICAST, multicast)];
    let mut body = Writer::new(&head_with(site.index(&after.id.name)?, &flags));
    let empty = body.bytes().len();
    if let Some(mac) = new(&after.mac, &before.mac) {
        body.put(link::ADDRESS, &mac.0);
    }
    if let Some(mtu) = new(&after.mtu, &before.mtu) {
        body.u32(link::MTU, *mtu);
    }
    if let Some(length) = new(&after.txqueuelen, &before.txqueuelen) {
        body.u32(link::TXQLEN, *length);
    }
    let master = new(&after.master, &before.master);
    if let Some(master) = master {
        body.u32(link::MASTER, master.as_ref().map(|name| site.index(name)).transpose()?.unwrap_or(0));
    }
    if carries_mark(after, site.made) && !before.marked {
        body.u32(link::GROUP, group(site.topology)).put(link::IFALIAS, mark(site.topology).as_bytes());
    }
    if let (Some(unmarked), true) = (&after.unmarked, carries_mark(before, site.made) && !after.marked) {
        body.u32(link::GROUP, unmarked.group).put(link::IFALIAS, unmarked.alias.as_bytes());
    }
    change_options(site, before, after)?;
    if body.bytes().len() > empty || flags.iter().any(|(_, on)| on.is_some()) {
        site.ask(link::NEW, 0, &body)?;
    }
    // What a bond gives back is down.
    let goes_up = after.up.over(&before.up) == Setting::Is(true) && !into_bond && (out_of_bond || flaps);
    if goes_up {
        set(site, after, true)?;
    }
    if let Some(names) = new(&after.alternative_names, &before.alternative_names) {
        let none = BTreeSet::new();
        let old = before.alternative_names.get().unwrap_or(&none);
        properties(site, after, link::DELETE_PROPERTY, old.difference(names))?;
        properties(site, after, link::NEW_PROPERTY, names.difference(old))?;
    }
    if !matches!(after.master.get(), Some(None)) {
        // A port that goes to another bridge starts from the defaults again.
        let fresh = Options::new();
        port(site, after, &differing(&after.port, if master.is_some() { &fresh } else { &before.port }))?;
    }
    vlan::update(site, before, after)?;
    if !before.missing.is_empty() {
        automatic::mend(site, before)?;
    }
    features::write(site, after, &differing(&after.offload, &before.offload))
}

/// Moves a link to another namespace under the name that it has there, in one request.
///
/// # Errors
///
/// If there is no such link, its name is taken there, or it cannot be moved.
pub fn relocate(site: &Site<'_>, link: &Link, to: &LinkId) -> Result<(), Failure> {
    let place = site.places.open(&to.node)?;
    let mut body = Writer::new(&head(site.index(&link.id.name)?, None));
    body.u32(link::NET_NS_FD, place.as_fd().as_raw_fd().cast_unsigned()).text(link::IFNAME, to.name.as_str());
    site.ask(link::NEW, 0, &body)?;
    site.forget();
    Ok(())
}
