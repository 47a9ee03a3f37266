//! Running checks: each in its node, many side by side.

use super::wire::{Until, Why};
use super::{command, dns, http, ping, transport};
use crate::kernel::{Error, ErrorKind};
use crate::linux::netlink::socket;
use crate::linux::netns;
use crate::linux::netns::{Netns, Place, namespace};
use crate::resource::probe::{Check, Outcome, Probe, Tried};
use crate::resource::{NetnsRef, Node, NodeTenure, State};
use nix::libc;
use std::sync::atomic::AtomicI32;
use std::time::{Duration, Instant};

/// How many checks are tried at the same time. They wait for others nearly all of the time, so it is more than there
/// are processors.
pub(crate) const SIDE_BY_SIDE: usize = 32;

/// The pause between two tries of one check.
pub(crate) const PAUSE: Duration = Duration::from_millis(200);

/// What bounds a run of checks.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// How long all checks together may take; what is not done by then is [`Tried::Broken`].
    pub total: Duration,
    /// The number of the signal that asks to stop; 0 while there is none.
    pub stop: &'a AtomicI32,
    /// Whether programs are run; else such checks are [`Tried::Skipped`].
    pub commands: bool,
}

/// Where a check is tried.
pub(crate) struct Site<'a> {
    /// Whose namespace it is to be, where topo made it.
    made_by: Option<&'a str>,
    /// The namespace.
    place: Place,
    /// The folder of `/etc/netns` that has its files.
    files: Option<&'a str>,
}

/// Tries all `checks` of the topology `wanted`; answers in their order. Without the privileges to enter a namespace it
/// is an error.
///
/// # Errors
///
/// If the privileges to enter a namespace are missing.
pub fn run(checks: &[Check], wanted: &State, limits: Limits<'_>) -> Result<Vec<Outcome>, Error> {
    run_and_tell(checks, wanted, limits, &|_, _| {})
}

/// [`run`], which calls `tell` with the number of a check and what came of it as soon as that is known, from any
/// thread. Not for a check whose namespace could not be entered.
///
/// # Errors
///
/// If the privileges to enter a namespace are missing.
pub fn run_and_tell(
    checks: &[Check],
    wanted: &State,
    limits: Limits<'_>,
    tell: &(dyn Fn(usize, &Outcome) + Sync),
) -> Result<Vec<Outcome>, Error> {
    let host = Netns::current()?;
    let deadline = Instant::now() + limits.total;
    let sites: Vec<Site<'_>> = checks.iter().map(|check| site(wanted, &check.from, &host)).collect();
    let job = |(nth, (check, site)): (usize, (&Check, &Site<'_>))| {
        let outcome = one(check, site, limits, deadline);
        tell(nth, &outcome);
        outcome
    };
    let jobs = checks.iter().zip(&sites).enumerate();
    let jobs = jobs.map(|each| netns::job(each.1.1.place.clone(), move || job(each))).collect();
    crate::linux::store::lock::pass_on(false);
    let answers = netns::run(SIDE_BY_SIDE, jobs);
    crate::linux::store::lock::pass_on(true);
    checks.iter().zip(answers).map(|(check, answer)| answer.or_else(|error| not_entered(check, error))).collect()
}

/// What is known of the namespace of `node`.
pub(crate) fn site<'a>(wanted: &'a State, node: &'a Node, host: &Netns) -> Site<'a> {
    let made = || Site {
        made_by: Some(wanted.topology.as_str()),
        place: Place::At(NetnsRef::Name(node.as_str().to_owned())),
        files: Some(node.as_str()),
    };
    match wanted.namespace(node).map(|namespace| &namespace.tenure) {
        _ if node.is_host() => Site { made_by: None, place: Place::Inside(host.clone()), files: None },
        Some(NodeTenure::Existing(place)) => {
            let files = if let NetnsRef::Name(name) = place { Some(name.as_str()) } else { None };
            Site { made_by: None, place: Place::At(place.clone()), files }
        }
        _ => made(),
    }
}

/// What it means that a namespace could not be entered.
pub(crate) fn not_entered(check: &Check, error: Error) -> Result<Outcome, Error> {
    if error.kind == ErrorKind::Privileges {
        return Err(error);
    }
    let reason = if error.errno == Some(libc::ENOENT) {
        format!("there is no namespace {}: apply the topology first", check.from)
    } else {
        error.to_string()
    };
    Ok(Outcome { tried: Tried::Broken(reason), tries: 0, took: Duration::ZERO })
}

/// Tries one check, again and again while the result is not the expected one.
pub(crate) fn one(check: &Check, site: &Site<'_>, limits: Limits<'_>, deadline: Instant) -> Outcome {
    let begin = Instant::now();
    let end = |tried, tries| Outcome { tried, tries, took: begin.elapsed() };
    if matches!(check.probe, Probe::Command { .. }) && !limits.commands {
        return end(Tried::Skipped("programs are not run".to_owned()), 0);
    }
    if let Some(reason) = site.made_by.and_then(|topology| stranger(&check.from, topology)) {
        return end(Tried::Broken(reason), 0);
    }
    let mut tries = 0;
    loop {
        let now = Instant::now();
        let until = Until { end: deadline.min(now + check.timeout), stop: limits.stop };
        if now >= deadline {
            return end(Tried::Broken("the time for all checks was over before it was tried".to_owned()), tries);
        }
        tries += 1;
        let tried = told(attempt(&check.probe, site, &until), check.timeout, until.end >= deadline);
        let last = tries > check.retries
            || !matches!((&tried, check.expect), (Tried::Failed(_), true) | (Tried::Worked(_), false));
        if last || until.pause(PAUSE, deadline).is_err() {
            return end(tried, tries);
        }
    }
}

/// One try.
pub(crate) fn attempt(probe: &Probe, site: &Site<'_>, until: &Until<'_>) -> Result<String, Why> {
    match probe {
        Probe::Ping { to, count, size } => ping::ping(*to, *count, *size, until),
        Probe::Tcp { to } => transport::tcp(*to, until),
        Probe::Udp { to, send, reply } => transport::udp(*to, send, *reply, until),
        Probe::Http { host, port, authority, path, status, contains } => {
            let request = http::Request { authority, path, status: *status, contains: contains.as_deref() };
            http::get(host, *port, &request, site.files, until)
        }
        Probe::Dns { name, six, server, address } => dns::check(name, *six, *server, *address, site.files, until),
        Probe::Command { run } => command::run(run, &site.place, site.files, until),
    }
}

/// The result of a try. One that was cut off by the end of all checks says nothing.
pub(crate) fn told(result: Result<String, Why>, timeout: Duration, cut: bool) -> Tried {
    match result {
        Ok(seen) => Tried::Worked(seen),
        Err(Why::Late(what)) if cut => Tried::Broken(format!("{what} until the time for all checks was over")),
        Err(Why::Late(what)) => Tried::Failed(format!("{what} within {timeout:?}")),
        Err(Why::Failed(reason)) => Tried::Failed(reason),
        Err(Why::Broken(reason)) => Tried::Broken(reason),
    }
}

/// Why the calling thread's namespace is not the one that the topology made.
pub(crate) fn stranger(node: &Node, topology: &str) -> Option<String> {
    let alias = socket::Socket::open().map_err(|error| error.to_string());
    let alias = alias.and_then(|socket| {
        namespace::alias(&socket).map_err(|refused| refused.error(format!("read the mark of {node}")).to_string())
    });
    match alias {
        Ok(alias) if alias.as_deref().and_then(namespace::topology_of) == Some(topology) => None,
        Ok(_) => Some(format!("the namespace {node} is not one that topology {topology:?} made")),
        Err(error) => Some(error),
    }
}
