//! Tables of other programs whose place the topology's table takes, and that come back when that is undone. Everything
//! here acts on the calling thread's namespace.

use super::generation::{DELTABLE, RawChain, chains, family, generation, has_table};
use super::refusal::message;
use crate::kernel::{Error, ErrorKind};
use crate::linux::netlink::attributes::Writer;
use crate::linux::netlink::socket::Request;
use crate::linux::process::run;
use crate::resource::{ForeignTable, TableName};

/// How often a listing that another program's change interrupted is begun again.
const ATTEMPTS: usize = 10;

/// Those of `names` that are there, each as its program lists it.
///
/// # Errors
///
/// If a table cannot be read.
pub fn read(names: &[TableName]) -> Result<Vec<ForeignTable>, Error> {
    let mut found = Vec::new();
    for name in names {
        if has_table(&name.family, &name.name)? {
            found.extend(list(name)?.map(|text| ForeignTable { name: name.clone(), text }));
        }
    }
    Ok(found)
}

/// A table in its program's words, of one generation; `None` where it is gone.
fn list(name: &TableName) -> Result<Option<String>, Error> {
    let TableName { family, name: table, iptables } = name;
    let tried = format!("list the table {family} {table}");
    for _ in 0..ATTEMPTS {
        let before = generation()?;
        let output = if *iptables {
            run::run(&format!("{}-save", program(family)), &["-t", table], "")?
        } else {
            // -s leaves counters out, -y prints priorities as numbers.
            run::run("nft", &["-s", "-y", "list", "table", family, table], "")?
        };
        if generation()? != before {
            continue;
        }
        if output.success() {
            if !*iptables {
                return Ok(Some(output.stdout));
            }
            let of = |chain: &RawChain| chain.place.family == *family && chain.place.table == *table;
            let there: Vec<String> = chains()?.into_iter().filter(of).map(|chain| chain.place.chain).collect();
            return Ok(Some(uncounted(&output.stdout, &there)));
        }
        if !has_table(family, table)? {
            return Ok(None);
        }
        return Err(Error::new(ErrorKind::Refused, tried, message(&output.stderr)));
    }
    Err(Error::new(ErrorKind::Refused, tried, "other programs changed rules all the time"))
}

/// The program that a table of iptables is listed by (`-save`) and put back by (`-restore`).
fn program(family: &str) -> &'static str {
    if family == "ip6" { "ip6tables-nft" } else { "iptables-nft" }
}

/// What `iptables-save` prints without its comments and what it counted; its chains those that are `there`, in their
/// order: it prints all built-in ones, in the order of their hooks.
fn uncounted(text: &str, there: &[String]) -> String {
    let line = |line: &str| match line.rsplit_once(" [") {
        Some((head, _)) if line.starts_with(':') => format!("{head} [0:0]\n"),
        _ => format!("{line}\n"),
    };
    let place = |line: &str| {
        let chain = line.strip_prefix(':')?.split(' ').next()?;
        there.iter().position(|there| there == chain)
    };
    let lines = || text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut chains: Vec<&str> = lines().filter(|line| place(line).is_some()).collect();
    chains.sort_by_key(|line| place(line));
    let (head, rest): (Vec<&str>, Vec<&str>) =
        lines().filter(|line| !line.starts_with(':')).partition(|line| line.starts_with('*'));
    head.into_iter().chain(chains).chain(rest).map(line).collect()
}

/// The request that removes a table.
pub(super) fn removal(name: &TableName) -> Option<Request> {
    let mut body = Writer::new(&[family(&name.family)?, 0, 0, 0]);
    body.text(1, &name.name);
    Some(Request { kind: DELTABLE, flags: 0, body: body.bytes().to_vec() })
}

/// The line of nft that does the same.
pub(super) fn removal_line(name: &TableName) -> String {
    format!("delete table {} {}\n", name.family, name.name)
}

/// Puts a table of iptables back; those of nft come back with the transaction that removes the topology's.
///
/// # Errors
///
/// If the program is missing, or does not take its own words.
pub(super) fn put_back(table: &ForeignTable) -> Result<(), Error> {
    let program = format!("{}-restore", program(&table.name.family));
    let output = run::run(&program, &["-n"], &table.text)?;
    if output.success() {
        return Ok(());
    }
    let tried = format!("{program} (table {})", table.name.name);
    Err(Error::new(ErrorKind::Refused, tried, output.stderr.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_left_out() {
        let text = "# Generated\n*nat\n:PREROUTING ACCEPT [12:345]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [7:8]\n-A PREROUTING -m comment --comment \"a [1:2]\"\nCOMMIT\n";
        assert_eq!(
            uncounted(text, &["OUTPUT".to_owned(), "PREROUTING".to_owned()]),
            "*nat\n:OUTPUT ACCEPT [0:0]\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m comment --comment \"a [1:2]\"\nCOMMIT\n"
        );
    }
}
