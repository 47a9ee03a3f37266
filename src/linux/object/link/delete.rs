//! Deleting links.

use crate::linux::netlink::attributes::Writer;
use crate::linux::netlink::link;
use crate::linux::netlink::link::{Seen, head};
use crate::linux::netlink::socket::{Refused, Request};
use crate::linux::netns::context::Site;
use crate::resource::{Kind, Link, kinds};
use nix::libc;
use std::collections::BTreeSet;

/// How often links are looked at again of which one went by itself between the look and the request.
const AGAIN: usize = 5;

/// Deletes links of this namespace, in as few requests as can be: each costs 20 ms whatever it deletes. Answers in the
/// order of `links`.
///
/// # Errors
///
/// For each link: `ENODEV` if it is gone, else the kernel's refusal.
pub fn delete(site: &Site<'_>, links: &[&Link]) -> Vec<Result<(), Refused>> {
    let moved_on = |answer: &Result<(), Refused>| {
        answer.as_ref().is_err_and(|refused| [libc::ENODEV, libc::EAGAIN].contains(&refused.errno))
    };
    let mut answers = delete_once(site, links);
    for _ in 0..AGAIN {
        if !answers.iter().any(moved_on) {
            break;
        }
        answers = delete_once(site, links);
    }
    answers
}

fn delete_once(site: &Site<'_>, links: &[&Link]) -> Vec<Result<(), Refused>> {
    let gone = |errno| Refused { errno, text: None };
    let seen = match link::dump(&site.socket) {
        Ok(seen) => seen,
        Err(refused) => return links.iter().map(|_| Err(refused.clone())).collect(),
    };
    let found: Vec<Option<&Seen>> =
        links.iter().map(|link| seen.iter().find(|seen| seen.name == link.id.name)).collect();
    let (bridges, others): (Vec<&Seen>, Vec<&Seen>) =
        found.iter().flatten().copied().partition(|seen| seen.kind == Kind::Bridge && links.len() > kinds::GOES_LAST);
    let done = delete_together(site, &seen, &others).and_then(|()| delete_together(site, &seen, &bridges));
    site.forget();
    // A veth end whose other end is in a namespace that was deleted outside topo goes a little later, by itself: that
    // it is gone is what was asked for.
    let answer = |(link, found): (&&Link, &Option<&Seen>)| match found {
        Some(_) => done.clone(),
        None if link.kind == Kind::Veth => Ok(()),
        None => Err(gone(libc::ENODEV)),
    };
    links.iter().zip(&found).map(answer).collect()
}

/// Deletes exactly these links by one request.
///
/// # Errors
///
/// If one of them is gone or cannot be deleted; none is deleted then.
pub fn delete_together(site: &Site<'_>, seen: &[Seen], links: &[&Seen]) -> Result<(), Refused> {
    match links {
        [] => return Ok(()),
        [one] => return site.ask(link::DELETE, 0, &Writer::new(&head(one.index, None))),
        _ => {}
    }
    let wanted: BTreeSet<u32> = links.iter().map(|link| link.index).collect();
    let in_group = |seen: &[Seen], group: u32| {
        seen.iter().filter(|seen| seen.group == group).map(|seen| seen.index).collect::<BTreeSet<_>>()
    };
    let theirs = links.first().map_or(0, |link| link.group);
    let group = if theirs != 0 && in_group(seen, theirs) == wanted {
        theirs
    } else {
        let fresh = fresh_group(seen);
        let mark = |link: &&Seen| {
            let mut body = Writer::new(&head(link.index, None));
            body.u32(link::GROUP, fresh);
            Request { kind: link::NEW, flags: 0, body: body.bytes().to_vec() }
        };
        let requests: Vec<Request> = links.iter().map(mark).collect();
        site.socket.batch(&requests).into_iter().collect::<Result<(), Refused>>()?;
        if in_group(&link::dump(&site.socket)?, fresh) != wanted {
            return Err(Refused {
                errno: libc::EAGAIN,
                text: Some("another program changes the same links at the same time".to_owned()),
            });
        }
        fresh
    };
    let mut body = Writer::new(&head(0, None));
    body.u32(link::GROUP, group);
    site.ask(link::DELETE, 0, &body)
}

/// A group that no link is in.
fn fresh_group(seen: &[Seen]) -> u32 {
    let taken: BTreeSet<u32> = seen.iter().map(|seen| seen.group).collect();
    (0x7500_0000..).find(|group| !taken.contains(group)).unwrap_or(u32::MAX)
}
