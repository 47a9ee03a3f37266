//! Rules of the file in chains that Docker makes anew.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::resource::{ChainRef, Insert, Resource};

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    if examined.machine.is_none_or(|machine| machine.daemon("dockerd").is_none()) {
        return Vec::new();
    }
    let inserts = examined.wanted.resources().filter_map(|resource| match resource {
        Resource::Insert(insert) if is_dockers(&insert.chain) => Some(insert),
        _ => None,
    });
    inserts.map(of).collect()
}

/// The chains that Docker flushes when it starts: all of its own but the one for users.
fn is_dockers(chain: &ChainRef) -> bool {
    chain.chain.starts_with("DOCKER") && chain.chain != "DOCKER-USER"
}

fn of(insert: &Insert) -> Finding {
    let what = format!("Docker makes the chain {} anew when it starts", insert.chain);
    let why = format!(
        "The rules that the file puts there are gone then. The chain \"{} {} DOCKER-USER\" is kept for rules of others.",
        insert.chain.family, insert.chain.table
    );
    Finding::new(Code::DockerChain, Severity::Warning, what, why).about(insert.id())
}
