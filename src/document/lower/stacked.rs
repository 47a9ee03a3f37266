//! Kinds that depend on another interface or hold others: vlan, macvlan, ipvlan, vrf, bond, tun.

use super::context::Lowering;
use super::node::At;
use crate::document::schema::kind::{Bond, BondMode, Ipvlan, Macvlan, Tun, Vlan, Vrf};
use crate::document::value::Milliseconds;
use crate::document::{Finding, Loc, Place};
use crate::resource::{Kind, Link, LinkId, Options, TableId, Value};

/// How often the modes that cannot do without look at the carrier, in milliseconds, where nothing says
/// (`BOND_DEFAULT_MIIMON`).
const MIIMON: u64 = 100;

/// Puts in what is written.
pub(super) fn put(options: &mut Options, name: &'static str, value: Option<Value>) {
    if let Some(value) = value {
        options.insert(name.into(), value);
    }
}

/// A switch that is written.
pub(super) fn switch(value: &Option<Loc<bool>>) -> Option<Value> {
    value.as_ref().map(|on| Value::Bool(on.value))
}

impl<'d> Lowering<'d> {
    /// A VLAN.
    pub fn vlan(&mut self, at: &At<'d>, id: LinkId, vlan: &Vlan) -> Option<Link> {
        let mut link = Link::bare(id, Kind::Vlan);
        link.link = Some(self.resolve(at, &vlan.link)?);
        let options = &mut link.options;
        put(options, "id", Some(Value::Number(vlan.id.0)));
        put(options, "protocol", vlan.protocol.as_ref().map(|protocol| Value::word(protocol.word())));
        let switches = [
            ("reorder-header", &vlan.reorder_header),
            ("gvrp", &vlan.gvrp),
            ("mvrp", &vlan.mvrp),
            ("loose-binding", &vlan.loose_binding),
            ("bridge-binding", &vlan.bridge_binding),
        ];
        for (name, on) in switches {
            put(options, name, switch(on));
        }
        Some(link)
    }

    /// A macvlan or macvtap.
    pub fn macvlan(&mut self, at: &At<'d>, id: LinkId, kind: Kind, macvlan: &Macvlan) -> Option<Link> {
        let mut link = Link::bare(id, kind);
        link.link = Some(self.resolve(at, &macvlan.link)?);
        put(&mut link.options, "mode", macvlan.mode.as_ref().map(|mode| Value::word(mode.word())));
        Some(link)
    }

    /// An ipvlan.
    pub fn ipvlan(&mut self, at: &At<'d>, id: LinkId, ipvlan: &Ipvlan) -> Option<Link> {
        let mut link = Link::bare(id, Kind::Ipvlan);
        link.link = Some(self.resolve(at, &ipvlan.link)?);
        put(&mut link.options, "mode", ipvlan.mode.as_ref().map(|mode| Value::word(mode.word())));
        put(&mut link.options, "flag", ipvlan.flag.as_ref().map(|flag| Value::word(flag.word())));
        Some(link)
    }

    /// A VRF. A table by name is a word until the machine has been asked for its number.
    pub fn vrf(&mut self, id: LinkId, vrf: &Vrf) -> Link {
        let mut link = Link::bare(id, Kind::Vrf);
        let table = match &vrf.table.value {
            TableId::Number(number @ (0 | 253..=255)) => {
                let finding = Finding::error(
                    "bad-table",
                    vrf.table.place,
                    format!("a vrf cannot have the table {number}: every namespace uses it"),
                );
                self.note(finding.help("use another number, 100 for example"));
                Value::Number((*number).into())
            }
            TableId::Number(number) => Value::Number((*number).into()),
            TableId::Name(name) => Value::word(name),
        };
        put(&mut link.options, "table", Some(table));
        link
    }

    /// A tun or tap. A user by name is a word until the machine has been asked for its number.
    pub fn tun(&mut self, id: LinkId, kind: Kind, tun: &Tun) -> Link {
        let mut link = Link::bare(id, kind);
        let user = |name: &str| name.parse().map_or_else(|_| Value::word(name), Value::Number);
        put(&mut link.options, "owner", tun.owner.as_ref().map(|name| user(&name.0)));
        put(&mut link.options, "group", tun.group.as_ref().map(|name| user(&name.0)));
        put(&mut link.options, "multi-queue", switch(&tun.multi_queue));
        link
    }

    /// A bond.
    pub fn bond(&mut self, id: LinkId, bond: &Bond) -> Link {
        let mut link = Link::bare(id.clone(), Kind::Bond);
        let mode = bond.mode.as_ref().map_or(BondMode::RoundRobin, |mode| mode.value);
        let words = [
            ("mode", bond.mode.as_ref().map(|word| word.word())),
            ("primary", bond.primary.as_ref().map(|name| name.value.as_str())),
            ("primary-reselect", bond.primary_reselect.as_ref().map(|word| word.word())),
            ("fail-over-mac", bond.fail_over_mac.as_ref().map(|word| word.word())),
            ("lacp-rate", bond.lacp_rate.as_ref().map(|word| word.word())),
            ("transmit-hash-policy", bond.transmit_hash_policy.as_ref().map(|word| word.word())),
            ("ad-select", bond.ad_select.as_ref().map(|word| word.word())),
        ];
        for (name, word) in words {
            put(&mut link.options, name, word.map(Value::word));
        }
        put(&mut link.options, "min-links", bond.min_links.as_ref().map(|number| Value::Number(number.0)));
        let monitored = matches!(mode, BondMode::Lacp | BondMode::Tlb | BondMode::Alb);
        let miimon = bond
            .miimon
            .as_ref()
            .and_then(|miimon| self.millis("miimon", miimon))
            .or(monitored.then_some(MIIMON))
            .unwrap_or(0);
        put(&mut link.options, "miimon", Some(Value::Millis(miimon)));
        for (name, delay) in [("up-delay", &bond.up_delay), ("down-delay", &bond.down_delay)] {
            let Some(delay) = delay else { continue };
            let Some(millis) = self.millis(name, delay) else { continue };
            if millis > 0 && (miimon == 0 || millis % miimon != 0) {
                let (message, help) = if miimon == 0 {
                    (
                        format!("`{name}` means nothing where the carrier is never looked at"),
                        "write a `miimon` too, 100ms for example".to_owned(),
                    )
                } else {
                    let up = millis.div_ceil(miimon) * miimon;
                    (
                        format!("`{name}` is {millis}ms, and is counted in steps of `miimon`, which is {miimon}ms"),
                        format!("write {up}ms, for example"),
                    )
                };
                self.note(Finding::error("bond-delay", delay.place, message).help(help));
            }
            put(&mut link.options, name, Some(Value::Millis(millis)));
        }
        self.bond_modes(&id, bond, mode);
        link
    }

    /// What only some modes know (`unsuppmodes` of `bond_opts` in `drivers/net/bonding/bond_options.c`).
    fn bond_modes(&mut self, id: &LinkId, bond: &Bond, mode: BondMode) {
        let one_of_all: &[BondMode] = &[BondMode::ActiveBackup, BondMode::Tlb, BondMode::Alb];
        let needs: [(&str, Option<Place>, &[BondMode]); 5] = [
            ("primary", bond.primary.as_ref().map(|it| it.place), one_of_all),
            ("primary-reselect", bond.primary_reselect.as_ref().map(|it| it.place), one_of_all),
            ("fail-over-mac", bond.fail_over_mac.as_ref().map(|it| it.place), &[BondMode::ActiveBackup]),
            ("lacp-rate", bond.lacp_rate.as_ref().map(|it| it.place), &[BondMode::Lacp]),
            ("ad-select", bond.ad_select.as_ref().map(|it| it.place), &[BondMode::Lacp]),
        ];
        for (name, place, modes) in needs {
            let Some(place) = place.filter(|_| !modes.contains(&mode)) else { continue };
            let list = modes.iter().map(|mode| mode.word()).collect::<Vec<_>>().join(", ");
            let finding = Finding::error("bond-mode", place, format!("`{name}` means nothing in mode {}", mode.word()));
            self.note(finding.help(format!(
                "it belongs to {}: write that `mode`, or leave `{name}` out",
                if modes.len() > 1 { format!("one of {list}") } else { list }
            )));
        }
        if let Some(primary) = &bond.primary {
            let port = LinkId { node: id.node.clone(), name: primary.value.clone() };
            if self.index.masters.get(&port).is_none_or(|master| master.name != id.name) {
                let finding = Finding::error(
                    "bad-reference",
                    primary.place,
                    format!("the primary {:?} is no port of {:?}", primary.as_str(), id.name.as_str()),
                );
                self.note(finding.help("list it in the bond's ports"));
            }
        }
        if let (Some(reduced), false) = (
            &bond.miimon,
            matches!(mode, BondMode::RoundRobin | BondMode::ActiveBackup | BondMode::Xor | BondMode::Broadcast),
        ) && reduced.nanoseconds == 0
        {
            let finding =
                Finding::error("bond-mode", reduced.place, format!("mode {} has to look at the carrier", mode.word()));
            self.note(finding.help("leave `miimon` out, or write 100ms"));
        }
    }

    /// A duration in whole milliseconds.
    fn millis(&mut self, name: &str, duration: &Loc<Milliseconds>) -> Option<u64> {
        let millis = duration.nanoseconds.is_multiple_of(1_000_000).then_some(duration.nanoseconds / 1_000_000);
        if millis.is_none_or(|millis| millis > i32::MAX.unsigned_abs().into()) {
            self.note(
                Finding::error("bad-duration", duration.place, format!("`{name}` is counted in whole milliseconds"))
                    .help("write 100ms, for example"),
            );
            return None;
        }
        millis
    }
}
