//! What rules of NAT and firewall go by: one rule of the file becomes one for each family that it names.

use super::context::Lowering;
use crate::document::schema::firewall::VerdictKey;
use crate::document::schema::matching::Matches;
use crate::document::value::{AddressItem, InterfaceItem, Mark, Ports};
use crate::document::yaml::read::Many;
use crate::document::{Finding, Loc, Place};
use crate::resource::{AddressMatch, AddressRange, Family, IfMatch, PacketRule, Target, Verdict};

/// The family of a prefix or range.
fn family_of(range: &AddressRange) -> Family {
    match range {
        AddressRange::Prefix(net) => Family::of(net),
        AddressRange::Range(first, _) if first.is_ipv4() => Family::V4,
        AddressRange::Range(..) => Family::V6,
    }
}

/// The families that a rule is for; `None` for one that names none. Empty where its values do not go together, which
/// the checks report.
fn families(matches: &Matches, target: Option<&Target>) -> Option<Vec<Family>> {
    let protocol = matches.protocol.as_ref().and_then(|protocol| match protocol.number {
        1 => Some(vec![Family::V4]),
        58 => Some(vec![Family::V6]),
        _ => None,
    });
    let lists = [&matches.source, &matches.destination.addresses]
        .into_iter()
        .flatten()
        .map(|items| items.iter().map(|item| family_of(&item.range)).collect());
    let target = target.map(|target| vec![if target.address.is_ipv4() { Family::V4 } else { Family::V6 }]);
    let named: Vec<Vec<Family>> = lists.chain(protocol).chain(target).collect();
    if named.is_empty() {
        return None;
    }
    Some([Family::V4, Family::V6].into_iter().filter(|family| named.iter().all(|list| list.contains(family))).collect())
}

fn ports(list: &Option<Many<Loc<Ports>>>) -> Vec<(u16, u16)> {
    list.iter().flat_map(|list| list.iter()).map(|ports| (ports.first, ports.last)).collect()
}

/// The mark and mask of a rule.
pub(super) fn mark(mark: &Option<Loc<Mark>>) -> Option<(u32, u32)> {
    mark.as_ref().map(|mark| (mark.value.value, mark.mask))
}

impl Lowering<'_> {
    /// `verdict` for what `matches`, as one rule, or one for each family.
    pub fn packets(
        &mut self,
        matches: &Matches,
        set_mark: Option<(u32, u32)>,
        verdict: Option<Verdict>,
    ) -> Vec<PacketRule> {
        let target = match &verdict {
            Some(Verdict::Snat(target) | Verdict::Dnat(target)) => Some(target),
            _ => None,
        };
        let families = families(matches, target);
        let common = PacketRule {
            input: self.interface_match(&matches.input),
            output: self.interface_match(&matches.output),
            protocol: matches.protocol.as_ref().map(|protocol| protocol.name.clone()),
            icmp_type: matches.icmp_type.as_ref().map(|kind| kind.0.clone()),
            port: ports(&matches.port),
            source_port: ports(&matches.source_port),
            state: matches.state.iter().flat_map(|list| list.iter()).map(|state| state.word().to_owned()).collect(),
            mark: mark(&matches.mark),
            limit: matches.limit.as_ref().map(|limit| (limit.packets, limit.per.to_owned())),
            local: matches.destination.local.is_some(),
            set_mark,
            verdict,
            ..PacketRule::default()
        };
        let Some(families) = families else { return vec![common] };
        families
            .into_iter()
            .map(|family| PacketRule {
                family: Some(family),
                source: self.address_match(&matches.source, family),
                destination: self.address_match(&matches.destination.addresses, family),
                ..common.clone()
            })
            .collect()
    }

    /// A list either is what is meant, or what is not.
    fn same_sense(&mut self, senses: impl Iterator<Item = (bool, Place)>) -> bool {
        let senses: Vec<(bool, Place)> = senses.collect();
        let Some((not, first)) = senses.first().copied() else { return false };
        if let Some((_, place)) = senses.iter().find(|(other, _)| *other != not) {
            let finding = Finding::error("mixed-not", *place, "the list mixes what is meant and what is not")
                .also(first, "the other kind");
            self.note(finding.help("write `!` before all of them or before none"));
        }
        not
    }

    fn interface_match(&mut self, list: &Option<Many<Loc<InterfaceItem>>>) -> Option<IfMatch> {
        let list = list.as_ref()?;
        let not = self.same_sense(list.iter().map(|item| (item.not, item.place)));
        Some(IfMatch { not, names: list.iter().map(|item| item.name.clone()).collect() })
    }

    fn address_match(&mut self, list: &Option<Many<Loc<AddressItem>>>, family: Family) -> Option<AddressMatch> {
        let list = list.as_ref()?;
        let not = self.same_sense(list.iter().map(|item| (item.not, item.place)));
        Some(AddressMatch {
            not,
            items: list.iter().map(|item| item.range).filter(|range| family_of(range) == family).collect(),
        })
    }
}

/// Whether a switch that is off by default is on.
pub(super) fn on(switch: &Option<Loc<bool>>) -> bool {
    switch.as_ref().is_some_and(|on| on.value)
}

/// A rule of the firewall: typed, or a line of nft's.
pub(super) enum Wanted<'d> {
    /// In the words of the language.
    Typed(Option<Verdict>, bool, Option<String>),
    /// In nft's words.
    Raw(&'d str),
}

/// What a verdict of the file is.
pub(super) fn wanted(key: Option<&VerdictKey>) -> Wanted<'_> {
    let (verdict, counter, log) = match key {
        None => return Wanted::Typed(None, false, None),
        Some(VerdictKey::Nft(line)) => return Wanted::Raw(&line.0),
        Some(VerdictKey::Accept(plain)) => (Verdict::Accept, &plain.counter, &plain.log),
        Some(VerdictKey::Drop(plain)) => (Verdict::Drop, &plain.counter, &plain.log),
        Some(VerdictKey::Reject(reject)) => {
            (Verdict::Reject(reject.with.as_ref().map(|with| with.word().to_owned())), &reject.counter, &reject.log)
        }
    };
    Wanted::Typed(Some(verdict), on(counter), log.as_ref().map(|log| log.0.clone()))
}
