//! What comes into being with a resource, and whose it is then.

use crate::resource::{
    Address, Foreign, Kind, Link, LinkId, Namespace, NodeTenure, Owner, Resource, Setting, State, Sysctl, Tenure,
};

/// What comes into being with `resource` although nothing asked for it: `lo`, forwarding off and the kernel's rules in
/// a new namespace.
pub fn born(resource: &Resource) -> Vec<Resource> {
    let Resource::Namespace(Namespace { node, tenure: NodeTenure::Created, whole: false, .. }) = resource else {
        return Vec::new();
    };
    let lo = Link {
        tenure: Tenure::Existing,
        up: Setting::Is(false),
        mtu: Setting::Is(65536),
        master: Setting::Is(None),
        alternative_names: Setting::Is(Default::default()),
        txqueuelen: Setting::Is(1000),
        ..Link::bare(LinkId::new(node.clone(), "lo"), Kind::Loopback)
    };
    let off = |key| Resource::Sysctl(Sysctl::new(node.clone(), key, "0"));
    let mut all = vec![Resource::Link(Box::new(lo)), off(Sysctl::FORWARDING_V4), off(Sysctl::FORWARDING_V6)];
    all.extend(crate::resource::Rule::of_the_kernel(node).into_iter().map(Resource::Rule));
    all
}

/// Whose something is that was made: outside namespaces of ours, what carries no mark is foreign, put back.
pub(crate) fn born_as(state: &State, resource: &Resource) -> Owner {
    let made = state.is_made(resource.id().node());
    let marked = match resource {
        Resource::Address(address) => address.marked,
        Resource::Route(route) => route.marked,
        Resource::Neighbor(neighbor) => neighbor.marked,
        Resource::Qdisc(qdisc) => qdisc.marked,
        Resource::Link(link) => link.marked,
        // The kernel's own rule for `local`, back in its place.
        Resource::Rule(rule) if rule.kernel && rule.key.priority == 0 => {
            return if made { Owner::Ours } else { Owner::Theirs(Foreign::Kernel) };
        }
        _ => true,
    };
    if made || marked { Owner::Ours } else { Owner::Theirs(Foreign::Unknown) }
}

/// Whose something is whose mark was changed while things are adopted, or an adoption is undone.
pub(crate) fn adopted(state: &mut State, after: &Resource) {
    let Some(item) = state.items.get_mut(&after.id()).filter(|_| state.adopts.is_some()) else { return };
    item.owner = match (&item.owner, after.mark()) {
        (Owner::Theirs(Foreign::Unknown), Some(true)) => Owner::Ours,
        (Owner::Ours, Some(false)) => Owner::Theirs(Foreign::Unknown),
        _ => return,
    };
    match (&mut item.resource, after) {
        (Resource::Link(there), Resource::Link(after)) => {
            there.marked = after.marked;
            there.unmarked.clone_from(&after.unmarked);
        }
        (Resource::Address(there), Resource::Address(Address { protocol, marked, .. })) => {
            (there.marked, there.protocol) = (*marked, *protocol)
        }
        _ => {}
    }
}
