//! What depends on what, by way of ports or of links: circles, and stacks that are too high.

use super::link::sorted;
use super::rule::{Found, Rule};
use super::view::View;
use crate::document::Finding;
use crate::resource::{HIGHEST_STACK, Kind, Link, LinkId, kinds};
use std::collections::HashMap;

/// All of them.
pub(super) const RULES: &[Rule] = &[port_circles, too_high];

/// A port of what it depends on, by way of others or at once (`__netdev_upper_dev_link`).
fn port_circles(view: &View<'_>, findings: &mut Found) {
    let stacks = Stacks::of(view);
    for (port, master) in ports(view) {
        if stacks.circle(&port.id).zip(stacks.circle(&master.id)).is_none_or(|(port, master)| port != master) {
            continue;
        }
        let message = format!("\"{}\" cannot be a port of \"{}\", on which it stands itself", port.id, master.id.name);
        let finding = Finding::error("link-loop", view.link_place(&port.id), message)
            .also(view.link_place(&master.id), "its master");
        findings.push(finding.help("take it from the list of ports, or put it on another interface"));
    }
}

/// More interfaces on top of each other than the kernel takes.
fn too_high(view: &View<'_>, findings: &mut Found) {
    let stacks = Stacks::of(view);
    for link in sorted(view).into_iter().filter(|link| stacks.height(&link.id) == Some(HIGHEST_STACK + 1)) {
        let message = format!(
            "\"{}\" would have {HIGHEST_STACK} levels of lower devices, and the kernel stacks at most {HIGHEST_STACK} interfaces",
            link.id
        );
        let finding = Finding::error("stack-too-high", view.link_place(&link.id), message);
        findings.push(finding.help("put a veth pair in between: what is behind its other end does not count"));
    }
}

/// Each port with its master.
fn ports<'v, 'a>(view: &'v View<'a>) -> impl Iterator<Item = (&'a Link, &'a Link)> + use<'v, 'a> {
    sorted(view).into_iter().filter_map(|link| Some((link, view.master(link)?)))
}

/// Who depends on whom, directly or not: the components of that graph (Tarjan's, without recursion), so that a hostile
/// stack costs no more than it is long.
struct Stacks<'a> {
    numbers: HashMap<&'a LinkId, usize>,
    /// The numbers of what each depends on, and whether it stands beside that rather than on it.
    below: Vec<Vec<(usize, bool)>>,
    /// The component of each; two that depend on each other have the same.
    component: Vec<usize>,
    /// How many interfaces are on top of each other, with it.
    height: Vec<usize>,
}

/// How far the search for components is.
struct Search {
    /// When each was met, 1 for the first; 0 for one that was not.
    met: Vec<usize>,
    /// The first that was met of those that can be reached from it.
    least: Vec<usize>,
    /// What is in no component yet, and whether it is there.
    open: Vec<usize>,
    is_open: Vec<bool>,
}

impl<'a> Stacks<'a> {
    fn of(view: &View<'a>) -> Self {
        let links = sorted(view);
        let numbers: HashMap<&LinkId, usize> =
            links.iter().enumerate().map(|(number, link)| (&link.id, number)).collect();
        let mut below = vec![Vec::new(); links.len()];
        let mut note = |above: &LinkId, lower: &LinkId, beside: bool| {
            let known = (numbers.get(above).and_then(|above| below.get_mut(*above)), numbers.get(lower));
            if let (Some(list), Some(lower)) = known {
                list.push((*lower, beside));
            }
        };
        for link in &links {
            if let Some(master) = view.master(link) {
                note(&master.id, &link.id, false);
            }
            // A vxlan outlives it, and is on it as long as it is there (`vxlan_dev_configure`).
            if let Some(lower) =
                link.link.as_ref().filter(|_| kinds::dies_with_link(&link.kind) || link.kind == Kind::Vxlan)
            {
                let beside = view.links.get(lower).is_some_and(|lower| kinds::beside(&link.kind, &lower.kind));
                note(&link.id, lower, beside);
            }
        }
        let mut stacks = Self { component: vec![0; links.len()], height: vec![0; links.len()], numbers, below };
        stacks.search();
        stacks
    }

    fn search(&mut self) {
        let count = self.below.len();
        let mut search =
            Search { met: vec![0; count], least: vec![0; count], open: Vec::new(), is_open: vec![false; count] };
        let mut time = 0;
        for start in 0..count {
            // Where the search is, and how many of what that depends on it has seen.
            let mut way = vec![(start, 0)];
            while let Some((at, seen)) = way.pop() {
                if seen == 0 {
                    if search.met.get(at).is_some_and(|met| *met != 0) {
                        continue;
                    }
                    time += 1;
                    search.meet(at, time);
                }
                match self.below.get(at).and_then(|below| below.get(seen)).map(|(lower, _)| *lower) {
                    Some(lower) if search.met.get(lower) == Some(&0) => way.extend([(at, seen + 1), (lower, 0)]),
                    Some(_) => way.push((at, seen + 1)),
                    None => self.close(at, &mut search),
                }
            }
        }
    }

    /// All that `at` depends on has been looked at: if it is the first of its component, that is whole.
    fn close(&mut self, at: usize, search: &mut Search) {
        let of = |list: &[usize], at: usize| list.get(at).copied().unwrap_or(0);
        let lowers = self.below.get(at).map(Vec::as_slice).unwrap_or_default();
        let open = lowers
            .iter()
            .filter(|(lower, _)| search.is_open.get(*lower) == Some(&true))
            .map(|(lower, _)| of(&search.least, *lower));
        let least = open.chain([of(&search.met, at)]).min().unwrap_or(0);
        let height = lowers
            .iter()
            .map(|(lower, beside)| of(&self.height, *lower).saturating_sub(usize::from(*beside)))
            .max()
            .unwrap_or(0)
            + 1;
        set(&mut search.least, at, least);
        set(&mut self.height, at, height);
        if least != of(&search.met, at) {
            return;
        }
        while let Some(member) = search.open.pop() {
            set(&mut search.is_open, member, false);
            set(&mut self.component, member, at);
            if member == at {
                break;
            }
        }
    }

    /// The component of a link.
    fn circle(&self, link: &LinkId) -> Option<usize> {
        self.component.get(*self.numbers.get(link)?).copied()
    }

    /// How high the stack is on top of which the link stands, with it.
    fn height(&self, link: &LinkId) -> Option<usize> {
        self.height.get(*self.numbers.get(link)?).copied()
    }
}

impl Search {
    fn meet(&mut self, at: usize, time: usize) {
        set(&mut self.met, at, time);
        set(&mut self.least, at, time);
        set(&mut self.is_open, at, true);
        self.open.push(at);
    }
}

fn set<T>(list: &mut [T], at: usize, value: T) {
    if let Some(slot) = list.get_mut(at) {
        *slot = value;
    }
}
