//! Making, changing, moving and deleting links.

use super::attributes::Writer;
use super::link::{self, Seen, head};
use super::netlink::{CREATE, EXCLUSIVE, Refused, Request};
use super::site::Site;
use super::{Error, link_options};
use crate::resource::{Kind, Link, LinkId, Options, Setting, Tenure, Value, group, kinds, mark};
use nix::libc;
use std::collections::BTreeSet;
use std::os::fd::{AsFd, AsRawFd};

/// `VETH_INFO_PEER`.
const PEER: u16 = 1;
/// More links than this in one request, and a bridge goes after its ports: with them it would do its work for each port singly.
const TOGETHER: usize = 50;

/// What can go wrong: the kernel refused, or the place could not be reached.
pub enum Failure {
    /// The kernel refused.
    Refused(Refused),
    /// Anything else.
    Error(Box<Error>),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}

/// Whether `link` in a place like `made` carries marks of its own.
fn carries_mark(link: &Link, made: bool) -> bool {
    !made && link.marked && link.tenure == Tenure::Created
}

/// Writes what a new link takes at birth: all but its kind and its master. A bridge's MTU is written later: at birth it would not count as chosen, and follow
/// the ports (`br_mtu_auto_adjust`).
fn birth(link: &Link, group: Option<u32>, body: &mut Writer) {
    body.text(link::IFNAME, link.id.name.as_str());
    if let Setting::Is(mac) = &link.mac {
        body.put(link::ADDRESS, &mac.0);
    }
    if let (Setting::Is(mtu), true) = (&link.mtu, link.kind != Kind::Bridge) {
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

/// The attributes that a fresh link would not have by itself. A vxlan's port is always said: the language's default is not the kernel's.
fn chosen(kind: &Kind, options: &Options) -> Options {
    let fresh = |name: &str| kinds::of(kind).iter().find(|attribute| attribute.name == name).and_then(|attribute| attribute.default.value());
    let wanted = |(name, value): &(&std::borrow::Cow<'static, str>, &Value)| {
        let always = *kind == Kind::Vxlan && ["port", "source-port-low"].contains(&name.as_ref());
        always || fresh(name).as_ref() != Some(*value)
    };
    options.iter().filter(wanted).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Makes a link that is no veth.
pub fn create(site: &Site<'_>, link: &Link) -> Result<(), Failure> {
    if !matches!(link.kind, Kind::Bridge | Kind::Vxlan | Kind::Macvlan) {
        let reason = format!("topo cannot make a link of kind {:?}", link.kind.name());
        return Err(Refused { errno: libc::EOPNOTSUPP, text: Some(reason) }.into());
    }
    let lower_elsewhere = link.link.as_ref().filter(|lower| lower.node != site.node);
    match lower_elsewhere {
        None => {
            let lower = link.link.as_ref().map(|lower| site.index(&lower.name)).transpose()?;
            site.ask(link::NEW, CREATE | EXCLUSIVE, &birth_message(site, link, lower, None)?)?;
        }
        // Made where its lower link is, born here.
        Some(lower) => {
            let home = super::netns::Netns::current()?;
            let born = site.elsewhere(&lower.node, |socket| {
                let index = link::find(socket, &lower.name)?;
                let body = birth_message(site, link, Some(index), Some(home.as_fd().as_raw_fd()))?;
                socket.request(&Request { kind: link::NEW, flags: CREATE | EXCLUSIVE, body: body.bytes().to_vec() })
            })?;
            born?;
        }
    }
    site.forget();
    let after_birth = matches!((&lower_elsewhere, link.master.get()), (Some(_), Some(Some(_))));
    finish(site, link, after_birth, lower_elsewhere.is_some())?;
    Ok(())
}

fn birth_message(site: &Site<'_>, link: &Link, lower: Option<u32>, home: Option<i32>) -> Result<Writer, Refused> {
    let up = link.up.get().copied().filter(|_| home.is_none());
    let mut body = Writer::new(&head(0, up));
    birth(link, carries_mark(link, site.made).then(|| group(site.topology)), &mut body);
    if let (Some(Some(master)), None) = (link.master.get(), home) {
        body.u32(link::MASTER, site.index(master)?);
    }
    if let (Some(lower), true) = (lower, link.kind != Kind::Vxlan) {
        body.u32(link::LINK, lower);
    }
    if let Some(home) = home {
        body.u32(link::NET_NS_FD, home.cast_unsigned());
    }
    body.nest(link::LINKINFO, |info| {
        info.text(link::INFO_KIND, link.kind.name()).nest(link::INFO_DATA, |data| {
            link_options::write(&link.kind, &chosen(&link.kind, &link.options), &link.options, data);
            if let (Some(lower), Kind::Vxlan) = (lower, &link.kind) {
                data.u32(link::VXLAN_LINK, lower);
            }
        });
    });
    Ok(body)
}

/// Makes a veth pair: the near end here with all that it has, the far one born in its own namespace, so that it never moves. The far end's
/// [`finish_far`] comes after.
pub fn create_pair(site: &Site<'_>, near: &Link, far: &Link) -> Result<(), Failure> {
    let far_place = if far.id.node == site.node { None } else { Some(site.places.open(&far.id.node)?) };
    let far_made = site.places.is_made(&far.id.node);
    let mark_of = |link: &Link, made| carries_mark(link, made).then(|| group(site.topology));
    let mut body = Writer::new(&head(0, near.up.get().copied()));
    birth(near, mark_of(near, site.made), &mut body);
    if let Some(Some(master)) = near.master.get() {
        body.u32(link::MASTER, site.index(master)?);
    }
    body.nest(link::LINKINFO, |info| {
        info.text(link::INFO_KIND, "veth").nest(link::INFO_DATA, |data| {
            // Up cannot be said here: the pair is not joined yet (ENOTCONN).
            data.nest_after(PEER, &head(0, None), |peer| {
                birth(far, mark_of(far, far_made), peer);
                if let Some(place) = &far_place {
                    peer.u32(link::NET_NS_FD, place.as_fd().as_raw_fd().cast_unsigned());
                }
            });
        });
    });
    site.ask(link::NEW, CREATE | EXCLUSIVE, &body)?;
    site.forget();
    finish(site, near, false, false)?;
    Ok(())
}

/// What the far end of a new pair could not be given at birth; the calling thread is in its namespace.
pub fn finish_far(site: &Site<'_>, far: &Link) -> Result<(), Failure> {
    Ok(finish(site, far, true, true)?)
}

/// Gives a new link what it could not be born with: alias, further names, a bridge's MTU, a port's attributes, and where so said master and up.
fn finish(site: &Site<'_>, link: &Link, master: bool, up: bool) -> Result<(), Refused> {
    let mut body = Writer::new(&head(0, link.up.get().copied().filter(|on| up && *on)));
    body.text(link::IFNAME, link.id.name.as_str());
    let empty = body.bytes().len();
    if carries_mark(link, site.made) {
        body.put(link::IFALIAS, mark(site.topology).as_bytes());
    }
    if let (Setting::Is(mtu), Kind::Bridge) = (&link.mtu, &link.kind) {
        body.u32(link::MTU, *mtu);
    }
    if let (Some(Some(bridge)), true) = (link.master.get(), master) {
        body.u32(link::MASTER, site.index(bridge)?);
    }
    if body.bytes().len() > empty || (up && link.up == Setting::Is(true)) {
        site.ask(link::NEW, 0, &body)?;
    }
    if let Setting::Is(names) = &link.alternative_names {
        properties(site, link, link::NEW_PROPERTY, names.iter())?;
    }
    if matches!(link.master.get(), Some(Some(_))) {
        let mut differing = link.port.clone();
        differing.retain(|name, value| {
            let fresh = kinds::PORT.iter().find(|attribute| attribute.name == name.as_ref()).and_then(|attribute| attribute.default.value());
            fresh.as_ref() != Some(value)
        });
        port(site, link, &differing)?;
    }
    Ok(())
}

/// Adds or removes further names.
fn properties<'a>(site: &Site<'_>, link: &Link, kind: u16, names: impl Iterator<Item = &'a String>) -> Result<(), Refused> {
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
fn port(site: &Site<'_>, link: &Link, options: &Options) -> Result<(), Refused> {
    if options.is_empty() {
        return Ok(());
    }
    let mut body = Writer::new(&head(0, None));
    body.text(link::IFNAME, link.id.name.as_str()).nest(link::LINKINFO, |info| {
        info.text(link::INFO_SLAVE_KIND, "bridge").nest(link::INFO_SLAVE_DATA, |data| link_options::write_port(options, data));
    });
    site.ask(link::NEW, 0, &body)
}

/// The wanted value where it is managed and differs.
fn new<'a, T: PartialEq>(after: &'a Setting<T>, before: &Setting<T>) -> Option<&'a T> {
    after.get().filter(|value| before.get() != Some(*value))
}

/// The attributes in `after` that `before` has otherwise.
fn differing(after: &Options, before: &Options) -> Options {
    let same = |name: &str, value| before.get(name).is_some_and(|old| kinds::same(value, old));
    after.iter().filter(|(name, value)| !same(name, value)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Writes the attributes of a kind that differ. By a request of its own: a vxlan refuses one that has an MTU beside them (`vxlan_nl2conf`).
fn change_options(site: &Site<'_>, before: &Link, after: &Link) -> Result<(), Failure> {
    let options = differing(&after.options, &before.options);
    let lower = after.link.as_ref().filter(|_| after.link != before.link && after.kind == Kind::Vxlan);
    let lower = lower.map(|lower| site.index(&lower.name)).transpose()?;
    if options.is_empty() && lower.is_none() {
        return Ok(());
    }
    let mut body = Writer::new(&head(site.index(&after.id.name)?, None));
    body.nest(link::LINKINFO, |info| {
        info.text(link::INFO_KIND, after.kind.name()).nest(link::INFO_DATA, |data| {
            link_options::write(&after.kind, &options, &after.options, data);
            if let Some(lower) = lower {
                data.u32(link::VXLAN_LINK, lower);
            }
        });
    });
    Ok(site.ask(link::NEW, 0, &body)?)
}

/// Changes a link in place; only what differs is sent.
pub fn update(site: &Site<'_>, before: &Link, after: &Link) -> Result<(), Failure> {
    let mut body = Writer::new(&head(site.index(&after.id.name)?, new(&after.up, &before.up).copied()));
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
    change_options(site, before, after)?;
    if body.bytes().len() > empty || new(&after.up, &before.up).is_some() {
        site.ask(link::NEW, 0, &body)?;
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
    Ok(())
}

/// Moves a link to another namespace under the name that it has there, in one request.
pub fn relocate(site: &Site<'_>, link: &Link, to: &LinkId) -> Result<(), Failure> {
    let place = site.places.open(&to.node)?;
    let mut body = Writer::new(&head(site.index(&link.id.name)?, None));
    body.u32(link::NET_NS_FD, place.as_fd().as_raw_fd().cast_unsigned()).text(link::IFNAME, to.name.as_str());
    site.ask(link::NEW, 0, &body)?;
    site.forget();
    Ok(())
}

/// Deletes links of this namespace, in as few requests as can be: each costs 20 ms whatever it deletes. Answers in the order of `links`.
pub fn delete(site: &Site<'_>, links: &[&Link]) -> Vec<Result<(), Refused>> {
    let gone = |errno| Refused { errno, text: None };
    let seen = match link::dump(&site.socket) {
        Ok(seen) => seen,
        Err(refused) => return links.iter().map(|_| Err(refused.clone())).collect(),
    };
    let found: Vec<Option<&Seen>> = links.iter().map(|link| seen.iter().find(|seen| seen.name == link.id.name)).collect();
    let (bridges, others): (Vec<&Seen>, Vec<&Seen>) = found.iter().flatten().copied().partition(|seen| seen.kind == Kind::Bridge && links.len() > TOGETHER);
    let done = delete_together(site, &seen, &others).and_then(|()| delete_together(site, &seen, &bridges));
    site.forget();
    // A veth end whose other end is in a namespace that somebody deleted goes a little later, by itself: that it is gone is what was asked for.
    let answer = |(link, found): (&&Link, &Option<&Seen>)| match found {
        Some(_) => done.clone(),
        None if link.kind == Kind::Veth => Ok(()),
        None => Err(gone(libc::ENODEV)),
    };
    links.iter().zip(&found).map(answer).collect()
}

/// Deletes exactly these links by one request.
pub fn delete_together(site: &Site<'_>, seen: &[Seen], links: &[&Seen]) -> Result<(), Refused> {
    match links {
        [] => return Ok(()),
        [one] => return site.ask(link::DELETE, 0, &Writer::new(&head(one.index, None))),
        _ => {}
    }
    let wanted: BTreeSet<u32> = links.iter().map(|link| link.index).collect();
    let in_group = |seen: &[Seen], group: u32| seen.iter().filter(|seen| seen.group == group).map(|seen| seen.index).collect::<BTreeSet<_>>();
    let theirs = links.first().map_or(0, |link| link.group);
    let group = if theirs != 0 && in_group(seen, theirs) == wanted {
        theirs
    } else {
        let fresh = fresh_group(seen);
        let mark = |link: &&Seen| {
            let mut body = Writer::new(&head(link.index, None));
            body.u32(link::GROUP, fresh);
            Request { kind: link::NEW, flags: 0, body: body.bytes().to_vec() }
        };
        let requests: Vec<Request> = links.iter().map(mark).collect();
        site.socket.batch(&requests).into_iter().collect::<Result<(), Refused>>()?;
        if in_group(&link::dump(&site.socket)?, fresh) != wanted {
            return Err(Refused { errno: libc::EAGAIN, text: Some("somebody else changes the same links at the same time".to_owned()) });
        }
        fresh
    };
    let mut body = Writer::new(&head(0, None));
    body.u32(link::GROUP, group);
    site.ask(link::DELETE, 0, &body)
}

/// A group that no link is in.
fn fresh_group(seen: &[Seen]) -> u32 {
    let taken: BTreeSet<u32> = seen.iter().map(|seen| seen.group).collect();
    (0x7500_0000..).find(|group| !taken.contains(group)).unwrap_or(u32::MAX)
}
