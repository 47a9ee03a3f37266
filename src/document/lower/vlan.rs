//! VLANs of the ports of a bridge, and the hardware addresses behind them.

use super::context::Lowering;
use crate::document::schema::interface::{KindKey, PortVlan, Station};
use crate::document::schema::kind::Bridge;
use crate::document::value::VlanRange;
use crate::document::{Finding, Loc, Place};
use crate::resource::{Fdb, FdbTarget, Kind, Link, LinkId, Mac, Owner, Resource, Setting, VlanSpan, Vlans};

/// What the file knows of the bridge that a link is a port of, or is.
enum Filter {
    /// It filters VLANs, and gives this one to who says none.
    On(u16),
    /// It does not, or is no bridge at all.
    Off(Finding),
    /// It is foreign.
    Unknown,
}

/// What `bridge` says of filtering; `place` is where it matters.
fn filter(bridge: &Bridge, id: &LinkId, place: Place) -> Filter {
    if bridge.vlan_filtering.as_ref().is_some_and(|on| on.value) {
        return Filter::On(bridge.vlan_default_pvid.as_ref().map_or(1, |pvid| pvid.u16()));
    }
    let finding = Finding::error("no-vlan-filtering", place, format!("the bridge {id} does not filter VLANs"))
        .also(bridge.place, "the bridge");
    Filter::Off(finding.help("give it `vlan-filtering: true`"))
}

impl Lowering<'_> {
    /// The VLANs of a port, or of a bridge itself.
    pub fn vlans(&mut self, link: &mut Link, said: Option<&PortVlan>) {
        let said = said.filter(|_| !self.speaks_for_the_other_end(link));
        let written = said.map(|said| self.port_vlan(said));
        match (self.filter_of(link, said.map_or_else(Place::default, |said| said.place)), written) {
            (Filter::Off(finding), Some(_)) => self.note(finding),
            (Filter::On(_) | Filter::Unknown, Some(vlans)) => link.vlans = Setting::Is(vlans),
            // On a foreign link only what is written counts.
            (Filter::On(pvid), None) if link.marked => link.vlans = Setting::Is(Vlans::by_default(pvid)),
            _ => {}
        }
    }

    /// Whether keys for a port mean the other end of the pair, which has no name.
    fn speaks_for_the_other_end(&self, link: &Link) -> bool {
        link.peer.as_ref().and_then(|peer| self.index.ends.get(peer)).is_some_and(|end| end.plugged)
    }

    fn filter_of(&self, link: &Link, place: Place) -> Filter {
        if let (Kind::Bridge, Some(KindKey::Bridge(bridge))) = (&link.kind, self.index.kind(&link.id)) {
            return filter(bridge, &link.id, place);
        }
        let Some(master) = self.index.masters.get(&link.id) else {
            if link.kind == Kind::Any {
                return Filter::Unknown;
            }
            return Filter::Off(
                Finding::error("not-a-port", place, format!("{} is not a port of a bridge", link.id))
                    .help("list it in the bridge's ports"),
            );
        };
        let id = LinkId { node: link.id.node.clone(), name: master.name.clone() };
        match self.index.kind(&id) {
            Some(KindKey::Bridge(bridge)) => filter(bridge, &id, place),
            Some(KindKey::Existing(_)) => Filter::Unknown,
            _ => Filter::Off(Finding::error(
                "not-a-port",
                place,
                format!("{id} is not a bridge: its ports have no VLANs and no forwarding entries"),
            )),
        }
    }

    /// What is written as VLANs.
    fn port_vlan(&mut self, said: &PortVlan) -> Vlans {
        let PortVlan { access, trunk, native, untagged, pvid, place } = said;
        let others = trunk.is_some() || untagged.is_some() || native.is_some() || pvid.is_some();
        if let Some(access) = access {
            if others {
                self.note(Finding::error(
                    "port-vlan",
                    access.place,
                    "`access` stands alone, without `trunk` and `native`",
                ));
            }
            return Vlans::access(access.u16());
        }
        if trunk.is_none() && untagged.is_none() {
            let finding = Finding::error("port-vlan", *place, "`port-vlan` needs `access` or `trunk`");
            self.note(match native {
                Some(native) => finding.help(format!("one VLAN without a tag is `access: {}`", native.0)),
                None => finding,
            });
        }
        let lists = [(trunk, false), (untagged, true)]
            .map(|(list, untagged)| list.iter().flat_map(|list| &list.0).map(move |range| (range, untagged)));
        let ranges: Vec<(&Loc<VlanRange>, bool)> = lists.into_iter().flatten().collect();
        self.listed_twice(&ranges);
        let spans = || {
            ranges.iter().map(|(range, untagged)| VlanSpan {
                first: range.first,
                last: range.last,
                untagged: *untagged,
            })
        };
        let member = |id: u16| spans().any(|span| !span.untagged && (span.first..=span.last).contains(&id));
        match (native, pvid) {
            (Some(_), Some(pvid)) => self.note(Finding::error(
                "port-vlan",
                pvid.place,
                "there is one VLAN for frames without a tag: `native` or `pvid`",
            )),
            (None, Some(pvid)) if !member(pvid.u16()) => {
                let finding =
                    Finding::error("port-vlan", pvid.place, format!("`pvid` is {}, which is not in `trunk`", pvid.0));
                self.note(finding.help("a VLAN that leaves without a tag is `native`"));
            }
            _ => {}
        }
        let own = native.as_ref().map(|native| VlanSpan { first: native.u16(), last: native.u16(), untagged: true });
        let id = native.as_ref().or(pvid.as_ref()).map(|id| id.u16());
        Vlans::new(id, spans().chain(own))
    }

    /// A VLAN in two lists, or twice in one. Only the first is reported: a hostile file has millions.
    fn listed_twice(&mut self, ranges: &[(&Loc<VlanRange>, bool)]) {
        let mut ranges: Vec<&Loc<VlanRange>> = ranges.iter().map(|(range, _)| *range).collect();
        ranges.sort_by_key(|range| (range.first, range.place));
        let overlap = ranges.iter().zip(ranges.iter().skip(1)).find(|(one, other)| other.first <= one.last);
        let Some((one, other)) = overlap else { return };
        let (first, second) = if one.place < other.place { (one.place, other.place) } else { (other.place, one.place) };
        let finding = Finding::error("vlan-twice", second, format!("the VLAN {} is listed twice", other.first))
            .also(first, "here already");
        self.note(finding.help("a VLAN is in one list, once"));
    }

    /// The hardware addresses behind a port.
    pub fn stations(&mut self, link: &Link, said: Option<&[Station]>, path: &str) {
        let Some(said) = said.filter(|_| !self.speaks_for_the_other_end(link)) else { return };
        if let Some(station) = said.first().filter(|_| link.kind == Kind::Bridge) {
            let message = format!("{} is a bridge, and `fdb` lists what is behind one of its ports", link.id);
            self.note(
                Finding::error("not-a-port", station.place, message)
                    .help("write it at the port; the address that the bridge has itself is its `mac`"),
            );
            return;
        }
        for (nth, station) in said.iter().enumerate() {
            let mac = station.mac.value;
            let [first, ..] = mac.0;
            if mac == Mac([0; 6]) || first & 1 == 1 {
                self.note(Finding::error(
                    "mac-unusable",
                    station.mac.place,
                    format!("{mac} is no interface's hardware address"),
                ));
                continue;
            }
            let place = station.vlan.as_ref().map_or(station.place, |vlan| vlan.place);
            let vlan = station.vlan.as_ref().map(|vlan| vlan.u16());
            let ids: Vec<u16> = match (self.filter_of(link, place), vlan, link.vlans.get()) {
                (Filter::Off(finding), ..) if vlan.is_some() || finding.code == "not-a-port" => {
                    self.note(finding);
                    continue;
                }
                (Filter::On(_), Some(id), Some(vlans)) if !vlans.contains(id) => {
                    let finding = Finding::error(
                        "not-a-member",
                        place,
                        format!("{} is not in the VLAN {id}: it has {vlans}", link.id),
                    );
                    self.note(finding.help("name a VLAN of its `port-vlan`, or leave `vlan` out for all of them"));
                    continue;
                }
                (_, Some(id), _) => vec![id],
                // On a bridge that filters every frame is in a VLAN, and an entry is for one.
                (Filter::On(_), None, Some(vlans)) => vlans.ids().collect(),
                (_, None, _) => vec![0],
            };
            for id in ids {
                let fdb = Fdb { link: link.id.clone(), mac, to: FdbTarget::Port(id) };
                if self.state.get(&fdb.id()).is_some() {
                    self.note(Finding::error("duplicate-entry", station.place, format!("{mac} is listed twice")));
                    break;
                }
                self.put(Resource::Fdb(fdb), Owner::Ours, station.place, format!("{path}.fdb[{nth}]"));
            }
        }
    }
}
