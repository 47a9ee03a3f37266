//! One look at everything.

use super::namespaces::{self, Found};
use super::{hardware, rulesets, settings, unsaid};
use crate::kernel::Error;
use crate::linux::netns;
use crate::linux::netns::Netns;
use crate::linux::netns::namespace::topology_of;
use crate::linux::netns::places::Places;
use crate::linux::object::file::Files;
use crate::linux::observe::topology::says_protocol;
use crate::linux::ownership::classify::{Judge, judge};
use crate::linux::secret::Keys;
use crate::linux::snapshot::contents::{Look, Question};
use crate::linux::snapshot::ends::{Ends, OtherEnds};
use crate::linux::snapshot::peers;
use crate::linux::snapshot::read::look;
use crate::linux::store::record::Records;
use crate::resource::{
    FileName, IfName, Name, Namespace, Node, NodeTenure, Owner, Record, Resource, State, Sysctl, Value, kinds,
};
use crate::survey::{Home, NodeSurvey, Ruleset, Survey};
use nix::libc;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What is read of a namespace only where it is asked for: it costs a program, or a file for each setting.
#[derive(Default)]
struct Details {
    random_macs: BTreeSet<IfName>,
    rulesets: Vec<Ruleset>,
    settings: Vec<Sysctl>,
    unsaid: Vec<String>,
}

/// A namespace that was looked at.
type Seen = (Look, Details);

/// Everything that is there, seen from the calling thread's namespace: links with their peers, addresses, routes, rules
/// and neighbours of all namespaces; hardware addresses, packet rules and settings of those for which `detailed` says
/// so. The keys of WireGuard interfaces are kept apart.
///
/// # Errors
///
/// If something cannot be read: what could not be read is never taken for absent.
pub fn survey(
    topology: &Name,
    detailed: &(impl Fn(&Node, &Home) -> bool + Sync),
) -> Result<(Survey, Arc<Keys>), Error> {
    let keys = Arc::new(Keys::default());
    let host = Netns::current()?;
    let found = namespaces::all(&host)?;
    let existing = found.iter().filter_map(|(node, found)| Some((node.clone(), found.place()?))).collect();
    let places = Places { host: host.clone(), keys: keys.clone(), held: None, existing };
    let survey = netns::run_one(netns::Place::Inside(host), || read(topology, &found, &places, detailed))??;
    Ok((survey, keys))
}

fn read(
    topology: &Name,
    found: &BTreeMap<Node, Found>,
    places: &Places,
    detailed: &(impl Fn(&Node, &Home) -> bool + Sync),
) -> Result<Survey, Error> {
    let fresh = if found.iter().any(|(node, found)| detailed(node, &found.home)) {
        Some(settings::Fresh::read()?)
    } else {
        None
    };
    let ends = Ends::default();
    let jobs = found.iter().map(|(node, at)| {
        let fresh = fresh.as_ref().filter(|_| detailed(node, &at.home));
        let ends = &ends;
        netns::job(places.of(node), move || look_at(topology, node, fresh, places, ends))
    });
    let answers = netns::run(netns::READERS, jobs.collect());
    let mut seen: Vec<Seen> = Vec::new();
    for (node, answer) in found.keys().zip(answers) {
        match answer.and_then(|seen| seen) {
            Ok(one) => seen.extend(one),
            // It went meanwhile.
            Err(error) if error.errno == Some(libc::ENOENT) && !node.is_host() => {}
            Err(error) => return Err(error),
        }
    }
    let (looks, details): (Vec<Look>, Vec<Details>) = seen.into_iter().unzip();
    let far = peers::others(&looks, places)?;
    let mut state = State::empty(topology.clone());
    let tenure = |node: &Node| match found.get(node).and_then(Found::place) {
        _ if node.is_host() => NodeTenure::Host,
        Some(place) => NodeTenure::Existing(place),
        None => NodeTenure::Created,
    };
    everything(&mut state, &looks, &far, places, tenure);
    remembered(&mut state)?;
    for details in &details {
        details.settings.iter().for_each(|setting| state.insert(Resource::Sysctl(setting.clone()), Owner::Ours));
    }
    files(&mut state, found, places)?;
    let nodes = looks.iter().zip(details).filter_map(|(look, details)| {
        let found = found.get(&look.node)?;
        Some((look.node.clone(), node(look, found, details)))
    });
    Ok(Survey { nodes: nodes.collect(), state })
}

/// All that a namespace is asked for.
pub(super) fn question<'a>() -> Question<'a> {
    Question { named: true, stations: true, settings: Sysctl::FORWARDING.into(), ..Question::default() }
}

/// Looks at the calling thread's namespace.
fn look_at(
    topology: &Name,
    node: &Node,
    fresh: Option<&settings::Fresh>,
    places: &Places,
    ends: &Ends,
) -> Result<Option<Seen>, Error> {
    let Some(look) = look(topology, node, &question(), places, ends)? else { return Ok(None) };
    let mut details = Details { unsaid: unsaid::of(&look), ..Details::default() };
    if let Some(fresh) = fresh {
        details.random_macs = hardware::random_macs(&look);
        let (rulesets, notes) = rulesets::read()?;
        details.rulesets = rulesets;
        details.unsaid.extend(notes);
        let (settings, notes) = settings::changed(&look, fresh)?;
        details.settings = settings;
        details.unsaid.extend(notes);
    }
    Ok(Some((look, details)))
}

/// Puts what was seen into a state, as if all of it were one topology's.
pub(super) fn everything(
    state: &mut State,
    looks: &[Look],
    far: &OtherEnds,
    places: &Places,
    tenure: impl Fn(&Node) -> NodeTenure,
) {
    let (wanted, record) = (State::empty(state.topology.clone()), Record::default());
    let all = Judge {
        adopts: false,
        wanted: &wanted,
        record: &record,
        others: &[],
        guests: &HashMap::new(),
        outside: &HashSet::new(),
        far,
        prior: &BTreeSet::new(),
        sources: &BTreeSet::new(),
        kernel_rules: &BTreeSet::new(),
        keys: &places.keys,
        says: says_protocol(),
    };
    for look in looks {
        let tenure = tenure(&look.node);
        let namespace = Namespace { node: look.node.clone(), tenure, marked: true, whole: false, alias: None };
        state.insert(Resource::Namespace(namespace), Owner::Ours);
        if let Some(inside) = &look.inside {
            judge(&all, look, inside, true, state);
        }
        unsaid::entries(look).into_iter().for_each(|entry| state.insert(entry, Owner::Ours));
    }
    // The table of a topology is one of the rulesets.
    state.items.retain(|_, item| !matches!(item.resource, Resource::Table(_)));
}

/// Where WireGuard interfaces were created, and which endpoints were written and which are where a peer was last heard:
/// the kernel does not say it, of those that topo made a record does.
fn remembered(state: &mut State) -> Result<(), Error> {
    let records = Records::default();
    for name in records.names()? {
        // One that cannot be read is reported by what is done with its topology.
        let Ok(Some(record)) = records.load(&name).map(|loaded| loaded.record) else { continue };
        let written: BTreeMap<_, _> = record.endpoints.iter().map(|(id, endpoint)| (id, *endpoint)).collect();
        for (id, born) in record.born {
            for item in state.items.values_mut() {
                if let Resource::Peer(peer) = &mut item.resource
                    && peer.link == id
                {
                    peer.endpoint = written.get(&peer.id()).copied().into();
                }
            }
            let home = born.and_then(|node| state.namespace(&node)).map(|namespace| namespace.node.clone());
            let Some(home) = home.filter(|home| *home != id.node) else { continue };
            if let Some(Resource::Link(link)) =
                state.items.get_mut(&crate::resource::ResourceId::Link(id)).map(|item| &mut item.resource)
                && kinds::traits(&link.kind).has_keys
            {
                link.options.insert("transport".into(), Value::word(&home.code()));
            }
        }
    }
    Ok(())
}

/// The hosts and resolv.conf that named namespaces have.
fn files(state: &mut State, found: &BTreeMap<Node, Found>, places: &Places) -> Result<(), Error> {
    let files = Files::default().of(&places.existing);
    let Some(folders) = files.folders()? else { return Ok(()) };
    for node in found.iter().filter(|(_, found)| found.home == Home::Named).map(|(node, _)| node) {
        if !folders.contains(files.name(node)) {
            continue;
        }
        for name in [FileName::Hosts, FileName::ResolvConf] {
            if let Some((file, owner)) = files.observe(node, name, &state.topology)? {
                state.insert(Resource::File(file), owner);
            }
        }
    }
    Ok(())
}

fn node(look: &Look, found: &Found, details: Details) -> NodeSurvey {
    let marked = |alias: &str| topology_of(alias).map(Name::from);
    NodeSurvey {
        home: found.home.clone(),
        topology: look.alias.as_deref().and_then(marked),
        second_names: found.second_names.clone(),
        marked: look
            .links
            .iter()
            .filter_map(|link| Some((link.name.clone(), marked(link.alias.as_deref()?)?)))
            .collect(),
        random_macs: details.random_macs,
        rulesets: details.rulesets,
        unsaid: details.unsaid,
    }
}
