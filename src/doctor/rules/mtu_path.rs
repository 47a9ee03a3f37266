//! Packets that fit the interface which they are sent from, and are lost on their way without a word.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::doctor::meant::Sender;
use crate::doctor::stopped::{Stopped, groups};
use crate::doctor::walked::{Walked, walk};
use crate::flow::Verdict;
use crate::flow::outcome::End;

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let sound = examined.walked.iter().filter(|walked| walked.verdict() == Verdict::Reaches);
    let full = sound.filter(|walked| walked.meant.sender == Sender::Node).filter_map(|walked| {
        let mut meant = walked.meant.clone();
        meant.question.size = Some(first_mtu(examined, walked)?);
        Some(meant)
    });
    let again = walk(examined.world, full.collect());
    // One who sends too much is said so, and sends less; what is lost on a segment is never heard of.
    let lost = again.iter().filter_map(|walked| match walked.explanation.reason()? {
        End::Stopped(stop) if stop.code == "mtu" && stop.what.contains("lost") => Some(Stopped { walked, stop }),
        _ => None,
    });
    groups(lost.collect()).iter().map(|group| of(group)).collect()
}

/// The MTU of the interface that a flow leaves its sender by.
fn first_mtu(examined: &Examined<'_>, walked: &Walked) -> Option<u32> {
    let from = &walked.meant.question.from;
    let own = walked.explanation.forth.steps.iter().take_while(|step| step.node == *from);
    let name = own.filter_map(|step| step.interface.as_deref()).last()?;
    let link = examined.world.link(from, &name.into())?;
    Some(examined.world.mtu(link)).filter(|mtu| link.id.name.as_str() != "lo" && *mtu > 84)
}

fn of(group: &[Stopped<'_>]) -> Finding {
    let stop = group.first().map(|one| one.stop);
    let what = stop.map(|stop| format!("in {}, {}", stop.node, stop.what)).unwrap_or_default();
    let why = "Small packets pass, so that a ping works and a download stands still. All interfaces of a segment need one \
               MTU.";
    let mut finding = Finding::new(Code::MtuPath, Severity::Warning, what, why);
    finding.remedies = Stopped::advice(group);
    Stopped::finding(group, finding)
}
