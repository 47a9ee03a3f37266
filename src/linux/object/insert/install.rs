//! Rules of ours at the head of a chain that belongs to another program or user, in the calling thread's namespace.
//! Only rules with our comment are ever changed.
//!
//! A chain of iptables' tables is read and written by iptables itself ([`iptables`]), any other by nft ([`native`]).
//! Both list a rule in a form of their own, so the wanted rules are put into a chain of a scratch namespace and listed
//! there by the same program: what is listed alike is the same rule.

use super::line::{BUILT_IN, Known, Line, Program, tried};
use super::{iptables, native};
use crate::dialect::nft_script::is_iptables;
use crate::kernel::{Error, ErrorKind};
use crate::linux::object::nft::generation;
use crate::linux::store::record::is_name;
use crate::resource::{ChainRef, Insert, Name, Node, ResourceId, TableRule};

/// The rules of `topology` in `chain`: those that are as `wanted` has them in its words, others as they are listed.
///
/// # Errors
///
/// If the chain cannot be listed.
pub fn observe(node: &Node, topology: &Name, chain: &ChainRef, wanted: Option<&Insert>) -> Result<Insert, Error> {
    let if_present = wanted.is_some_and(|wanted| wanted.if_present);
    let mut insert = Insert {
        node: node.clone(),
        topology: topology.clone(),
        chain: chain.clone(),
        if_present,
        present: false,
        rules: Vec::new(),
        first: true,
    };
    if !generation::has_chain(chain)? {
        return Ok(insert);
    }
    let program = program_of(chain)?;
    let (head, lines) = list(program, chain)?;
    let mine = mine(&mut insert, &lines);
    let Some(wanted) = wanted.filter(|_| !mine.is_empty()) else {
        insert.rules = mine.into_iter().map(TableRule::Listed).collect();
        return Ok(insert);
    };
    let mut known = as_written(program, wanted).unwrap_or_default();
    if !known.iter().flat_map(|(_, lines)| lines).eq(&mine) {
        // What the program does not take is not known; `install` will say why.
        known = as_listed(program, wanted, head.as_deref()).unwrap_or_default();
    }
    insert.rules = recognise(&mine, known);
    Ok(insert)
}

/// The rules of `wanted`'s topology as a listing of its chain has them, without a program being asked anything.
pub fn parse(wanted: &Insert, text: &str) -> Insert {
    let mut insert = Insert { rules: Vec::new(), ..wanted.clone() };
    let (program, lines) = if is_iptables(&wanted.chain) {
        (Program::Iptables, iptables::parse(&wanted.chain, text))
    } else {
        (Program::Nft, native::parse(text).1)
    };
    let mine = mine(&mut insert, &lines);
    insert.rules = recognise(&mine, as_written(program, wanted).unwrap_or_default());
    insert
}

/// The lines of the insert's topology; notes in it that the chain is there, and whether they stand first.
fn mine(insert: &mut Insert, lines: &[Line]) -> Vec<String> {
    insert.present = true;
    let ours = |line: &&Line| line.topology.as_deref() == Some(insert.topology.as_str());
    // Rules of other topologies before ours are no matter: each would say of the other that it is in the way.
    insert.first = lines.iter().skip_while(|line| line.topology.is_some()).all(|line| !ours(&line));
    lines.iter().filter(ours).map(|line| line.text.clone()).collect()
}

/// Makes the rules of the insert's topology in that chain exactly these, at its head, in one transaction.
///
/// # Errors
///
/// If there is no such chain, or its program refuses a rule; nothing is changed then.
pub fn install(insert: &Insert) -> Result<(), Error> {
    replace(insert, &insert.rules)
}

/// Takes all rules of the insert's topology out of that chain. None there is an error.
///
/// # Errors
///
/// If there are no such rules, or the chain's program refuses.
pub fn remove(insert: &Insert) -> Result<(), Error> {
    replace(insert, &[])
}

/// Whether the chain's program takes these rules, tried in a scratch namespace.
///
/// # Errors
///
/// If the program is missing or refuses a rule, which the error names.
pub fn check(insert: &Insert) -> Result<(), Error> {
    let program = if is_iptables(&insert.chain) { Program::Iptables } else { Program::Nft };
    as_listed(program, insert, None).map(|_| ())
}

/// The chains that hold rules with a comment of topo's, and the topology it names, wherever they are but in topo's own
/// tables.
///
/// # Errors
///
/// If the ruleset cannot be read.
pub fn found() -> Result<Vec<(ChainRef, Name)>, Error> {
    let foreign = |(chain, name): &(ChainRef, String)| {
        is_name(name) && !(chain.family == "inet" && chain.table == format!("topo-{name}"))
    };
    Ok(generation::commented()?.into_iter().filter(foreign).map(|(chain, name)| (chain, name.into())).collect())
}

fn replace(insert: &Insert, rules: &[TableRule]) -> Result<(), Error> {
    let refused = |error: Error| error.about(ResourceId::Insert(insert.node.clone(), insert.chain.clone()));
    if !generation::has_chain(&insert.chain)? {
        let help = "make the chain first, or write `if-present: true`";
        return Err(refused(Error::new(ErrorKind::Refused, tried(insert), "there is no such chain").help(help)));
    }
    let program = program_of(&insert.chain)?;
    let (_, lines) = list(program, &insert.chain).map_err(refused)?;
    let old: Vec<&Line> =
        lines.iter().filter(|line| line.topology.as_deref() == Some(insert.topology.as_str())).collect();
    if old.is_empty() && rules.is_empty() {
        return Err(refused(Error::new(ErrorKind::Refused, tried(insert), "there is no rule of this topology in it")));
    }
    match program {
        Program::Iptables => iptables::replace(insert, &old, rules),
        Program::Nft => native::replace(insert, &old, rules),
    }
    .map_err(refused)
}

/// Who made the chain: iptables, by its table's name and its table's shape, else nft or another program who speaks to
/// the kernel as nft does.
fn program_of(chain: &ChainRef) -> Result<Program, Error> {
    if !is_iptables(chain) {
        return Ok(Program::Nft);
    }
    let here = |other: &ChainRef| other.family == chain.family && other.table == chain.table;
    let chains = generation::chains()?;
    let shaped = chains
        .iter()
        .filter(|other| other.base && here(&other.place))
        .all(|other| BUILT_IN.contains(&other.place.chain.as_str()));
    Ok(if shaped { Program::Iptables } else { Program::Nft })
}

/// The chain's head, where nft lists it, and its rules.
fn list(program: Program, chain: &ChainRef) -> Result<(Option<String>, Vec<Line>), Error> {
    match program {
        Program::Iptables => Ok((None, iptables::list(chain)?)),
        Program::Nft => native::list(chain),
    }
}

/// The rules as if they were listed as we write them.
fn as_written(program: Program, insert: &Insert) -> Result<Known, Error> {
    let line = |rule: &TableRule| {
        let lines = match program {
            Program::Iptables => iptables::lines(insert, rule)?,
            Program::Nft => vec![native::line(insert, rule)?],
        };
        Ok((rule.clone(), lines))
    };
    insert.rules.iter().map(line).collect()
}

/// The rules as the program does list them, in a chain with this head.
fn as_listed(program: Program, insert: &Insert, head: Option<&str>) -> Result<Known, Error> {
    let written = as_written(program, insert)?;
    let listed = match program {
        Program::Iptables => iptables::listed(insert, &written)?,
        Program::Nft => native::listed(insert, head, &written)?,
    };
    let mut rest = listed.into_iter().map(|line| line.text);
    Ok(written.into_iter().map(|(rule, lines)| (rule, rest.by_ref().take(lines.len()).collect())).collect())
}

/// Puts wanted rules in the place of the lines that they are listed as.
fn recognise(lines: &[String], mut known: Known) -> Vec<TableRule> {
    let mut rules = Vec::new();
    let mut rest = lines;
    while let Some((line, next)) = rest.split_first() {
        // Of rules that are listed alike the first comes first; each is used up, so that one that stands twice is seen.
        match known.iter().position(|(_, group)| !group.is_empty() && rest.starts_with(group)) {
            Some(at) => {
                let (rule, group) = known.remove(at);
                rest = rest.get(group.len()..).unwrap_or_default();
                rules.push(rule);
            }
            None => {
                rules.push(TableRule::Listed(line.clone()));
                rest = next;
            }
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_the_rules_they_are() {
        let raw = |text: &str| TableRule::Raw(text.to_owned());
        let lines = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let known = vec![(raw("ab"), lines(&["a", "b"])), (raw("c"), lines(&["c"])), (raw("c2"), lines(&["c"]))];
        assert_eq!(recognise(&lines(&["a", "b", "c", "c"]), known.clone()), [raw("ab"), raw("c"), raw("c2")]);
        let listed = |text: &str| TableRule::Listed(text.to_owned());
        assert_eq!(
            recognise(&lines(&["b", "c", "a", "b", "x", "a"]), known),
            [listed("b"), raw("c"), raw("ab"), listed("x"), listed("a")]
        );
    }
}
