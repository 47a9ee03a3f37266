//! Bad lines.

use super::context::Lowering;
use super::node::At;
use crate::document::schema::interface::{Impair, Interface, Spread};
use crate::document::{Finding, Loc, Place};
use crate::resource::{ByteRate, Distribution, IfName, Nanoseconds, Netem, Owner, Qdisc, Resource, Share, Work};

/// The longest jitter that the kernel keeps: it cuts what is more (`netem_change` in `net/sched/sch_netem.c`).
const MOST_JITTER: Nanoseconds = Nanoseconds(i32::MAX as u64);

impl<'d> Lowering<'d> {
    /// What makes the line of an interface a bad one; `made` says whether there is a link now.
    pub fn impair(&mut self, at: &At<'d>, name: &Loc<IfName>, interface: &Interface, path: &str, made: bool) {
        let Some(impair) = interface.impair.as_deref() else { return };
        let netem = netem(impair);
        self.impair_ranges(impair, &netem);
        if !made {
            return;
        }
        let qdisc = Qdisc { link: at.link(name), work: Work::Netem(netem), marked: true };
        self.put(Resource::Qdisc(qdisc), Owner::Ours, impair.place, format!("{path}.impair"));
    }

    /// What the kernel takes without a word and does not do.
    fn impair_ranges(&mut self, impair: &Impair, netem: &Netem) {
        let Impair { place, delay, jitter, distribution, loss, duplicate, corrupt, reorder, rate, limit } = impair;
        let times = delay.is_some() || jitter.is_some();
        let shares = [loss, duplicate, corrupt, reorder].into_iter().any(|share| share.is_some());
        if !(times || shares || distribution.is_some() || rate.is_some() || limit.is_some()) {
            self.note(
                Finding::error("missing-key", *place, "`impair` is empty")
                    .help("give at least one impairment: delay: 20ms, loss: 1%, rate: 10mbit"),
            );
        }
        let mut without = |place: Option<Place>, what: &str, needs: &str| {
            if let Some(place) = place {
                let finding =
                    Finding::error("missing-key", place, format!("`{what}` does nothing without a `{needs}`"));
                self.note(finding.help(if needs == "delay" { "add one: delay: 20ms" } else { "add one: jitter: 5ms" }));
            }
        };
        if netem.delay.0 == 0 {
            without(
                jitter.as_ref().filter(|jitter| jitter.nanoseconds > 0).map(|jitter| jitter.place),
                "jitter",
                "delay",
            );
            without(reorder.as_ref().filter(|_| netem.reorder.0 > 0).map(|reorder| reorder.place), "reorder", "delay");
        }
        if netem.jitter.0 == 0 {
            without(distribution.as_ref().map(|distribution| distribution.place), "distribution", "jitter");
        }
        if let Some(jitter) = jitter.as_ref().filter(|_| netem.jitter > MOST_JITTER) {
            let message = format!("`jitter` is {}, expected at most {MOST_JITTER}", netem.jitter);
            self.note(Finding::error("out-of-range", jitter.place, message).help("the kernel cuts what is more"));
        }
    }
}

/// In the kernel's terms.
fn netem(impair: &Impair) -> Netem {
    let Impair { place: _, delay, jitter, distribution, loss, duplicate, corrupt, reorder, rate, limit } = impair;
    let time = |time: &Option<Loc<super::super::value::Duration>>| {
        Nanoseconds(time.as_ref().map_or(0, |time| time.nanoseconds))
    };
    let share =
        |share: &Option<Loc<super::super::value::Percent>>| share.as_ref().map_or(Share(0), |percent| percent.share);
    Netem {
        delay: time(delay),
        jitter: time(jitter),
        distribution: match distribution.as_ref().map(|spread| spread.value) {
            None | Some(Spread::Uniform) => Distribution::Uniform,
            Some(Spread::Normal) => Distribution::Normal,
            Some(Spread::Pareto) => Distribution::Pareto,
            Some(Spread::ParetoNormal) => Distribution::ParetoNormal,
        },
        loss: share(loss),
        duplicate: share(duplicate),
        corrupt: share(corrupt),
        reorder: share(reorder),
        // As `tc` does: what is less than a byte per second is left out.
        rate: ByteRate(rate.as_ref().map_or(0, |rate| rate.bits / 8)),
        limit: limit.as_ref().map_or(Netem::LIMIT, |limit| limit.u32()),
    }
}
