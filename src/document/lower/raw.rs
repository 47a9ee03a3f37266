//! What follows from the words of nft that a line has, and what nft has no words for.

use crate::resource::{PacketRule, Verdict};

/// The most rules that a range of ports becomes.
pub const MOST_PORTS: u16 = 1024;

/// Whether a line says how a connection is tracked, which it only can before that happens (`nft_notrack_eval`,
/// `nft_ct_set_zone_eval`).
pub(super) fn before_tracking(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let zone = |three: &[&str]| matches!(three, ["ct" | "original" | "reply", "zone", "set"]);
    words.contains(&"notrack") || words.windows(3).any(zone)
}

/// Whether a line of `nat` changes destinations, which is done on the way in. The last word for a translation is the
/// verdict; what `ct status` is compared with (`ct status dnat masquerade`) is none.
pub(super) fn changes_destination(line: &str) -> bool {
    let mut words = line.split_whitespace().peekable();
    let mut verdict = "";
    while let Some(word) = words.next() {
        if word == "ct" && words.next_if_eq(&"status").is_some() {
            while words.next_if(|word| matches!(*word, "==" | "!=" | "&" | "|")).is_some() {}
            let mut inside = words.peek().is_some_and(|word| word.starts_with('{'));
            // A set in braces, or words that commas join.
            while let Some(value) = words.next() {
                inside &= !value.ends_with('}');
                let more = value.ends_with(',')
                    || words.peek().is_some_and(|next| next.starts_with(',') || matches!(*next, "|" | "&"));
                let operator = matches!(value, "," | "|" | "&");
                if !(inside || more || operator) {
                    break;
                }
            }
        } else if matches!(word, "dnat" | "snat" | "masquerade" | "redirect") {
            verdict = word;
        }
    }
    matches!(verdict, "dnat" | "redirect")
}

/// The ports of a rule and those that it sends them to, where they are two ranges of one length that begin elsewhere.
fn ranges(rule: &PacketRule) -> Option<((u16, u16), u16)> {
    let to = match &rule.verdict {
        Some(Verdict::Dnat(target)) => target.port?,
        Some(Verdict::Redirect(to)) => (*to)?,
        _ => return None,
    };
    let [from] = rule.port.as_slice() else { return None };
    let shifted = from.1 - from.0 == to.1.checked_sub(to.0)? && from.0 != to.0 && from.1 > from.0;
    (shifted && from.1 - from.0 < MOST_PORTS).then_some((*from, to.0))
}

/// A range of ports that goes to another one of its length, one to one: for nft such a target is a pool, of which all
/// get the first that is free, so each port becomes a rule.
pub(super) fn one_to_one(rules: Vec<PacketRule>) -> Vec<PacketRule> {
    let each = |rule: PacketRule| {
        let Some(((first, last), to)) = ranges(&rule) else { return vec![rule] };
        let one = |port: u16| {
            let there = Some((to + (port - first), to + (port - first)));
            let verdict = rule.verdict.clone().map(|verdict| match verdict {
                Verdict::Dnat(target) => Verdict::Dnat(crate::resource::Target { port: there, ..target }),
                Verdict::Redirect(_) => Verdict::Redirect(there),
                other => other,
            });
            PacketRule { port: vec![(port, port)], verdict, ..rule.clone() }
        };
        (first..=last).map(one).collect()
    };
    rules.into_iter().flat_map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_tells_where_a_line_of_nat_stands() {
        for arriving in [
            "tcp dport 80 dnat to 10.0.0.2",
            "ct status snat tcp dport 80 dnat ip to 10.0.0.2",
            "tcp dport 80 redirect to :8080",
            "ct status { snat, dnat } redirect",
        ] {
            assert!(changes_destination(arriving), "{arriving}");
        }
        for leaving in [
            "ct status dnat ip saddr 10.0.0.0/24 masquerade",
            "ct status dnat accept",
            "ct status & dnat != 0 masquerade",
            "ct status { dnat, snat } masquerade",
            "ct status dnat,snat accept",
            "ct status dnat , snat accept",
            "ct status dnat | snat snat to 10.0.0.1",
            "oifname \"dnat\" masquerade",
        ] {
            assert!(!changes_destination(leaving), "{leaving}");
        }
    }

    #[test]
    fn what_is_tracked_is_said_before() {
        assert!(
            before_tracking("iifname \"a\" ct zone set 7")
                && before_tracking("notrack")
                && before_tracking("ct original zone set 3")
        );
        assert!(!before_tracking("ct zone 7 accept") && !before_tracking("ct mark set 7"));
    }
}
