//! Chains of nft tables that are not iptables'.

use super::line::{Known, Line, tried};
use crate::dialect::nft_script::{comment, is_identifier, raw_fault};
use crate::kernel::{Error, ErrorKind};
use crate::linux::netns;
use crate::linux::object::nft::{Listing, message};
use crate::linux::process::run;
use crate::resource::{ChainRef, Insert, TableRule};

/// The head of the chain and its rules.
///
/// # Errors
///
/// If nft is missing or there is no such chain.
pub fn list(chain: &ChainRef) -> Result<(Option<String>, Vec<Line>), Error> {
    named(chain)?;
    let output = run::run("nft", &["-s", "-y", "-a", "list", "chain", &chain.family, &chain.table, &chain.chain], "")?;
    if !output.success() {
        return Err(Error::new(ErrorKind::Refused, format!("nft list chain {chain}"), message(&output.stderr)));
    }
    Ok(parse(&output.stdout))
}

/// Reads what `nft -a list chain` prints.
pub fn parse(text: &str) -> (Option<String>, Vec<Line>) {
    // The handle of what a brace opens stands behind the brace, where nothing needs it.
    let text: String = text
        .lines()
        .map(|line| line.split_once(" { # handle ").map_or(line.to_owned(), |(title, _)| format!("{title} {{")) + "\n")
        .collect();
    let listing = Listing::read(&text);
    let Some(block) = listing.blocks.first() else { return (None, Vec::new()) };
    let head = block.head().map(str::to_owned).unwrap_or_default();
    (Some(head), block.rules().iter().map(|line| read(line)).collect())
}

/// A rule, from its listing with handle.
fn read(line: &str) -> Line {
    let (text, handle) = match line.rsplit_once(" # handle ") {
        Some((text, handle)) => (text, handle.parse().unwrap_or(0)),
        None => (line, 0),
    };
    let topology = text.rsplit_once(" comment \"topo:").and_then(|(_, rest)| rest.strip_suffix('"')).map(str::to_owned);
    Line { text: text.to_owned(), topology, handle }
}

/// A rule as nft is given it. All of them carry our comment, raw ones too: the chain is not ours.
///
/// # Errors
///
/// What nft has no words for.
pub fn line(insert: &Insert, rule: &TableRule) -> Result<String, Error> {
    let refused = |why: String| {
        Error::new(ErrorKind::Refused, format!("{}, rule `{}`", tried(insert), rule.text(&insert.topology)), why)
            .about_rule(Some(rule))
    };
    if let Some(fault) = rule.fault() {
        return Err(refused(fault));
    }
    let text = match rule {
        TableRule::Listed(text) => text.clone(),
        rule => rule.in_family(&insert.chain.family) + &comment(&insert.topology),
    };
    match raw_fault(&text) {
        Some(fault) => Err(refused(fault.to_owned())),
        None => Ok(text),
    }
}

/// The rules as nft lists them, found out in a scratch namespace in a chain with the same head (a device is not there,
/// so a chain of netdev gets none).
///
/// # Errors
///
/// If nft is missing or refuses a rule.
pub fn listed(insert: &Insert, head: Option<&str>, written: &Known) -> Result<Vec<Line>, Error> {
    let ChainRef { family, table, chain } = &insert.chain;
    named(&insert.chain)?;
    let head = head
        .filter(|head| !head.is_empty() && family != "netdev")
        .map(|head| format!(" {{ {head} }}"))
        .unwrap_or_default();
    let mut lines = vec![format!("add table {family} {table}"), format!("add chain {family} {table} {chain}{head}")];
    lines.extend(
        written.iter().flat_map(|(_, lines)| lines).map(|text| format!("add rule {family} {table} {chain} {text}")),
    );
    let (_, lines) = netns::scratch(|| told(insert, &lines).and_then(|()| list(&insert.chain)))?;
    Ok(lines)
}

/// Takes `old` out and puts `rules` at the head, in one transaction. (Handles are never used twice, so none can mean a
/// foreign rule.)
///
/// # Errors
///
/// If nft is missing or refuses a rule; nothing is changed then.
pub fn replace(insert: &Insert, old: &[&Line], rules: &[TableRule]) -> Result<(), Error> {
    named(&insert.chain)?;
    let mut lines: Vec<String> =
        old.iter().map(|line| format!("delete rule {} handle {}", insert.chain, line.handle)).collect();
    for rule in rules.iter().rev() {
        lines.push(format!("insert rule {} {}", insert.chain, line(insert, rule)?));
    }
    told(insert, &lines)
}

/// Hands commands to nft; the error names the one that is wrong.
fn told(insert: &Insert, lines: &[String]) -> Result<(), Error> {
    let output = run::run("nft", &["-f", "-"], &(lines.join("\n") + "\n"))?;
    if output.success() {
        return Ok(());
    }
    let number = output
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("/dev/stdin:")?.split(':').next()?.parse::<usize>().ok());
    let wrong = number.and_then(|number| lines.get(number.checked_sub(1)?));
    let shown = wrong.map(|line| format!(", `nft {line}`")).unwrap_or_default();
    // Each rule is reported as one line, which ends with what stands in the file and our comment.
    let own = |rule: &&TableRule| {
        wrong.is_some_and(|wrong| {
            line(insert, rule).is_ok_and(|own| wrong.ends_with(&format!(" {} {own}", insert.chain)))
        })
    };
    let rule = insert.rules.iter().find(own);
    Err(Error::new(ErrorKind::Refused, tried(insert) + &shown, message(&output.stderr)).about_rule(rule))
}

/// Refuses what nft cannot be known as a name.
fn named(chain: &ChainRef) -> Result<(), Error> {
    match [&chain.family, &chain.table, &chain.chain].into_iter().find(|name| !is_identifier(name)) {
        Some(name) => Err(Error::new(
            ErrorKind::Refused,
            format!("name the chain {chain}"),
            format!("nft has no way to write the name {name:?}"),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_and_comments_are_taken_from_the_end() {
        let line = read("log prefix \" # handle 3\" accept comment \"topo:lab\" # handle 7");
        assert_eq!(
            line,
            Line {
                text: "log prefix \" # handle 3\" accept comment \"topo:lab\"".to_owned(),
                topology: Some("lab".to_owned()),
                handle: 7
            }
        );
        assert_eq!(read("accept comment \"mine\" # handle 8").topology, None);
    }
}
