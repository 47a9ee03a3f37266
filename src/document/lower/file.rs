//! Files of a namespace.

use super::context::Lowering;
use super::node::At;
use crate::document::Finding;
use crate::document::schema::dns::{Dns, Hosts};
use crate::document::schema::section::ExistingPlace;
use crate::resource::{File, FileName, Owner, Resource};
use std::collections::HashSet;
use std::fmt::Write;

impl<'d> Lowering<'d> {
    /// The hosts and resolv.conf of a node.
    pub fn files(&mut self, at: &At<'d>) {
        let dns = at.section.dns.as_deref();
        if let (Some(dns), Some(reason)) = (dns, nowhere(at)) {
            self.note(Finding::error("misplaced-key", dns.place, "`dns` means nothing here").help(reason));
            return;
        }
        let common = self.document.dns.as_ref().map(|dns| &dns.hosts).filter(|hosts| at.created && !hosts.is_empty());
        let own = dns.map(|dns| &dns.hosts).filter(|hosts| !hosts.is_empty());
        let place = dns.map(|dns| dns.place).or(self.document.dns.as_ref().map(|dns| dns.place)).unwrap_or(at.place);
        if own.is_some() || common.is_some() {
            let names = self.hosts(at, &[own, common].into_iter().flatten().collect::<Vec<_>>());
            // A node that knows no other needs no file.
            if !names.is_empty() {
                let mark = File::mark(&self.document.name);
                let content = format!("{mark}\n127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{names}");
                let file = File { node: at.node.clone(), name: FileName::Hosts, content };
                self.put(Resource::File(file), Owner::Ours, place, format!("{}.dns", at.path));
            }
        }
        let Some(dns) = dns else { return };
        if !(dns.nameservers.is_empty() && dns.search.is_empty() && dns.options.is_empty()) {
            let content = resolv_conf(&File::mark(&self.document.name), dns);
            let file = File { node: at.node.clone(), name: FileName::ResolvConf, content };
            self.put(Resource::File(file), Owner::Ours, dns.place, format!("{}.dns", at.path));
        }
    }
}

impl<'d> Lowering<'d> {
    /// The hosts of a node but localhost: the names that the file gives addresses, of which the first entry counts, and
    /// its nodes where it says so.
    fn hosts(&mut self, at: &At<'d>, hosts: &[&Hosts]) -> String {
        let mut content = String::new();
        let mut known: HashSet<&str> = HashSet::new();
        for (name, addresses) in hosts.iter().flat_map(|hosts| &hosts.names) {
            if known.insert(&name.0) {
                addresses.iter().for_each(|address| _ = writeln!(content, "{address} {}", name.0));
            }
        }
        if let Some(place) = hosts.iter().find_map(|hosts| hosts.nodes) {
            content.push_str(&self.names_of_nodes(at, place, |name| known.contains(name)));
        }
        content
    }
}

/// Why a node has no files of its own.
fn nowhere(at: &At<'_>) -> Option<&'static str> {
    let existing = at.section.existing.as_deref().and_then(|existing| existing.at.as_ref());
    match existing.map(|place| &place.value) {
        _ if at.node.is_host() => Some("the host has its own files"),
        Some(ExistingPlace::Path(_) | ExistingPlace::Pid(_) | ExistingPlace::Container(_)) => {
            Some("a namespace that is found by path, process or container has no name, and so no folder for files")
        }
        _ => None,
    }
}

fn resolv_conf(first: &str, dns: &Dns) -> String {
    let mut content = format!("{first}\n");
    for server in &dns.nameservers {
        let _ = writeln!(content, "nameserver {server}");
    }
    for (key, words) in [("search", &dns.search), ("options", &dns.options)] {
        if !words.is_empty() {
            let words: Vec<&str> = words.iter().map(|word| word.0.as_str()).collect();
            let _ = writeln!(content, "{key} {}", words.join(" "));
        }
    }
    content
}
