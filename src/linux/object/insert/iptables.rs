//! Chains of iptables' tables, read and written by `iptables-nft` and `ip6tables-nft`, so that `iptables -S` and a save
//! and restore keep every rule whole.

use super::line::{BUILT_IN, Known, Line, tried};
use crate::dialect::iptables_read::words;
use crate::dialect::nft_script::iptables_args;
use crate::kernel::{Error, ErrorKind};
use crate::linux::netns;
use crate::linux::object::nft::TOO_LONG;
use crate::linux::process::run;
use crate::resource::{ChainRef, Family, Insert, TableRule};

fn family(chain: &ChainRef) -> Family {
    if chain.family == "ip6" { Family::V6 } else { Family::V4 }
}

/// `iptables-nft`, `ip6tables-nft-restore`.
fn program(chain: &ChainRef, restore: bool) -> &'static str {
    match (family(chain), restore) {
        (Family::V4, false) => "iptables-nft",
        (Family::V6, false) => "ip6tables-nft",
        (Family::V4, true) => "iptables-nft-restore",
        (Family::V6, true) => "ip6tables-nft-restore",
    }
}

/// The rules of the chain.
///
/// # Errors
///
/// If iptables is missing or there is no such chain.
pub fn list(chain: &ChainRef) -> Result<Vec<Line>, Error> {
    named(chain)?;
    let program = program(chain, false);
    let output = run::run(program, &["-t", &chain.table, "-S", &chain.chain], "")?;
    if !output.success() {
        return Err(Error::new(
            ErrorKind::Refused,
            format!("{program} -t {} -S {}", chain.table, chain.chain),
            output.stderr.trim(),
        ));
    }
    Ok(parse(chain, &output.stdout))
}

/// Reads what `iptables -S` prints.
pub fn parse(chain: &ChainRef, text: &str) -> Vec<Line> {
    let start = format!("-A {}", chain.chain);
    text.lines().filter_map(|line| line.strip_prefix(&start)).map(|rest| read(rest.trim_start())).collect()
}

/// A rule, from its line behind the chain's name.
fn read(text: &str) -> Line {
    let words = words(text);
    let comments = words.windows(2).filter(|pair| pair.first().is_some_and(|flag| flag == "--comment"));
    let topology = comments.filter_map(|pair| pair.last()?.strip_prefix("topo:")).next().map(str::to_owned);
    Line { text: text.to_owned(), topology, handle: 0 }
}

/// A rule as iptables is given it, and mostly lists it; several where one is not enough.
///
/// # Errors
///
/// What iptables has no words for.
pub fn lines(insert: &Insert, rule: &TableRule) -> Result<Vec<String>, Error> {
    let refused = |why: String| {
        Error::new(ErrorKind::Refused, format!("{}, rule `{}`", tried(insert), rule.text(&insert.topology)), why)
    };
    match rule {
        TableRule::Typed(typed) => {
            let lines = iptables_args(typed, family(&insert.chain), &insert.topology).map_err(refused)?;
            Ok(lines.iter().map(|words| words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")).collect())
        }
        TableRule::Listed(text) if text.chars().any(char::is_control) => {
            Err(refused("a control character in it".to_owned()))
        }
        TableRule::Listed(text) => Ok(vec![text.clone()]),
        TableRule::Raw(_) => Err(refused(
            "a rule in nft's words does not survive in a chain of iptables: write it in the words of the language"
                .to_owned(),
        )),
    }
}

/// The rules as iptables lists them, found out in a scratch namespace.
///
/// # Errors
///
/// If iptables is missing or refuses a rule.
pub fn listed(insert: &Insert, written: &Known) -> Result<Vec<Line>, Error> {
    named(&insert.chain)?;
    let chain = &insert.chain.chain;
    let mut lines = Vec::new();
    if !BUILT_IN.contains(&chain.as_str()) {
        lines.push(format!(":{chain} - [0:0]"));
    }
    let rules: Vec<&String> = written.iter().flat_map(|(_, lines)| lines).collect();
    lines.extend(rules.iter().map(|text| format!("-A {chain} {text}")));
    let listed = netns::scratch(|| restore(insert, &lines).and_then(|()| list(&insert.chain)))?;
    if listed.len() == rules.len() {
        return Ok(listed);
    }
    Err(Error::new(
        ErrorKind::Refused,
        tried(insert),
        format!("iptables made {} rules of {}", listed.len(), rules.len()),
    ))
}

/// Takes `old` out and puts `rules` at the head, in one transaction. What goes is named by all it says, its comment
/// included, not by its number: whatever others do meanwhile, no rule of theirs can be meant.
///
/// # Errors
///
/// If iptables is missing or refuses a rule; nothing is changed then.
pub fn replace(insert: &Insert, old: &[&Line], rules: &[TableRule]) -> Result<(), Error> {
    named(&insert.chain)?;
    let chain = &insert.chain.chain;
    let mut lines: Vec<String> = old.iter().map(|line| format!("-D {chain} {}", line.text)).collect();
    let mut place = 0;
    for rule in rules {
        for text in self::lines(insert, rule)? {
            place += 1;
            lines.push(format!("-I {chain} {place} {text}"));
        }
    }
    restore(insert, &lines)
}

/// One transaction; the error names the line that is wrong.
fn restore(insert: &Insert, lines: &[String]) -> Result<(), Error> {
    let program = program(&insert.chain, true);
    let script = format!("*{}\n{}\nCOMMIT\n", insert.chain.table, lines.join("\n"));
    let output = run::run(program, &["--noflush"], &script)?;
    if output.success() {
        return Ok(());
    }
    // Either "line 3 failed" or "Error occurred at line: 3"; the first line is the table's.
    let numbers = output.stderr.split("line").skip(1).filter_map(|rest| {
        rest.trim_start_matches([' ', ':']).split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    });
    let line = numbers.filter_map(|number: usize| lines.get(number.checked_sub(2)?)).next();
    let what = line.map(|line| format!(", `{line}`")).unwrap_or_default();
    let reason =
        output.stderr.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason given").trim().to_owned();
    let long = reason.contains("Message too long");
    let error = Error::new(ErrorKind::Refused, format!("{}{}", tried(insert), if long { "" } else { &what }), reason);
    Err(if long { error.help(TOO_LONG) } else { error })
}

/// Refuses names that would be more than a name in iptables' input.
fn named(chain: &ChainRef) -> Result<(), Error> {
    let plain = |name: &str| {
        !name.is_empty()
            && !name.starts_with('-')
            && name.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '\\'))
    };
    if plain(&chain.table) && plain(&chain.chain) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, format!("name the chain {chain}"), "not a name that iptables takes"))
}

/// A word as iptables prints and reads it: in quotes where it has other characters than those it prints bare.
fn quote(word: &str) -> String {
    // Options and their plain values are never quoted, only texts are: those with a colon, a blank and the like.
    let bare = |c: char| c.is_ascii_alphanumeric() || "_-.,/:[]!+=".contains(c);
    if !word.is_empty() && word.chars().all(bare) && !word.starts_with("topo:") {
        return word.to_owned();
    }
    let escaped: String =
        word.chars().flat_map(|c| if matches!(c, '"' | '\\' | '\'') { vec!['\\', c] } else { vec![c] }).collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_quoting() {
        for word in [
            "plain",
            "",
            "two words",
            "a \"b\" c",
            "back\\slash",
            "it's",
            "topo:lab",
            "10.0.0.0/8",
            "[fd00::2]:80",
            "x$y;#",
        ] {
            assert_eq!(words(&format!("-a {} -b", quote(word))), ["-a", word, "-b"]);
        }
    }

    #[test]
    fn only_the_comment_match_is_a_mark() {
        let topology = |text: &str| read(text).topology;
        assert_eq!(topology("-i a -m comment --comment \"topo:lab\" -j ACCEPT").as_deref(), Some("lab"));
        assert_eq!(topology("-j LOG --log-prefix \"--comment topo:lab\""), None);
        assert_eq!(topology("-m comment --comment \"see topo:lab\" -j ACCEPT"), None);
    }
}
