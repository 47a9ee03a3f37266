//! VLANs of bridges and their ports: read all at once, written as what differs.

use crate::kernel::{Error, ErrorKind};
use crate::linux::netlink::attributes::{Attributes, Writer, u16_at, u32_at};
use crate::linux::netlink::link;
use crate::linux::netlink::link::HEAD;
use crate::linux::netlink::socket::{CREATE, EXCLUSIVE, Refused, Request, Socket};
use crate::linux::netns;
use crate::linux::netns::context::Site;
use crate::resource::{
    IfName, Kind, Link, LinkId, Options, Resource, ResourceId, Setting, State, Value, VlanRun, VlanSpan, Vlans,
};
use nix::libc;
use std::collections::HashMap;

const SET: u16 = 19;
/// `RTM_GETVLAN`.
const GET_VLAN: u16 = 114;

// `IFLA_*` of `include/uapi/linux/if_link.h`.
const AF_SPEC: u16 = 26;
const EXT_MASK: u16 = 29;
/// `RTEXT_FILTER_BRVLAN_COMPRESSED`: VLANs in a row as one range.
const COMPRESSED: u32 = 1 << 2;
// `IFLA_BRIDGE_*` of `include/uapi/linux/if_bridge.h`.
const FLAGS: u16 = 0;
const VLAN_INFO: u16 = 2;
// `BRIDGE_FLAGS_*`: whether a port's bridge is meant, or the device itself.
const MASTER: u16 = 1;
const SELF: u16 = 2;
// `BRIDGE_VLAN_INFO_*`.
const PVID: u16 = 1 << 1;
const UNTAGGED: u16 = 1 << 2;
const RANGE_BEGIN: u16 = 1 << 3;
const RANGE_END: u16 = 1 << 4;

/// `struct ifinfomsg` of the family of bridges.
fn head(index: u32) -> [u8; HEAD] {
    let mut head = link::head(index, None);
    if let (Some(family), Ok(bridge)) = (head.first_mut(), u8::try_from(libc::AF_BRIDGE)) {
        *family = bridge;
    }
    head
}

/// The VLANs of all bridges and ports of the socket's namespace that have some, by their numbers.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn dump(socket: &Socket) -> Result<HashMap<u32, Vlans>, Refused> {
    let mut body = Writer::new(&head(0));
    body.u32(EXT_MASK, COMPRESSED);
    let messages = socket.dump(link::GET, body.bytes())?;
    Ok(messages.iter().filter(|message| message.kind == link::NEW).filter_map(|message| parse(&message.body)).collect())
}

/// Reads `RTM_NEWLINK` of the family of bridges. A message without VLANs (that of a driver's own switch) is none.
pub fn parse(body: &[u8]) -> Option<(u32, Vlans)> {
    let (mut spans, mut pvid, mut begun) = (Vec::new(), None, None);
    for (_, info) in Attributes::after(body, HEAD).inner(AF_SPEC).filter(|(kind, _)| *kind == VLAN_INFO) {
        let (Some(flags), Some(id)) = (u16_at(info, 0), u16_at(info, 2)) else { continue };
        if flags & RANGE_BEGIN != 0 {
            begun = Some(id);
            continue;
        }
        let first = begun.take().filter(|_| flags & RANGE_END != 0).unwrap_or(id);
        spans.push(VlanSpan { first, last: id, untagged: flags & UNTAGGED != 0 });
        if flags & PVID != 0 {
            pvid = Some(id);
        }
    }
    if spans.is_empty() { None } else { Some((u32_at(body, 4)?, Vlans::new(pvid, spans))) }
}

/// A request about `runs` of the port, or of the bridge itself, with this number.
fn message(index: u32, bridge: bool, runs: &[VlanRun]) -> Writer {
    let mut body = Writer::new(&head(index));
    body.nest(AF_SPEC, |spec| {
        spec.u16(FLAGS, if bridge { SELF } else { MASTER });
        for run in runs {
            let flags = if run.pvid { PVID } else { 0 } | if run.untagged { UNTAGGED } else { 0 };
            let mut put =
                |flags: u16, id: u16| _ = spec.put(VLAN_INFO, &[flags.to_ne_bytes(), id.to_ne_bytes()].concat());
            if run.first == run.last {
                put(flags, run.first);
            } else {
                put(flags | RANGE_BEGIN, run.first);
                put(flags | RANGE_END, run.last);
            }
        }
    });
    body
}

/// Makes `after` of `before`: what is new first, so that a VLAN that stays is never without its frames.
fn write(site: &Site<'_>, link: &Link, before: &Vlans, after: &Vlans) -> Result<(), Refused> {
    let (gone, set) = after.changes(before);
    if gone.is_empty() && set.is_empty() {
        return Ok(());
    }
    let (index, kind) = site.known(&link.id.name)?;
    for (request, runs) in [(SET, set), (link::DELETE, gone)] {
        if !runs.is_empty() {
            site.ask(request, 0, &message(index, kind == Kind::Bridge, &runs))?;
        }
    }
    Ok(())
}

/// What a bridge gives to who joins it, and has itself.
fn by_default(options: &Options) -> Vlans {
    match options.get("vlan-default-pvid") {
        Some(Value::Number(pvid)) => Vlans::by_default(u16::try_from(*pvid).unwrap_or(0)),
        _ => Vlans::by_default(1),
    }
}

/// What the bridge `master` gave to a port that just joined it.
fn given(site: &Site<'_>, master: &IfName) -> Result<Vlans, Refused> {
    Ok(by_default(&link::find(&site.socket, master)?.options))
}

/// Gives a new bridge, or a new port, its VLANs.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn first(site: &Site<'_>, link: &Link) -> Result<(), Refused> {
    match (&link.vlans, link.master.get()) {
        (Setting::Is(vlans), _) if link.kind == Kind::Bridge => write(site, link, &by_default(&link.options), vlans),
        (Setting::Is(vlans), Some(Some(master))) => write(site, link, &given(site, master)?, vlans),
        _ => Ok(()),
    }
}

/// Changes the VLANs of a bridge or port, after all else of it was changed.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn update(site: &Site<'_>, before: &Link, after: &Link) -> Result<(), Refused> {
    let Setting::Is(vlans) = &after.vlans else { return Ok(()) };
    let moved = after.master.get().filter(|master| before.master.get() != Some(master));
    let there = match (moved, &before.vlans) {
        (Some(Some(master)), _) => given(site, master)?,
        (Some(None), _) => return Ok(()),
        (None, Setting::Is(there)) => followed(before, after, there),
        (None, Setting::Left) => dump(&site.socket)?.remove(&site.index(&after.id.name)?).unwrap_or_default(),
    };
    write(site, after, &there, vlans)
}

/// What the change of a bridge's default made of its own VLANs.
fn followed(before: &Link, after: &Link, there: &Vlans) -> Vlans {
    let pvid = |link: &Link| match link.options.get("vlan-default-pvid") {
        Some(Value::Number(pvid)) => u16::try_from(*pvid).ok(),
        _ => None,
    };
    match (pvid(before), pvid(after)) {
        (Some(old), Some(new)) if after.kind == Kind::Bridge => there.follow_default(old, new),
        _ => there.clone(),
    }
}

/// The first thing in `wanted` that needs VLAN filtering.
fn needs(wanted: &State) -> Option<&LinkId> {
    let filters = |link: &&Link| link.options.get("vlan-filtering") == Some(&Value::Bool(true));
    let member = |link: &&Link| link.vlans.get().is_some();
    wanted.links().find(filters).or_else(|| wanted.links().find(member)).map(|link| &link.id)
}

/// Fails where `wanted` needs what this kernel cannot do. What was observed mostly reports: a bridge of a kernel that
/// can has a default VLAN.
///
/// # Errors
///
/// If bridges of this kernel cannot filter VLANs.
pub fn check(wanted: &State, observed: &State) -> Result<(), Error> {
    let Some(id) = needs(wanted) else { return Ok(()) };
    let says =
        |resource: &Resource| resource.as_link().is_some_and(|link| link.options.contains_key("vlan-default-pvid"));
    if observed.resources().any(says) || netns::scratch(|| Ok(works()))? {
        return Ok(());
    }
    let reason = format!("this kernel has no bridge VLAN filtering (CONFIG_BRIDGE_VLAN_FILTERING); needed by {id}");
    let error = Error::new(ErrorKind::Missing, format!("make {id}"), reason)
        .help("use a kernel that has it, or leave `vlan-filtering` and `port-vlan` out");
    Err(error.about(ResourceId::Link(id.clone())))
}

/// Whether this kernel filters VLANs, tried with a bridge of its own in the calling thread's namespace where asking is
/// not enough: the part of the kernel that would answer may not be loaded yet.
fn works() -> bool {
    let Ok(socket) = Socket::open() else { return false };
    if socket.dump(GET_VLAN, &[u8::try_from(libc::AF_BRIDGE).unwrap_or(0), 0, 0, 0, 0, 0, 0, 0]).is_ok() {
        return true;
    }
    let name = IfName::from("topo");
    let mut body = Writer::new(&link::head(0, None));
    body.text(link::IFNAME, name.as_str()).nest(link::LINKINFO, |info| _ = info.text(link::INFO_KIND, "bridge"));
    let made = socket.request(&Request { kind: link::NEW, flags: CREATE | EXCLUSIVE, body: body.bytes().to_vec() });
    // A bridge that cannot be made at all is for its own error to tell.
    made.is_err() || link::find(&socket, &name).is_ok_and(|seen| seen.options.contains_key("vlan-default-pvid"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reply(vlans: &Vlans) -> Writer {
        message(7, false, &vlans.runs())
    }

    fn spans() -> impl Strategy<Value = Vlans> {
        let span = (1_u16..=4094, 0_u16..200, any::<bool>()).prop_map(|(first, more, untagged)| VlanSpan {
            first,
            last: (first + more).min(4094),
            untagged,
        });
        (proptest::collection::vec(span, 0..12), proptest::option::of(1_u16..=4094), any::<prop::sample::Index>())
            .prop_map(|(spans, pvid, at)| {
                let all = Vlans::new(None, spans.iter().copied());
                let member = (all.count() > 0).then(|| all.ids().nth(at.index(all.count()))).flatten();
                Vlans::new(member.or(pvid), spans)
            })
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(vlans in spans()) {
            let read = parse(reply(&vlans).bytes());
            prop_assert_eq!(read, (!vlans.is_empty()).then_some((7, vlans)));
        }

        /// The two requests of a change make one set of another, as the kernel carries them out.
        #[test]
        fn changes_lead_from_one_to_the_other(before in spans(), after in spans()) {
            let (gone, set) = after.changes(&before);
            let mut pvid = before.pvid();
            let mut members: std::collections::BTreeMap<u16, bool> = before.ids().map(|id| (id, before.is_untagged(id))).collect();
            for run in set {
                for id in run.first..=run.last {
                    members.insert(id, run.untagged);
                    if run.pvid {
                        pvid = Some(id);
                    } else if pvid == Some(id) {
                        pvid = None;
                    }
                }
            }
            for id in gone.iter().flat_map(|run| run.first..=run.last) {
                members.remove(&id);
                pvid = pvid.filter(|pvid| *pvid != id);
            }
            let spans = members.into_iter().map(|(id, untagged)| VlanSpan { first: id, last: id, untagged });
            prop_assert_eq!(Vlans::new(pvid, spans), after);
        }
    }

    #[test]
    fn every_truncation_is_survived() {
        let body = reply(&Vlans::new(
            Some(1),
            [VlanSpan { first: 1, last: 1, untagged: true }, VlanSpan { first: 20, last: 30, untagged: false }],
        ));
        for cut in 0..body.bytes().len() {
            let _ = parse(&body.bytes()[..cut]);
        }
    }

    #[test]
    fn a_range_whose_end_is_missing_is_none() {
        let mut body = Writer::new(&head(7));
        body.nest(AF_SPEC, |spec| {
            for (flags, id) in [(RANGE_BEGIN, 20_u16), (0, 40)] {
                spec.put(VLAN_INFO, &[flags.to_ne_bytes(), id.to_ne_bytes()].concat());
            }
        });
        assert_eq!(
            parse(body.bytes()),
            Some((7, Vlans::new(None, [VlanSpan { first: 40, last: 40, untagged: false }])))
        );
    }
}
