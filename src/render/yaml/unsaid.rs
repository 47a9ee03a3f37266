//! What the kernel chose and no file says.

use crate::resource::{Resource, Setting, State};

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
