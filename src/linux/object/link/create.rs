//! Making links.

use super::body::{birth, chosen};
use super::body::{port, properties};
use super::failure::{Failure, carries_mark};
use super::{tun, vlan, wireguard};
use crate::linux::netlink::attributes::Writer;
use crate::linux::netlink::link::head;
use crate::linux::netlink::socket::{CREATE, EXCLUSIVE, Refused, Request};
use crate::linux::netlink::{kinds as codec, link};
use crate::linux::netns::Netns;
use crate::linux::netns::context::Site;
use crate::resource::mark::{group, mark};
use crate::resource::{IfName, Kind, Link, Node, Setting, kinds};
use nix::libc;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

/// `VETH_INFO_PEER`.
const PEER: u16 = 1;
/// Makes a link that is no veth.
///
/// # Errors
///
/// If the name is taken, the kernel lacks the kind, or refuses an attribute; what was made of it is deleted again.
pub fn create(site: &Site<'_>, link: &Link) -> Result<(), Failure> {
    if kinds::traits(&link.kind).by_program {
        // Its device would be attached to an interface that is there.
        if link::find(&site.socket, &link.id.name).is_ok() {
            return Err(Refused { errno: libc::EEXIST, text: None }.into());
        }
        tun::create(site, link)?;
        site.forget();
        return Ok(finish(site, link, true, true)?);
    }
    if kinds::spec(&link.kind).is_none() {
        let reason = format!("topo cannot make a link of kind {:?}", link.kind.name());
        return Err(Refused { errno: libc::EOPNOTSUPP, text: Some(reason) }.into());
    }
    let transport = Some(link.transport()).filter(|node| kinds::traits(&link.kind).has_keys && *node != site.node);
    let lower_elsewhere = link.link.as_ref().filter(|lower| lower.node != site.node);
    match (&transport, lower_elsewhere) {
        (Some(transport), _) => create_elsewhere(site, link, transport, None)?,
        (None, None) => {
            let lower = link.link.as_ref().map(|lower| site.index(&lower.name)).transpose()?;
            ask_patiently(site, link, CREATE | EXCLUSIVE, &birth_message(site, link, &link.id.name, lower, None)?)?;
        }
        (None, Some(lower)) => create_elsewhere(site, link, &lower.node, Some(&lower.name))?,
    }
    site.forget();
    if kinds::traits(&link.kind).has_keys {
        wireguard::configure(site, link, &chosen(&link.kind, &link.options))?;
    }
    let late = lower_elsewhere.is_some() || kinds::traits(&link.kind).has_keys;
    let after_birth = (lower_elsewhere.is_some() || transport.is_some()) && matches!(link.master.get(), Some(Some(_)));
    finish(site, link, after_birth, late)?;
    Ok(())
}

/// Makes a link where its lower link is, or in the node where its packets leave, to be created here. Kernels before
/// 6.13 look for the name where the request is made, and find the lower link under it: then it is created under another
/// one.
fn create_elsewhere(site: &Site<'_>, link: &Link, node: &Node, lower: Option<&IfName>) -> Result<(), Failure> {
    if let Some(lower) = lower.filter(|_| codec::sends_where_it_is_born(&link.kind)) {
        return create_there_and_move(site, link, node, lower);
    }
    let home = Netns::current()?;
    let born = |name: &IfName| {
        site.elsewhere(node, |socket| {
            let index = lower.map(|lower| link::find(socket, lower)).transpose()?.map(|seen| seen.index);
            let body = birth_message(site, link, name, index, Some(home.as_fd().as_raw_fd()))?;
            socket.request(&Request { kind: link::NEW, flags: CREATE | EXCLUSIVE, body: body.bytes().to_vec() })
        })
    };
    let refused = match born(&link.id.name)? {
        Err(refused) if refused.errno == libc::EEXIST && link::find(&site.socket, &link.id.name).is_err() => refused,
        born => return Ok(born?),
    };
    let meanwhile = IfName::from(format!("topo{:08x}", crate::resource::mark::hash(link.id.name.as_str().as_bytes())));
    born(&meanwhile)?.map_err(|_| refused)?;
    let index = link::find(&site.socket, &meanwhile)?.index;
    let mut body = Writer::new(&head(index, None));
    body.text(link::IFNAME, link.id.name.as_str());
    let renamed = site.ask(link::NEW, 0, &body);
    if renamed.is_err() {
        // It has not been there, so that nothing misses it.
        _ = site.ask(link::DELETE, 0, &Writer::new(&head(index, None)));
    }
    Ok(renamed?)
}

/// Makes a tunnel where its lower link is, and moves it here: up to 6.14 one that is created into another namespace
/// sends there (`ip_tunnel_newlink` takes `dev_net(dev)`). There it has a name that nothing has, and marks where not
/// everything is ours.
fn create_there_and_move(site: &Site<'_>, link: &Link, node: &Node, lower: &IfName) -> Result<(), Failure> {
    let home = Netns::current()?;
    let meanwhile = IfName::from(format!("topo{:08x}", crate::resource::mark::hash(link.id.to_string().as_bytes())));
    let marked = !site.places.is_made(node);
    let mut here = link.clone();
    (here.up, here.master) = (Setting::Left, Setting::Left);
    site.elsewhere(node, |socket| -> Result<(), Refused> {
        let index = link::find(socket, lower)?.index;
        let mut body = birth_message(site, &here, &meanwhile, Some(index), None)?;
        if marked {
            body.u32(link::GROUP, group(site.topology)).put(link::IFALIAS, mark(site.topology).as_bytes());
        }
        socket.request(&Request { kind: link::NEW, flags: CREATE | EXCLUSIVE, body: body.bytes().to_vec() })?;
        let index = link::find(socket, &meanwhile)?.index;
        let mut body = Writer::new(&head(index, None));
        body.u32(link::NET_NS_FD, home.as_fd().as_raw_fd().cast_unsigned()).text(link::IFNAME, link.id.name.as_str());
        if marked && !carries_mark(link, site.made) {
            body.u32(link::GROUP, 0).put(link::IFALIAS, &[]);
        }
        let moved = socket.request(&Request { kind: link::NEW, flags: 0, body: body.bytes().to_vec() });
        if moved.is_err() {
            _ = socket.request(&Request {
                kind: link::DELETE,
                flags: 0,
                body: Writer::new(&head(index, None)).bytes().to_vec(),
            });
        }
        moved
    })??;
    Ok(())
}

/// Whether a link is made up, or set up, in the request that makes it a port of its master: a bond takes only what is
/// down, and sets it up itself (`bond_enslave`).
fn up_with_master(site: &Site<'_>, link: &Link) -> Result<Option<bool>, Refused> {
    let bond = match link.master.get() {
        Some(Some(master)) => site.known(master)?.1 == Kind::Bond,
        _ => false,
    };
    Ok(link.up.get().copied().filter(|_| !bond))
}

fn birth_message(
    site: &Site<'_>,
    link: &Link,
    name: &IfName,
    lower: Option<u32>,
    home: Option<i32>,
) -> Result<Writer, Refused> {
    // A WireGuard interface has no key yet, and would take any free port.
    let late = home.is_some() || kinds::traits(&link.kind).has_keys;
    let up = if late { None } else { up_with_master(site, link)? };
    let mut body = Writer::new(&head(0, up));
    birth(link, name, carries_mark(link, site.made).then(|| group(site.topology)), &mut body);
    if let (Some(Some(master)), None) = (link.master.get(), home) {
        body.u32(link::MASTER, site.index(master)?);
    }
    let own = codec::link_number(&link.kind);
    if let (Some(lower), None) = (lower, own) {
        body.u32(link::LINK, lower);
    }
    if let Some(home) = home {
        body.u32(link::NET_NS_FD, home.cast_unsigned());
    }
    body.nest(link::LINKINFO, |info| {
        info.text(link::INFO_KIND, link.kind.name()).nest(link::INFO_DATA, |data| {
            codec::write(&link.kind, &chosen(&link.kind, &link.options), &link.options, data);
            if let (Some(lower), Some(number)) = (lower, own) {
                data.u32(number, lower);
            }
        });
    });
    Ok(body)
}

/// Makes a veth pair: the near end here with all that it has, the far one created in its own namespace, so that it
/// never moves. The far end's [`finish_far`] comes after.
///
/// # Errors
///
/// If a name is taken or the other namespace is gone; nothing of the pair is left then.
pub fn create_pair(site: &Site<'_>, near: &Link, far: &Link) -> Result<(), Failure> {
    let far_place = if far.id.node == site.node { None } else { Some(site.places.open(&far.id.node)?) };
    let far_made = site.places.is_made(&far.id.node);
    let mark_of = |link: &Link, made| carries_mark(link, made).then(|| group(site.topology));
    let mut body = Writer::new(&head(0, up_with_master(site, near)?));
    birth(near, &near.id.name, mark_of(near, site.made), &mut body);
    if let Some(Some(master)) = near.master.get() {
        body.u32(link::MASTER, site.index(master)?);
    }
    body.nest(link::LINKINFO, |info| {
        info.text(link::INFO_KIND, "veth").nest(link::INFO_DATA, |data| {
            // Up cannot be said here: the pair is not joined yet (ENOTCONN).
            data.nest_after(PEER, &head(0, None), |peer| {
                birth(far, &far.id.name, mark_of(far, far_made), peer);
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

/// Sends a request that may set up a new link. A macvlan does not come up while another one on the same link has its
/// address (`macvlan_open`): that may be one in a namespace that has been taken away, which ends a little later.
fn ask_patiently(site: &Site<'_>, link: &Link, flags: u16, body: &Writer) -> Result<(), Refused> {
    const PATIENCE: Duration = Duration::from_secs(1);
    const PAUSE: Duration = Duration::from_millis(5);
    let start = Instant::now();
    loop {
        match site.ask(link::NEW, flags, body) {
            Err(refused)
                if refused.errno == libc::EADDRINUSE
                    && matches!(link.kind, Kind::Macvlan | Kind::Macvtap)
                    && start.elapsed() < PATIENCE =>
            {
                std::thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

/// What the far end of a new pair could not be given at creation; the calling thread is in its namespace.
///
/// # Errors
///
/// The kernel's refusal of an attribute.
pub fn finish_far(site: &Site<'_>, far: &Link) -> Result<(), Failure> {
    Ok(finish(site, far, true, true)?)
}

/// Gives a new link what it could not be created with: alias, further names, a bridge's MTU, a port's attributes, and
/// where so said master and up.
fn finish(site: &Site<'_>, link: &Link, master: bool, up: bool) -> Result<(), Refused> {
    let up = up_with_master(site, link)?.filter(|on| up && *on);
    let mut body = Writer::new(&head(0, up));
    body.text(link::IFNAME, link.id.name.as_str());
    let empty = body.bytes().len();
    if carries_mark(link, site.made) {
        body.put(link::IFALIAS, mark(site.topology).as_bytes());
    }
    if let (Setting::Is(mtu), true) = (&link.mtu, kinds::mtu_of_ports(&link.kind)) {
        body.u32(link::MTU, *mtu);
    }
    if let (Some(Some(bridge)), true) = (link.master.get(), master) {
        body.u32(link::MASTER, site.index(bridge)?);
    }
    if body.bytes().len() > empty || up.is_some() {
        ask_patiently(site, link, 0, &body)?;
    }
    if let Setting::Is(names) = &link.alternative_names {
        properties(site, link, link::NEW_PROPERTY, names.iter())?;
    }
    if matches!(link.master.get(), Some(Some(_))) {
        let mut differing = link.port.clone();
        differing.retain(|name, value| {
            let fresh = kinds::PORT
                .iter()
                .find(|attribute| attribute.name == name.as_ref())
                .and_then(|attribute| attribute.default.value());
            fresh.as_ref() != Some(value)
        });
        port(site, link, &differing)?;
    }
    vlan::first(site, link)
}
