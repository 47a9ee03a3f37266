//! What rules counted, as the kernel has it: no program is needed to read it.

use super::generation::rules;
use crate::dialect::nft_script::table_name;
use crate::kernel::Error;
use crate::linux::netlink::attributes::Attributes;
use crate::linux::netns;
use crate::linux::netns::places::Places;
use crate::resource::{ChainRef, Count, Counts, Node, Resource, State};
use std::collections::BTreeMap;

/// Reads what the rules of `state` counted, those of its tables and those in foreign chains.
///
/// # Errors
///
/// If a namespace cannot be entered or its ruleset cannot be read.
pub fn read(state: &State, places: &Places) -> Result<Counts, Error> {
    let mut chains: BTreeMap<&Node, Vec<(ChainRef, bool)>> = BTreeMap::new();
    for resource in state.resources() {
        match resource {
            Resource::Table(table) if table.counts() => {
                let of = |chain: &str| ChainRef {
                    family: "inet".to_owned(),
                    table: table_name(&table.topology),
                    chain: chain.to_owned(),
                };
                chains
                    .entry(&table.node)
                    .or_default()
                    .extend(table.chains.iter().map(|chain| (of(&chain.name), false)));
            }
            Resource::Insert(insert) if insert.present => {
                chains.entry(&insert.node).or_default().push((insert.chain.clone(), true))
            }
            _ => {}
        }
    }
    let topology = state.topology.as_str();
    let jobs = chains.iter().map(|(node, chains)| {
        let read = move || {
            chains
                .iter()
                .map(|(chain, marked)| of(chain, marked.then_some(topology)))
                .collect::<Result<Vec<_>, Error>>()
        };
        netns::job(places.of(node), read)
    });
    let answers = netns::run(netns::READERS, jobs.collect());
    let mut counts = Counts::new();
    for ((node, chains), answer) in chains.iter().zip(answers) {
        counts.extend(chains.iter().map(|(chain, _)| ((*node).clone(), chain.clone())).zip(answer??));
    }
    Ok(counts)
}

/// What the rules of a chain counted; only those with the comment of `topology` where one is given.
fn of(chain: &ChainRef, topology: Option<&str>) -> Result<Vec<Option<Count>>, Error> {
    let rules = rules(chain)?;
    let meant =
        rules.iter().filter(|(_, names)| topology.is_none_or(|topology| names.iter().any(|name| name == topology)));
    Ok(meant.map(|(expressions, _)| count(Attributes(expressions.as_slice()))).collect())
}

/// What the first `counter` among expressions counted (`NFTA_LIST_ELEM`, `NFTA_EXPR_NAME`, `NFTA_EXPR_DATA`,
/// `NFTA_COUNTER_BYTES`, `NFTA_COUNTER_PACKETS`).
fn count(expressions: Attributes<'_>) -> Option<Count> {
    let counter = expressions
        .map(|(_, expression)| Attributes(expression))
        .find(|expression| expression.text(1).as_deref() == Some("counter"))?;
    let data = counter.inner(2);
    let number = |kind| data.get(kind).and_then(<[u8]>::first_chunk).map(|bytes| u64::from_be_bytes(*bytes));
    Some(Count { packets: number(2)?, bytes: number(1)? })
}
