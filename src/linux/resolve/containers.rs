//! Which runtime has the containers that a file names.

use crate::kernel::Error;
use crate::linux::netns::container;
use crate::resource::{NetnsRef, NodeTenure, Resource, State};

/// Asks which runtime has each container, and whether it runs.
///
/// # Errors
///
/// If no runtime has it, or more than one and the file does not say which, or it does not run.
pub fn resolve(wanted: &mut State) -> Result<(), Error> {
    for (id, item) in &mut wanted.items {
        if let Resource::Namespace(namespace) = &mut item.resource
            && let NodeTenure::Existing(NetnsRef::Container { runtime, name }) = &mut namespace.tenure
        {
            let (found, _) = container::find(*runtime, name).map_err(|error| error.about(id.clone()))?;
            *runtime = Some(found);
        }
    }
    Ok(())
}
