//! Edits by hand.

use crate::generator::Dice;
use topo::model::Model;
use topo::model::effect;
use topo::resource::*;

/// Things deleted, changed and added where the topology's things are.
pub fn mess(model: &mut Model, dice: &mut Dice<'_>) {
    for _ in 0..1 + dice.below(6) {
        let ids: Vec<ResourceId> =
            model.state.items.iter().filter(|(_, item)| item.owner == Owner::Ours).map(|(id, _)| id.clone()).collect();
        if ids.is_empty() {
            return;
        }
        let id = ids[dice.below(ids.len())].clone();
        let Some(there) = model.state.get(&id).cloned() else { continue };
        // A link of somebody else that was moved in would die with the namespace, and none of that is to be undone.
        let borrowed = model.state.links_of(id.node()).any(|link| matches!(link.tenure, Tenure::From(_)));
        if borrowed && matches!(id, ResourceId::Namespace(_)) {
            continue;
        }
        let made = model.state.namespace(id.node()).is_some_and(|namespace| namespace.tenure == NodeTenure::Created);
        let kind = dice.below(7);
        edit(model, kind, there, made);
    }
}

/// One edit of `there`, in a namespace of ours (`made`) or elsewhere.
#[expect(clippy::too_many_lines, reason = "a list of edits")]
fn edit(model: &mut Model, kind: usize, there: Resource, made: bool) {
    match (kind, there) {
        (_, Resource::Sysctl(sysctl)) => {
            // Settings that were given back are nobody's; to change them then is to change the machine.
            if made && (model.state.record.prior(&sysctl.id()).is_some() || sysctl.key.ends_with("forward")) {
                model.set(Sysctl { value: "7".into(), ..sysctl });
            }
        }
        (_, Resource::Link(link)) => edit_link(model, kind, *link, made),
        (0, Resource::Address(mut address)) if made => {
            address.marked = false;
            model.state.insert(Resource::Address(address), Owner::Ours);
        }
        (1, Resource::Address(address)) if made => {
            let extra = Address::plain(address.link.clone(), "10.250.0.1/16".parse().unwrap());
            _ = effect(&mut model.state, &Operation::Create(Resource::Address(extra)));
        }
        (2, Resource::Address(mut address)) => {
            address.missing = [Automatic::LocalRoute, Automatic::SubnetRoute].into();
            let owner = model.state.items[&address.id()].owner.clone();
            model.state.insert(Resource::Address(address), owner);
        }
        (3, Resource::Address(mut address)) if made && address.address.addr().is_ipv4() => {
            address.flags = Address::NO_PREFIX_ROUTE;
            model.state.insert(Resource::Address(address), Owner::Ours);
        }
        (0, Resource::Table(mut table)) => {
            table.chains.pop();
            model.state.insert(Resource::Table(table), Owner::Ours);
        }
        (0, Resource::Insert(mut insert)) => {
            insert.first = false;
            model.state.insert(Resource::Insert(insert), Owner::Ours);
        }
        (1, Resource::Route(route)) if made => {
            let mut other = route.clone();
            other.key.metric = 4321;
            other.marked = false;
            _ = effect(&mut model.state, &Operation::Create(Resource::Route(other)));
        }
        (2, Resource::Route(route)) if made => {
            let mut other = route.clone();
            if route.key.to.addr().is_ipv4() {
                other.key.tos = 0x10;
            } else {
                other.key.nth = 1;
            }
            _ = effect(&mut model.state, &Operation::Create(Resource::Route(other)));
        }
        (3, Resource::Route(mut route)) if made => {
            route.raw.0.insert(26, vec![1]);
            route.nexthops.iter_mut().for_each(|hop| hop.raw.0.extend([(21, vec![2, 0]), (22, vec![1, 2, 3, 4])]));
            model.state.insert(Resource::Route(route), Owner::Ours);
        }
        // It becomes its opposite.
        (2, Resource::Rule(rule)) if made && !rule.kernel => {
            let mut other = rule.clone();
            other.key.invert = true;
            other.key.raw.0.insert(14, vec![0; 4]);
            model.state.items.remove(&rule.id());
            model.state.insert(Resource::Rule(other), Owner::Ours);
        }
        (1, Resource::Rule(rule)) if made => {
            let mut other = rule.clone();
            (other.key.priority, other.kernel, other.marked) = (77, false, false);
            _ = effect(&mut model.state, &Operation::Create(Resource::Rule(other)));
        }
        // Without any rule for `local` somebody else's namespace hears nothing; no plan leads back to that.
        (_, Resource::Rule(rule)) if rule.kernel && !made => {}
        (_, there) => _ = effect(&mut model.state, &Operation::Delete(there)),
    }
}

fn edit_link(model: &mut Model, kind: usize, link: Link, made: bool) {
    let mut edited = link.clone();
    if link.id.name.as_str() == "lo" || kind == 4 {
        let loopback = link.kind == Kind::Loopback;
        if made || !loopback {
            edited.missing = if loopback {
                [Automatic::Loopback4].into()
            } else {
                [Automatic::LinkLocal, Automatic::MulticastRoute].into()
            };
            let owner = model.state.items[&link.id()].owner.clone();
            model.state.insert(Resource::Link(Box::new(edited)), owner);
        }
        return;
    }
    match kind {
        0 => edited.up = Setting::Is(false),
        1 => (edited.mtu, edited.master) = (Setting::Is(1279), Setting::Is(None)),
        2 if made => {
            let mut extra = Link::bare(LinkId::new(link.id.node.clone(), "extra0"), Kind::Bridge);
            extra.up = Setting::Is(true);
            _ = effect(&mut model.state, &Operation::Create(Resource::Link(Box::new(extra))));
            return;
        }
        3 if link.kind == Kind::Bridge => {
            edited.options.insert("priority".into(), Value::Number(7));
        }
        3 => edited.mac = Setting::Is(Mac([2, 0, 0, 0, 9, 9])),
        // A link that was moved in is somebody else's, and does not die of a hand.
        _ if matches!(link.tenure, Tenure::From(_)) => return,
        _ => {
            _ = effect(&mut model.state, &Operation::Delete(Resource::Link(Box::new(link))));
            return;
        }
    }
    _ = effect(
        &mut model.state,
        &Operation::Update { before: Resource::Link(Box::new(link)), after: Resource::Link(Box::new(edited)) },
    );
}
