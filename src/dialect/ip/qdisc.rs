//! Root qdiscs in `tc` words.

use super::words::Words;
use crate::resource::{Distribution, Netem, Qdisc, Work, quote};

impl Words {
    /// Makes it, or changes `before` to it where it stands.
    pub(super) fn qdisc(&self, before: Option<&Qdisc>, qdisc: &Qdisc) -> String {
        let mut words = vec![
            self.program("tc", &qdisc.link.node),
            format!("qdisc replace dev {} root", quote(qdisc.link.name.as_str())),
        ];
        match &qdisc.work {
            Work::Netem(netem) => {
                if qdisc.marked {
                    words.push(format!("handle {:x}:", netem.distribution.handle()));
                }
                words.push("netem".to_owned());
                let old = before.and_then(|before| if let Work::Netem(old) = &before.work { Some(old) } else { None });
                words.extend(netem_words(old.unwrap_or(&Netem { limit: netem.limit, ..Netem::default() }), netem));
            }
            Work::Other { kind, .. } => words.push(format!("{} # with the options that it had", quote(kind))),
        }
        words.join(" ")
    }

    pub(super) fn delete_qdisc(&self, qdisc: &Qdisc) -> String {
        format!("{} qdisc delete dev {} root", self.program("tc", &qdisc.link.node), quote(qdisc.link.name.as_str()))
    }
}

/// What is left out stays as it is, so that what `before` has and `after` has not is written as nothing.
fn netem_words(before: &Netem, after: &Netem) -> Vec<String> {
    let mut words = vec![format!("limit {}", after.limit)];
    if after.delay.0 != 0 || after.jitter.0 != 0 || before.delay.0 != 0 || before.jitter.0 != 0 {
        let mut delay = format!("delay {}", after.delay.for_tc());
        if after.jitter.0 != 0 || before.jitter.0 != 0 {
            delay.push_str(&format!(" {}", after.jitter.for_tc()));
        }
        if after.distribution != Distribution::Uniform {
            delay.push_str(&format!(" distribution {}", after.distribution.word()));
        }
        words.push(delay);
    }
    let shares = [
        ("loss", before.loss, after.loss),
        ("duplicate", before.duplicate, after.duplicate),
        ("corrupt", before.corrupt, after.corrupt),
        ("reorder", before.reorder, after.reorder),
    ];
    words.extend(
        shares
            .into_iter()
            .filter(|(_, old, new)| old.0 != 0 || new.0 != 0)
            .map(|(name, _, new)| format!("{name} {new}")),
    );
    if after.rate.0 != 0 || before.rate.0 != 0 {
        words.push(format!("rate {}", after.rate.whole()));
    }
    words
}
