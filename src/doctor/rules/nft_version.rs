//! nft: missing where rules are to be read, or of a version with a known fault.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::resource::{Resource, TableRule};
use crate::survey::numbers;

/// Until this version `nft -j` prints flags of tables as garbage, and leaves out the devices of ingress chains (seen
/// with 1.0.6).
const FAULTY: [u32; 3] = [1, 0, 6];

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let Some(machine) = examined.machine else { return Vec::new() };
    let Some(version) = &machine.nft else { return missing(examined) };
    let unread = examined.wanted.namespaces().any(|namespace| {
        let rules = examined.world.rules(&namespace.node);
        rules.and_then(|rules| rules.unread.as_deref()).is_some_and(|why| why.contains("listing of nft"))
    });
    if !unread || numbers(version).take(3).collect::<Vec<_>>().as_slice() > FAULTY.as_slice() {
        return Vec::new();
    }
    let what = format!("nft {version} prints a table with flags as garbage in JSON");
    let why = "One dormant table of any program is enough, and topo cannot say what the rules of that namespace do. Later \
               versions print it.";
    vec![
        Finding::new(Code::NftVersion, Severity::Warning, what, why)
            .run("see which table it is", "nft list ruleset | grep -B1 flags"),
    ]
}

/// The program is needed for rules in nft's own words, and to read those of others.
fn missing(examined: &Examined<'_>) -> Vec<Finding> {
    let raw = |rule: &TableRule| matches!(rule, TableRule::Raw(_));
    let needs = examined.wanted.resources().find(|resource| match resource {
        Resource::Table(table) => table.chains.iter().flat_map(|chain| &chain.rules).any(raw),
        Resource::Insert(_) => true,
        _ => false,
    });
    let Some(resource) = needs else { return Vec::new() };
    let why = "It checks rules in nft's own words, and lists the chains of others that the file puts rules into.";
    let finding = Finding::new(Code::NftVersion, Severity::Error, "the program nft is missing", why);
    vec![finding.about(resource.id()).run("install it", "apt-get install nftables")]
}
