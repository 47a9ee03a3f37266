//! The steps of a plan, level by level.

use super::report::{Options, Progress};
use super::{offload, record};
use crate::kernel::{Error, ErrorKind, Kernel};
use crate::plan::change::Plan;
use crate::resource::{LinkId, Node, Operation, Owner, Record, Resource, ResourceId, Sysctl};
use std::sync::atomic::Ordering;

/// Carries out the steps of a plan, a level at a time.
pub(crate) fn steps(
    kernel: &mut dyn Kernel,
    plan: &Plan,
    during: &mut Record,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
    done: &mut usize,
) -> Result<(), Error> {
    let of = plan.steps.len();
    for level in plan.steps.chunk_by(|a, b| a.level == b.level) {
        if options.interrupted.load(Ordering::Relaxed) != 0 {
            return Err(Error::new(ErrorKind::Interrupted, "apply", "stopped by a signal"));
        }
        let batch: Vec<Operation> = level.iter().map(|step| step.operation.clone()).collect();
        before_settings(kernel, plan, &batch, during)?;
        offload::before(kernel, plan, &batch, during)?;
        let results = kernel.perform(&plan.base.topology, &batch);
        *done += results.iter().filter(|result| result.is_ok()).count();
        progress(Progress::Steps { done: *done, of });
        let failed = |(result, operation): (Result<(), Error>, &Operation)| {
            result.err().filter(|error| {
                error.kind != ErrorKind::Skipped && !(error.kind == ErrorKind::Gone && is_settled(plan, operation))
            })
        };
        if let Some(error) = results.into_iter().zip(&batch).find_map(failed) {
            return Err(error);
        }
    }
    Ok(())
}

/// Remembers the values of settings that are about to be written and could not be observed before, because their
/// namespace or interface was not there.
pub(crate) fn before_settings(
    kernel: &mut dyn Kernel,
    plan: &Plan,
    batch: &[Operation],
    during: &mut Record,
) -> Result<(), Error> {
    let which: Vec<(Node, String)> = batch
        .iter()
        .filter_map(|operation| match operation {
            Operation::Create(Resource::Sysctl(sysctl))
                if record::remembered(&plan.wanted, sysctl) && during.prior(&sysctl.id()).is_none() =>
            {
                Some((sysctl.node.clone(), sysctl.key.clone()))
            }
            _ => None,
        })
        .collect();
    if which.is_empty() {
        return Ok(());
    }
    let values = kernel.settings(&which)?;
    for ((node, key), value) in which.into_iter().zip(values) {
        if let Some(value) = value {
            record::remember(during, Resource::Sysctl(Sysctl::new(node, key, &value)));
        }
    }
    kernel.remember(&plan.base.topology, during)
}

/// Whether an operation is of no matter once its interface is gone: that was foreign, and took its settings with it.
pub(crate) fn is_settled(plan: &Plan, operation: &Operation) -> bool {
    let link = match operation {
        Operation::Create(Resource::Sysctl(sysctl)) | Operation::Update { after: Resource::Sysctl(sysctl), .. } => {
            sysctl.link()
        }
        _ => None,
    };
    let theirs =
        |link: LinkId| plan.base.items.get(&ResourceId::Link(link)).is_some_and(|item| item.owner != Owner::Ours);
    link.is_some_and(theirs)
}
