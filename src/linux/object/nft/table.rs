//! The table `inet topo-NAME` of a namespace: read, replaced, removed. Everything here acts on the calling thread's
//! namespace.
//!
//! It is read as text (`nft -s -y list table`), not as JSON: nft 1.0.6 prints garbage as JSON for a table that has
//! flags (with exit status 0), drops comments of tables and chains, and gives errors no useful place. The text is not
//! taken apart either. A rule has as many spellings as nft has versions, so the wanted table is loaded into a scratch
//! namespace and listed there by the same program: a rule whose line is the same in both listings is the same rule.
//! That gives no phantom difference, whatever nft makes of a rule, and for raw rules too.
//!
//! It is made without nft where the language has words for all of it: `transaction` says to the kernel what nft would
//! say.

pub(crate) use super::listing::{Block, Listing};

use super::generation::{commented, generation, has_table, marked_tables, remove_inet};
use super::refusal::{fault_line, message};
use super::{foreign, transaction};
use crate::dialect::nft_script::{Start, comment, rule_of_line, script, table_name};
use crate::kernel::{Error, ErrorKind};
use crate::linux::netlink::socket::Request;
use crate::linux::netns;
use crate::linux::process::run;
use crate::linux::store::record::is_name;
use crate::resource::mark::mark;
use crate::resource::{Chain, Name, Node, ResourceId, Table, TableName, TableRecord, TableRule};
use std::collections::{HashMap, VecDeque};

/// What to do where a transaction is larger than the kernel lets a process in a user namespace send (a few hundred
/// rules).
pub(crate) const TOO_LONG: &str =
    "in a user namespace one transaction is bounded by net.core.wmem_max of the machine: raise it, or use fewer rules";

/// How often a listing that another program's change interrupted is begun again.
const ATTEMPTS: usize = 10;

/// The table of `topology` as it is in the calling thread's namespace, and whether it is ours: its own comment or that
/// of a rule says so, the record knows it, or there is nothing in it. `None` where there is none.
///
/// A rule that is what `wanted` (or the table as it was installed, `recorded`) has is given as that; any other as nft
/// lists it. What is no chain (a set, flags) is given as a chain of that name without a hook.
///
/// # Errors
///
/// If the ruleset cannot be read, or nft is needed for it and missing.
pub fn observe(
    node: &Node,
    topology: &Name,
    wanted: Option<&Table>,
    recorded: Option<&TableRecord>,
) -> Result<Option<(Table, bool)>, Error> {
    if !has_table("inet", &table_name(topology))? {
        return Ok(None);
    }
    if let Some(record) = recorded.filter(|record| record.generation != 0)
        && generation()? == record.generation
    {
        return Ok(Some((record.table.clone(), true)));
    }
    let Some(listing) = list(topology)? else { return Ok(None) };
    let ours = recorded.is_some() || is_ours(&listing, topology);
    let mut known = wanted.map(Known::as_written).unwrap_or_default();
    if !known.knows_all(&listing) {
        known = wanted.and_then(Known::as_listed).unwrap_or(known);
    }
    if !known.knows_all(&listing) {
        known.and_else(recorded.and_then(|record| Known::as_listed(&record.table)));
    }
    Ok(Some((table(node, topology, &listing, known), ours)))
}

/// The table as a listing has it, and whether it is ours, without nft being asked anything.
pub fn parse(node: &Node, topology: &Name, wanted: Option<&Table>, text: &str) -> (Table, bool) {
    let listing = Listing::read(text);
    let known = wanted.map(Known::as_written).unwrap_or_default();
    (table(node, topology, &listing, known), is_ours(&listing, topology))
}

fn is_ours(listing: &Listing, topology: &Name) -> bool {
    listing.comment().as_deref() == Some(&mark(topology))
        || listing.is_empty()
        || listing.any_rule_ends_with(&comment(topology))
}

fn table(node: &Node, topology: &Name, listing: &Listing, mut known: Known) -> Table {
    let chains = listing.blocks.iter().map(|block| known.chain(block)).chain(flags(listing)).collect();
    Table { node: node.clone(), topology: topology.clone(), chains, instead_of: Vec::new() }
}

/// Replaces the whole table in one transaction. Answers with the generation of the ruleset right after; 0, which no
/// ruleset has, where another program changed it meanwhile.
///
/// # Errors
///
/// If the kernel or nft refuses a rule, which the error names; the old table stands then.
pub fn install(table: &Table) -> Result<u32, Error> {
    install_and_remove(table, &[])
}

/// [`install`], with other tables removed in the same transaction.
fn install_and_remove(table: &Table, gone: &[&TableName]) -> Result<u32, Error> {
    let before = generation()?;
    // Where a transaction takes anything away, the kernel holds nft back at its end until no packet can be under way in
    // it: four times as long as the rest.
    let start = if has_table("inet", &table_name(&table.topology))? { Start::Over } else { Start::Fresh };
    load(table, start, gone)?;
    let after = generation()?;
    Ok(if after == before.wrapping_add(1) { after } else { 0 })
}

/// Goes from one table to another that takes the place of other tables, or gives it back: what goes goes in the
/// transaction in which the rest comes. (Those of iptables come back first, each by a call of its program.) Answers as
/// [`install`] does.
///
/// # Errors
///
/// If the kernel, nft or iptables refuses.
pub fn exchange(before: &Table, after: &Table) -> Result<u32, Error> {
    let gone: Vec<&TableName> =
        before.instead_of.iter().filter(|table| !after.instead_of.contains(table)).map(|table| &table.name).collect();
    if !after.chains.is_empty() {
        return install_and_remove(after, &gone);
    }
    let back = || after.instead_of.iter().filter(|table| !before.instead_of.contains(table));
    back().filter(|table| table.name.iptables).try_for_each(foreign::put_back)?;
    let mut script: String =
        back().filter(|table| !table.name.iptables).map(|table| table.text.clone() + "\n").collect();
    let name = table_name(&after.topology);
    if script.is_empty() {
        return remove_inet(&name).map(|()| 0);
    }
    if has_table("inet", &name)? {
        script.push_str(&format!("delete table inet {name}\n"));
    }
    let output = run::run("nft", &["-f", "-"], &script)?;
    if output.success() {
        return Ok(0);
    }
    let tried = format!("nft delete table inet {name}, and put back what it took the place of");
    Err(Error::new(ErrorKind::Refused, tried, message(&output.stderr)))
}

/// Removes the table of `topology`.
///
/// # Errors
///
/// If there is no such table, or the kernel refuses.
pub fn remove(topology: &Name) -> Result<(), Error> {
    remove_inet(&table_name(topology))
}

/// Has nft and the kernel check a table, in a scratch namespace. The error names the rule that is wrong.
///
/// # Errors
///
/// If nft is missing, or it or the kernel refuses a rule, which the error names.
pub fn check(table: &Table) -> Result<(), Error> {
    netns::scratch(|| load(table, Start::Fresh, &[]))
}

/// The topologies that have a table in the calling thread's namespace: one of its name, with its comment on the table
/// or on a rule.
///
/// # Errors
///
/// If the ruleset cannot be read.
pub fn topologies() -> Result<Vec<Name>, Error> {
    let tables = marked_tables()?;
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let rules = commented()?;
    let by_rule = |table: &str, name: &str| {
        rules.iter().any(|(chain, of)| chain.family == "inet" && chain.table == table && of == name)
    };
    let ours = |(table, marks): &(String, Vec<String>)| {
        let name = table.strip_prefix("topo-").filter(|name| is_name(name))?;
        (marks.iter().any(|mark| mark == name) || by_rule(table, name)).then(|| Name::from(name))
    };
    Ok(tables.iter().filter_map(ours).collect())
}

/// Makes the table: by a transaction of topo's own where that can say all of it, else by nft, which also has the words
/// for what the kernel refuses.
fn load(table: &Table, start: Start, gone: &[&TableName]) -> Result<(), Error> {
    let tried = |what: &str| format!("nft replace table inet {}{what}", table_name(&table.topology));
    let refused = |error: Error| error.about(ResourceId::Table(table.node.clone()));
    for rule in table.chains.iter().flat_map(|chain| &chain.rules) {
        if let Some(fault) = rule.fault() {
            let error =
                Error::new(ErrorKind::Refused, tried(&format!(", rule `{}`", rule.text(&table.topology))), fault);
            return Err(refused(error.about_rule(Some(rule))));
        }
    }
    let removals: Option<Vec<Request>> = gone.iter().map(|name| foreign::removal(name)).collect();
    let requests = transaction::of(table, start).zip(removals).map(|(table, removals)| [table, removals].concat());
    if requests.is_some_and(transaction::commit) {
        return Ok(());
    }
    let removals: String = gone.iter().map(|name| foreign::removal_line(name)).collect();
    let output = run::run("nft", &["-f", "-"], &(script(table, start) + &removals))?;
    if output.success() {
        return Ok(());
    }
    let wrong = fault_line(&output.stderr).and_then(|line| rule_of_line(table, start, line));
    let rule = wrong.map(|rule| format!(", rule `{}`", rule.text(&table.topology)));
    let reason = message(&output.stderr);
    let mut error = Error::new(ErrorKind::Refused, tried(&rule.unwrap_or_default()), &*reason).about_rule(wrong);
    if reason.contains("Interface does not exist") {
        error = error.help("`iif` and `oif` mean an interface by its number, which is another whenever it is made: write `iifname` or `oifname`");
    } else if reason.contains("Message too long") {
        error = error.help(TOO_LONG);
    } else if reason.contains("Operation not permitted") {
        error.kind = ErrorKind::Privileges;
    } else if reason.contains("Operation not supported") {
        error.kind = ErrorKind::Missing;
        error = error.help("this kernel has no support for something in that rule");
    } else if reason.contains("Protocol not supported") || reason.contains("cache initialization failed") {
        error.kind = ErrorKind::Missing;
        error = error.help("this kernel has no nftables (CONFIG_NF_TABLES)");
    }
    Err(refused(error))
}

/// The listing of the table, of one generation; `None` where it is gone.
fn list(topology: &Name) -> Result<Option<Listing>, Error> {
    let name = table_name(topology);
    let tried = format!("nft list table inet {name}");
    for _ in 0..ATTEMPTS {
        let before = generation()?;
        // -s leaves counters out, -y prints priorities as numbers.
        let output = run::run("nft", &["-s", "-y", "list", "table", "inet", &name], "")?;
        if generation()? != before {
            continue;
        }
        if output.success() {
            return Ok(Some(Listing::read(&output.stdout)));
        }
        if output.stderr.contains("No such file or directory") && !has_table("inet", &name)? {
            return Ok(None);
        }
        return Err(Error::new(ErrorKind::Refused, tried, message(&output.stderr)));
    }
    Err(Error::new(ErrorKind::Refused, tried, "other programs changed rules all the time"))
}

/// What a listing has of the table itself that we never put there (`flags dormant`), as a chain.
fn flags(listing: &Listing) -> Option<Chain> {
    let rules: Vec<TableRule> = listing
        .attributes
        .iter()
        .filter(|line| !line.starts_with("comment "))
        .cloned()
        .map(TableRule::Listed)
        .collect();
    let nothing = String::new;
    (!rules.is_empty()).then(|| Chain {
        name: "(table)".to_owned(),
        kind: nothing(),
        hook: nothing(),
        priority: 0,
        drop: false,
        rules,
    })
}

/// Rules by the chain they stand in and the line they are listed as.
#[derive(Default)]
struct Known {
    rules: HashMap<(String, String), VecDeque<TableRule>>,
}

impl Known {
    /// The rules of a table as if nft listed them as we write them: so it does with most, and no scratch namespace is
    /// needed. (A line of nft's means what it says, so one that is equal to ours is our rule.)
    fn as_written(table: &Table) -> Self {
        let mut known = Self::default();
        for chain in &table.chains {
            for rule in &chain.rules {
                known.add(&chain.name, rule.command(&table.topology, "inet"), rule);
            }
        }
        known
    }

    /// The rules of a table as nft does list them, found out in a scratch namespace. A table that nft does not take is
    /// not known; `install` will say why.
    fn as_listed(table: &Table) -> Option<Self> {
        let listing = netns::scratch(|| load(table, Start::Fresh, &[]).and_then(|()| list(&table.topology))).ok()??;
        let mut known = Self::default();
        for (chain, block) in table.chains.iter().zip(&listing.blocks) {
            if chain.rules.len() == block.rules().len() {
                for (rule, line) in chain.rules.iter().zip(block.rules()) {
                    known.add(&chain.name, line.clone(), rule);
                }
            }
        }
        Some(known)
    }

    /// Two rules that are listed alike stand in their order.
    fn add(&mut self, chain: &str, line: String, rule: &TableRule) {
        self.rules.entry((chain.to_owned(), line)).or_default().push_back(rule.clone());
    }

    /// With what `other` knows beyond it.
    fn and_else(&mut self, other: Option<Self>) {
        for (place, rules) in other.into_iter().flat_map(|known| known.rules) {
            self.rules.entry(place).or_insert(rules);
        }
    }

    /// Whether every rule of the listing is known.
    fn knows_all(&self, listing: &Listing) -> bool {
        let known = |block: &Block| {
            block.rules().iter().all(|line| self.rules.contains_key(&(block.name().to_owned(), line.clone())))
        };
        listing.blocks.iter().all(known)
    }

    /// A chain with the rules that are known, and the rest as listed.
    fn chain(&mut self, block: &Block) -> Chain {
        let name = block.name().to_owned();
        let rules = block.rules().iter().map(|line| self.take(&name, line)).collect();
        let (kind, hook, priority, drop) = block.head_words();
        Chain { name, kind, hook, priority, drop, rules }
    }

    /// The next rule that is listed like this; the last one as often as it is asked for.
    fn take(&mut self, chain: &str, line: &str) -> TableRule {
        let same = self.rules.get_mut(&(chain.to_owned(), line.to_owned()));
        let next = same.and_then(|same| if same.len() > 1 { same.pop_front() } else { same.front().cloned() });
        next.unwrap_or_else(|| TableRule::Listed(line.to_owned()))
    }
}
