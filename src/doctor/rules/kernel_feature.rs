//! Kinds of links that the kernel does not have.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::{Examined, Obstacle};
use crate::doctor::finding::Finding;
use crate::survey::Missing;

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let machine = examined.machine;
    let missing: Vec<&Missing> = machine.into_iter().flat_map(|machine| &machine.missing).collect();
    let release = machine.map(|machine| machine.kernel.as_str()).unwrap_or_default();
    let said = |obstacle: &&Obstacle| missing.iter().all(|missing| missing.id != obstacle.id);
    let others = examined.lacking.iter().filter(said).map(|lacks| {
        let why = lacks.help.clone().unwrap_or_else(|| "An apply refuses to go on.".to_owned());
        Finding::new(Code::KernelFeature, Severity::Error, lacks.what.clone(), why).about(lacks.id.clone())
    });
    missing.iter().map(|missing| of(missing, release)).chain(others).collect()
}

fn of(missing: &Missing, release: &str) -> Finding {
    let what = format!("this kernel has no {} support ({})", missing.what, missing.config);
    let why = format!("{} needs it. Linux {release} was built without it, or its module is not installed.", missing.id);
    // The modules of queueing disciplines are called after them.
    let module = if missing.what == "netem" { "sch_netem" } else { &missing.what };
    Finding::new(Code::KernelFeature, Severity::Error, what, why)
        .about(missing.id.clone())
        .run("load the module, where the kernel has it", format!("modprobe {module}"))
}
