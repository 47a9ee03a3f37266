//! One probe, and all that is seen of it.

use super::events::Events;
use super::rules;
use super::sender::Order;
use super::taps::{Tap, now};
use crate::kernel::Error;
use crate::linux::machine::Linux;
use crate::linux::netlink::link;
use crate::linux::netlink::socket::Socket;
use crate::linux::netns;
use crate::linux::netns::places::Places;
use crate::linux::process::run as process;
use crate::resource::Node;
use crate::resource::sighting::{Answer, Counted, Seen, Sighting};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::collections::{BTreeMap, HashMap};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// What a packet socket that is just open takes for the time of a packet is that of reading it, until the kernel has
/// switched its stamps on (`net_enable_timestamp`, by a work queue).
const SETTLE: Duration = Duration::from_millis(200);
/// What is under way when the probe ends is waited for so long.
const LINGER: Duration = Duration::from_millis(60);
/// Room for a message of netlink.
const MESSAGE: usize = 64 * 1024;
/// More than that of one node is not kept: it is of others.
const MOST: usize = 20_000;

/// What was seen of a probe.
#[derive(Clone, Debug)]
pub struct Traced {
    /// What came of it for its sender.
    pub answer: Answer,
    /// What was seen, in order of time.
    pub sightings: Vec<Sighting>,
    /// Counters of the network stack that grew meanwhile.
    pub counted: Vec<Counted>,
    /// The nodes that saw more than is kept, or more than there was room for.
    pub overrun: Vec<Node>,
}

/// What watches one node.
struct Watch {
    node: Node,
    names: HashMap<u32, String>,
    tap: Tap,
    events: Events,
    /// The table is there for as long as this is.
    _rules: Socket,
    counters: BTreeMap<String, u64>,
    seen: Vec<Sighting>,
    overrun: bool,
}

/// Sends a probe from a node, and watches it in all `nodes`.
///
/// # Errors
///
/// If a namespace cannot be entered, privileges are missing, or the kernel cannot trace.
pub fn trace(kernel: &Linux, nodes: &[&Node], from: &Node, order: &Order) -> Result<Traced, Error> {
    let places = &kernel.places;
    // Three descriptors a node; where the limit stays, a node that has none left is an error.
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
    let open = |node: &&Node| {
        let node = (*node).clone();
        netns::job(places.of(&node), || Watch::open(node, order))
    };
    let opened = netns::run(netns::READERS, nodes.iter().map(open).collect());
    let mut watches = opened.into_iter().map(|watch| watch?).collect::<Result<Vec<Watch>, Error>>()?;
    std::thread::sleep(SETTLE);
    // What was there before is no answer.
    let mut buffer = vec![0; MESSAGE];
    watches.iter_mut().for_each(|watch| {
        watch.read(&mut buffer);
        watch.seen.clear();
    });
    let answer = std::thread::scope(|scope| {
        let sender = scope.spawn(|| netns::run_one(places.of(from), || order.send()));
        while !sender.is_finished() {
            wait(&watches, Duration::from_millis(5));
            watches.iter_mut().for_each(|watch| watch.read(&mut buffer));
        }
        let end = Instant::now() + LINGER;
        while Instant::now() < end {
            wait(&watches, Duration::from_millis(5));
            watches.iter_mut().for_each(|watch| watch.read(&mut buffer));
        }
        sender.join().unwrap_or_else(|_| Ok(Answer::Failed("the thread that sends stopped".to_owned())))
    })?;
    let counted = count(&watches, places);
    let overrun = watches.iter().filter(|watch| watch.overrun).map(|watch| watch.node.clone()).collect();
    // Here the tables go.
    let mut sightings: Vec<Sighting> = watches.into_iter().flat_map(|watch| watch.seen).collect();
    sightings.sort_by_key(|sighting| sighting.at);
    name_rules(&mut sightings, places);
    Ok(Traced { answer, sightings, counted, overrun })
}

impl Watch {
    fn open(node: Node, order: &Order) -> Result<Self, Error> {
        let socket = Socket::open()?;
        let links = link::dump(&socket).map_err(|refused| refused.error("read the links"))?;
        let names = links.into_iter().map(|link| (link.index, link.name.to_string())).collect();
        let tap = Tap::open()?;
        let events = Events::open()?;
        let rules = rules::make(order)?;
        Ok(Self { node, names, tap, events, _rules: rules, counters: counters(), seen: Vec::new(), overrun: false })
    }

    /// Reads what there is.
    fn read(&mut self, buffer: &mut [u8]) {
        let Self { node, names, tap, events, seen, overrun, .. } = self;
        let mut keep = |at, what| {
            if seen.len() < MOST {
                seen.push(Sighting { node: node.clone(), at, seen: what });
            } else {
                *overrun = true;
            }
        };
        tap.read(names, &mut keep);
        let at = now();
        let lost = events.read(buffer, names, |rule| {
            if !rule.table.starts_with(rules::TABLE) {
                keep(at, Seen::Rule(rule));
            }
        });
        self.overrun |= lost;
    }
}

/// Waits until one of them has something to read.
fn wait(watches: &[Watch], time: Duration) {
    let mut all: Vec<PollFd<'_>> = watches
        .iter()
        .flat_map(|watch| [watch.tap.as_fd(), watch.events.as_fd()])
        .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
        .collect();
    // An error is one of the next reading, too.
    let _ = poll(&mut all, PollTimeout::try_from(time).unwrap_or(PollTimeout::ZERO));
}

/// The counters of the calling thread's namespace, by the names of nstat(8).
fn counters() -> BTreeMap<String, u64> {
    let mut counters = BTreeMap::new();
    for file in ["snmp", "netstat"] {
        let text = std::fs::read_to_string(format!("/proc/thread-self/net/{file}")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.chunks(2) {
            let [names, values] = pair else { continue };
            let prefix = names.split(':').next().unwrap_or_default();
            for (name, value) in names.split_whitespace().skip(1).zip(values.split_whitespace().skip(1)) {
                counters.extend(value.parse().ok().map(|value| (format!("{prefix}{name}"), value)));
            }
        }
    }
    let text = std::fs::read_to_string("/proc/thread-self/net/snmp6").unwrap_or_default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(Ok(value))) = (words.next(), words.next().map(str::parse)) {
            counters.insert(name.to_owned(), value);
        }
    }
    counters
}

/// Counters of what the kernel does not take, or cannot send (`net/ipv4/proc.c`, `net/ipv6/proc.c`).
const TELLING: [&str; 16] = [
    "IpInAddrErrors",
    "IpInDiscards",
    "IpInHdrErrors",
    "IpOutDiscards",
    "IpOutNoRoutes",
    "IpFragFails",
    "IpExtInNoRoutes",
    "TcpExtIPReversePathFilter",
    "UdpNoPorts",
    "Ip6InAddrErrors",
    "Ip6InDiscards",
    "Ip6InHdrErrors",
    "Ip6InNoRoutes",
    "Ip6OutDiscards",
    "Ip6OutNoRoutes",
    "Udp6NoPorts",
];

/// What grew meanwhile.
fn count(watches: &[Watch], places: &Places) -> Vec<Counted> {
    let jobs = watches.iter().map(|watch| netns::job(places.of(&watch.node), counters)).collect();
    let after = netns::run(netns::READERS, jobs);
    let mut counted = Vec::new();
    for (watch, after) in watches.iter().zip(after) {
        // A node that is gone meanwhile counts nothing.
        let Ok(after) = after else { continue };
        for name in TELLING {
            let value = |of: &BTreeMap<String, u64>| of.get(name).copied().unwrap_or(0);
            let more = value(&after).saturating_sub(value(&watch.counters));
            if more > 0 {
                counted.push(Counted { node: watch.node.clone(), name: name.to_owned(), more });
            }
        }
    }
    counted
}

/// Looks up what the rules say whose handles were reported.
fn name_rules(sightings: &mut [Sighting], places: &Places) {
    let mut chains: BTreeMap<(Node, [String; 3]), HashMap<u64, String>> = BTreeMap::new();
    for Sighting { node, seen, .. } in sightings.iter() {
        if let Seen::Rule(rule) = seen
            && rule.handle.is_some()
        {
            let place = [rule.family.clone(), rule.table.clone(), rule.chain.clone()];
            chains.entry((node.clone(), place)).or_default();
        }
    }
    for ((node, [family, table, chain]), rules) in &mut chains {
        let words = ["-a", "list", "chain", family, table, chain];
        // A chain that cannot be listed has rules by number.
        if let Ok(Ok(output)) = netns::run_one(places.of(node), || process::run("nft", &words, "")) {
            rules.extend(output.stdout.lines().filter_map(|line| {
                let (rule, handle) = line.trim().rsplit_once(" # handle ")?;
                Some((handle.parse().ok()?, rule.to_owned()))
            }));
        }
    }
    for Sighting { node, seen, .. } in sightings {
        if let Seen::Rule(rule) = seen {
            let place = [rule.family.clone(), rule.table.clone(), rule.chain.clone()];
            let rules = chains.get(&(node.clone(), place));
            rule.text = rule.handle.and_then(|handle| rules?.get(&handle).cloned());
        }
    }
}
