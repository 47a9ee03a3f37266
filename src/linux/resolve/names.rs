//! Numbers in the place of names that only this machine knows: routing tables, users and groups.

use super::rt_tables;
use crate::kernel::{Error, ErrorKind};
use crate::resource::{Item, Link, Resource, ResourceId, RuleAction, State, TableId, Value};
use nix::unistd::{Group, User};
use std::collections::BTreeMap;

/// Puts them in.
///
/// # Errors
///
/// A name that this machine does not know.
pub fn numbers(wanted: &mut State) -> Result<(), Error> {
    let names = rt_tables::names();
    let one = |(id, mut item): (ResourceId, Item)| {
        match &mut item.resource {
            Resource::Route(route) => table(&names, &mut route.key.table).map_err(|error| error.about(id))?,
            Resource::Rule(rule) => {
                if let RuleAction::Table(number) = &mut rule.key.action {
                    table(&names, number).map_err(|error| error.about(id))?;
                }
            }
            Resource::Link(link) => options(&names, link).map_err(|error| error.about(id))?,
            _ => {}
        }
        Ok((item.resource.id(), item))
    };
    wanted.items = std::mem::take(&mut wanted.items).into_iter().map(one).collect::<Result<_, Error>>()?;
    Ok(())
}

type Tables = BTreeMap<String, u32>;

fn number_of(names: &Tables, name: &str) -> Result<u32, Error> {
    names.get(name).copied().ok_or_else(|| {
        let error = Error::new(
            ErrorKind::Missing,
            format!("look up the routing table {name:?}"),
            "no file rt_tables of this machine has it",
        );
        error.help("write its number, or add it to /etc/iproute2/rt_tables")
    })
}

fn table(names: &Tables, table: &mut TableId) -> Result<(), Error> {
    if let TableId::Name(name) = table {
        let number = number_of(names, name)?;
        if number == 0 {
            let tried = format!("look up the routing table {name:?}");
            return Err(Error::new(ErrorKind::Refused, tried, "it is the number 0, which stands for no table")
                .help("write `main`, or leave `table` out"));
        }
        *table = TableId::Number(number);
    }
    Ok(())
}

/// Names among the attributes of a kind: the table of a VRF, the owner of a tun.
fn options(names: &Tables, link: &mut Link) -> Result<(), Error> {
    for key in ["table", "owner", "group"] {
        let Some(Value::Word(name)) = link.options.get(key) else { continue };
        let number = match key {
            "table" => number_of(names, name)?,
            "owner" => found("user", name, User::from_name(name).map(|user| user.map(|user| user.uid.as_raw())))?,
            _ => found("group", name, Group::from_name(name).map(|group| group.map(|group| group.gid.as_raw())))?,
        };
        link.options.insert(key.into(), Value::Number(number.into()));
    }
    Ok(())
}

fn found(what: &str, name: &str, answer: nix::Result<Option<u32>>) -> Result<u32, Error> {
    let tried = || format!("look up the {what} {name:?}");
    match answer {
        Ok(Some(number)) => Ok(number),
        Ok(None) => Err(Error::new(ErrorKind::Missing, tried(), format!("this machine has no such {what}"))
            .help("write a number, or the name of one that it has")),
        Err(errno) => Err(Error::os(tried(), errno as i32)),
    }
}
