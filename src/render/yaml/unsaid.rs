//! What the kernel chose and no file says.

use crate::resource::kinds::spec::Mtu;
use crate::resource::{Resource, Setting, State, Tenure, kinds};

/// Leaves out what the kernel made up: hardware addresses, and the MTUs that bridges have from their ports, of links
/// whose file, which wanted `wanted`, says none.
pub fn forget_unsaid(state: &mut State, wanted: &State) {
    for link in wanted.links() {
        if let Some(Resource::Link(there)) = state.items.get_mut(&link.id()).map(|item| &mut item.resource) {
            if link.mac == Setting::Left {
                there.mac = Setting::Left;
            }
            if link.mtu == Setting::Left {
                there.mtu = Setting::Left;
            }
        }
    }
}

/// The same as the record has it: after an undo no file is known.
pub fn forget_unrecorded(state: &mut State) {
    let (macs, mtus) = (&state.record.macs, &state.record.mtus);
    for item in state.items.values_mut() {
        let Resource::Link(link) = &mut item.resource else { continue };
        if link.tenure != Tenure::Created {
            continue;
        }
        if !macs.contains(&link.id) {
            link.mac = Setting::Left;
        }
        let follows = kinds::spec(&link.kind).is_none_or(|spec| !matches!(spec.mtu, Mtu::Is(_)));
        if follows && !mtus.contains(&link.id) {
            link.mtu = Setting::Left;
        }
    }
}
