//! The packet rules of the calling thread's namespace, in the words of the program that each table belongs to.

use crate::kernel::{Error, ErrorKind};
use crate::linux::object::nft::generation::{generation, tables};
use crate::linux::object::nft::{Block, Listing, message};
use crate::linux::process::run;
use crate::survey::{Base, Program, RuleChain, Ruleset};

/// How often a listing that another program's change interrupted is begun again.
const ATTEMPTS: usize = 10;
/// The tables of iptables, and the chains that they begin with.
const TABLES: [&str; 5] = ["filter", "nat", "mangle", "raw", "security"];
const BUILT_IN: [&str; 5] = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

/// All tables, and what could not be read of them, a line each. A namespace without any costs no program.
pub(super) fn read() -> Result<(Vec<Ruleset>, Vec<String>), Error> {
    if tables()?.is_empty() {
        return Ok((Vec::new(), legacy()));
    }
    for _ in 0..ATTEMPTS {
        let before = generation()?;
        let output = run::run("nft", &["-s", "-y", "list", "ruleset"], "")?;
        if !output.success() {
            return Err(Error::new(ErrorKind::Refused, "nft list ruleset", message(&output.stderr)));
        }
        let (mut rulesets, mut notes) = of_nft(&output.stdout);
        for (family, program) in [("ip", "iptables-nft-save"), ("ip6", "ip6tables-nft-save")] {
            if rulesets.iter().any(|ruleset| ruleset.family == family && is_of_iptables(ruleset)) {
                in_words_of_iptables(&mut rulesets, family, program)?;
            }
        }
        if generation()? == before {
            notes.extend(legacy());
            return Ok((rulesets, notes));
        }
    }
    Err(Error::new(ErrorKind::Refused, "nft list ruleset", "other programs changed rules all the time"))
}

/// Cuts what `nft list ruleset` prints into tables, and names those that cannot be: iptables takes comments with line
/// breaks, and nft prints what is behind one as if it were a rule.
fn of_nft(text: &str) -> (Vec<Ruleset>, Vec<String>) {
    let mut tables: Vec<(&str, &str, String)> = Vec::new();
    for line in text.lines() {
        // Only the head of a table stands at the edge of the page; strings of nft have no line breaks.
        let head = line.strip_prefix("table ").and_then(|rest| rest.strip_suffix(" {"));
        if let Some((family, name)) = head.and_then(|head| head.split_once(' ')) {
            tables.push((family, name, String::new()));
        }
        if let Some((.., text)) = tables.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    let torn = |text: &str| text.lines().any(|line| line.matches('"').count() % 2 == 1);
    let (torn, whole): (Vec<_>, Vec<_>) = tables.into_iter().partition(|(.., text)| torn(text));
    let note = |(family, name, _): (&str, &str, String)| {
        format!(
            "the nft table {family} {name}: a text in it has a line break, so that no rule in it is known to be one"
        )
    };
    (
        whole.into_iter().map(|(family, name, text)| of_listing(family, name, &Listing::read(&text))).collect(),
        torn.into_iter().map(note).collect(),
    )
}

fn of_listing(family: &str, table: &str, listing: &Listing) -> Ruleset {
    let chains = listing.blocks.iter().filter(|block| block.title.starts_with("chain ")).map(chain).collect();
    let others = listing.blocks.iter().filter(|block| !block.title.starts_with("chain "));
    let flags = listing.attributes.iter().filter(|line| !line.starts_with("comment "));
    let flags: Vec<String> = flags.cloned().collect();
    let mut objects: Vec<(String, Vec<String>)> =
        others.map(|block| (block.title.clone(), block.lines.clone())).collect();
    if !flags.is_empty() {
        objects.push(("flags".to_owned(), flags));
    }
    Ruleset { program: Program::Nft, family: family.to_owned(), table: table.to_owned(), chains, objects }
}

fn chain(block: &Block) -> RuleChain {
    let (kind, hook, priority, drop) = block.head_words();
    let base = (!hook.is_empty()).then_some(Base { kind, hook, priority, drop });
    let comment = |line: &&String| !line.starts_with("comment \"");
    RuleChain {
        name: block.name().to_owned(),
        base,
        rules: block.rules().iter().filter(comment).cloned().collect(),
        in_nft: Vec::new(),
    }
}

/// Whether a table looks like one of iptables': the program itself says whether it is.
fn is_of_iptables(ruleset: &Ruleset) -> bool {
    let built_in = |chain: &RuleChain| chain.base.is_none() || BUILT_IN.contains(&chain.name.as_str());
    TABLES.contains(&ruleset.table.as_str())
        && ruleset.chains.iter().any(|chain| BUILT_IN.contains(&chain.name.as_str()))
        && ruleset.chains.iter().all(built_in)
        && ruleset.objects.is_empty()
}

/// Puts the tables of iptables into its own words. One that it cannot read stays in nft's.
fn in_words_of_iptables(rulesets: &mut [Ruleset], family: &str, program: &str) -> Result<(), Error> {
    let output = match run::run(program, &[], "") {
        Err(error) if error.kind == ErrorKind::Missing => return Ok(()),
        output => output?,
    };
    if !output.success() {
        return Ok(());
    }
    for (table, lines) in saved(&output.stdout) {
        let same = |there: &&mut Ruleset| there.family == family && there.table == table && is_of_iptables(there);
        let Some(there) = rulesets.iter_mut().find(same) else { continue };
        // A rule that it does not understand makes it leave the table out, or say so in a comment.
        let count = lines.iter().filter(|line| line.starts_with("-A ")).count();
        if count == there.chains.iter().map(|chain| chain.rules.len()).sum::<usize>() {
            there.program = Program::Iptables;
            for chain in &mut there.chains {
                chain.in_nft = std::mem::replace(&mut chain.rules, rules_of(&chain.name, &lines));
            }
        }
    }
    Ok(())
}

/// The tables of what `iptables-save` prints, with their lines.
fn saved(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut tables: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix('*'), tables.last_mut()) {
            (Some(table), _) => tables.push((table, Vec::new())),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    tables
}

fn rules_of(chain: &str, lines: &[&str]) -> Vec<String> {
    let of = |line: &&str| Some(line.strip_prefix("-A ")?.strip_prefix(chain)?.strip_prefix(' ')?.to_owned());
    // A rule that says nothing at all has no blank behind the chain's name.
    let empty = format!("-A {chain}");
    lines.iter().filter_map(|line| if **line == empty { Some(String::new()) } else { of(line) }).collect()
}

/// The rules of the older iptables, which no program of nft lists.
fn legacy() -> Vec<String> {
    let files = [
        ("iptables-legacy", "/proc/thread-self/net/ip_tables_names"),
        ("ip6tables-legacy", "/proc/thread-self/net/ip6_tables_names"),
    ];
    let tables = files.into_iter().filter_map(|(program, file)| {
        let names = std::fs::read_to_string(file).ok()?;
        let names: Vec<&str> = names.split_whitespace().collect();
        (!names.is_empty()).then(|| {
            format!("the tables {} of {program}: topo reads the rules of nft and of iptables-nft", names.join(", "))
        })
    });
    tables.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "table ip nat {\n\tchain POSTROUTING {\n\t\ttype nat hook postrouting priority 100; policy accept;\n\t\tcounter masquerade\n\t}\n}\ntable inet mine {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.1 }\n\t}\n\n\tchain f {\n\t\ttype filter hook forward priority 0; policy drop;\n\t\tlog prefix \"table ip x {\"\n\t}\n}\n";

    #[test]
    fn a_ruleset_is_cut_into_tables() {
        let (tables, notes) = of_nft(TEXT);
        assert!(notes.is_empty());
        let torn = "table ip x {\n\tchain f {\n\t\tdrop comment \"a\n\t\taccept comment \"\n\t}\n}\n";
        assert_eq!((of_nft(torn).0.len(), of_nft(torn).1.len()), (0, 1));
        assert_eq!(tables.len(), 2);
        assert!(is_of_iptables(&tables[0]) && !is_of_iptables(&tables[1]));
        assert_eq!(tables[1].objects[0].0, "set s");
        assert_eq!(tables[1].chains[0].rules, ["log prefix \"table ip x {\""]);
        assert!(tables[1].chains[0].base.as_ref().is_some_and(|base| base.drop && base.hook == "forward"));
    }

    #[test]
    fn lines_of_iptables_are_told_apart_by_chain() {
        let text =
            "# x\n*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i a -j ACCEPT\n-A FORWARD2 -j DROP\nCOMMIT\n*nat\nCOMMIT\n";
        let tables = saved(text);
        assert_eq!(tables.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["filter", "nat"]);
        assert_eq!(rules_of("FORWARD", &tables[0].1), ["-i a -j ACCEPT"]);
    }
}
