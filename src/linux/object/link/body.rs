//! The attributes of a link message that creation and change share.

use super::failure::carries_mark;
use crate::linux::netlink::attributes::Writer;
use crate::linux::netlink::link::head;
use crate::linux::netlink::socket::{CREATE, EXCLUSIVE, Refused};
use crate::linux::netlink::{kinds as codec, link};
use crate::linux::netns::context::Site;
use crate::resource::mark::{group, mark};
use crate::resource::{IfName, Kind, Link, Options, Setting, Value, kinds};

/// Adds or removes further names.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn properties<'a>(
    site: &Site<'_>,
    link: &Link,
    kind: u16,
    names: impl Iterator<Item = &'a String>,
) -> Result<(), Refused> {
    let names: Vec<&String> = names.collect();
    if names.is_empty() {
        return Ok(());
    }
    let mut body = Writer::new(&head(site.index(&link.id.name)?, None));
    body.nest(link::PROP_LIST, |list| {
        for name in names {
            list.text(link::ALT_IFNAME, name);
        }
    });
    let flags = if kind == link::NEW_PROPERTY { CREATE | EXCLUSIVE } else { 0 };
    site.ask(kind, flags, &body)
}

/// Writes attributes of a bridge's port.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn port(site: &Site<'_>, link: &Link, options: &Options) -> Result<(), Refused> {
    if options.is_empty() {
        return Ok(());
    }
    let mut body = Writer::new(&head(0, None));
    body.text(link::IFNAME, link.id.name.as_str()).nest(link::LINKINFO, |info| {
        info.text(link::INFO_SLAVE_KIND, "bridge").nest(link::INFO_SLAVE_DATA, |data| codec::write_port(options, data));
    });
    site.ask(link::NEW, 0, &body)
}

/// The wanted value where it is managed and differs.
pub(crate) fn new<'a, T: PartialEq>(after: &'a Setting<T>, before: &Setting<T>) -> Option<&'a T> {
    after.get().filter(|value| before.get() != Some(*value))
}

/// The attributes in `after` that `before` has otherwise.
pub(crate) fn differing(after: &Options, before: &Options) -> Options {
    let same = |name: &str, value| before.get(name).is_some_and(|old| kinds::same(value, old));
    after.iter().filter(|(name, value)| !same(name, value)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Writes what a new link takes at creation: all but its kind and its master. A bridge's MTU is written later: at
/// creation it would not count as chosen, and follow the ports (`br_mtu_auto_adjust`).
pub(crate) fn birth(link: &Link, name: &IfName, group: Option<u32>, body: &mut Writer) {
    body.text(link::IFNAME, name.as_str());
    if let Setting::Is(mac) = &link.mac {
        body.put(link::ADDRESS, &mac.0);
    }
    if let (Setting::Is(mtu), true) = (&link.mtu, !kinds::mtu_of_ports(&link.kind)) {
        body.u32(link::MTU, *mtu);
    }
    if let Setting::Is(length) = &link.txqueuelen {
        body.u32(link::TXQLEN, *length);
    }
    if let Setting::Is(queues) = &link.queues {
        body.u32(link::NUM_TX_QUEUES, queues.tx).u32(link::NUM_RX_QUEUES, queues.rx);
    }
    if let Some(group) = group {
        body.u32(link::GROUP, group);
    }
}

/// [`creation`] for a link that is there already and carries no mark yet.
pub fn birth_later(site: &Site<'_>, link: &Link, body: &mut Writer) {
    let marked = carries_mark(link, site.made);
    birth(link, &link.id.name, marked.then(|| group(site.topology)), body);
    if marked {
        body.put(link::IFALIAS, mark(site.topology).as_bytes());
    }
}

/// The attributes that a fresh link would not have by itself. A vxlan's port is always said: the language's default is
/// not the kernel's. So are all those of a tunnel, of which the kernel would make something else over IPv6.
pub(crate) fn chosen(kind: &Kind, options: &Options) -> Options {
    let fresh = |name: &str| {
        kinds::of(kind).iter().find(|attribute| attribute.name == name).and_then(|attribute| attribute.default.value())
    };
    let wanted = |(name, value): &(&std::borrow::Cow<'static, str>, &Value)| {
        let always =
            codec::says_all(kind) || *kind == Kind::Vxlan && ["port", "source-port-low"].contains(&name.as_ref());
        always || fresh(name).as_ref() != Some(*value)
    };
    options.iter().filter(wanted).map(|(name, value)| (name.clone(), value.clone())).collect()
}
