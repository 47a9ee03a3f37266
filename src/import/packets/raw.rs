//! Rules that stay in nft's words.

use crate::dialect::nft_script::raw_fault;

/// Words after which a rule needs something that is not in the table of a topology.
const ELSEWHERE: [&str; 8] = ["jump", "goto", "queue", "flow", "synproxy", "quota", "helper", "timeout"];

/// A line of nft's, listed in a table of `family`, as one for a table of both families; the reason where it cannot
/// stand there.
pub(super) fn line(text: &str, family: &str) -> Result<String, String> {
    let text = without_comment(text);
    if text.contains('@') {
        return Err("it goes by a set or map that changes".to_owned());
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    if let Some(word) = words.iter().find(|word| ELSEWHERE.contains(word)) {
        return Err(format!("`{word}` needs more than a rule"));
    }
    if words.iter().any(|word| word.starts_with('#') || *word == "xt") {
        return Err("nft has no words for it".to_owned());
    }
    if words.contains(&"counter") && words.contains(&"name") {
        return Err("it counts by a named counter".to_owned());
    }
    if let Some(fault) = raw_fault(&text) {
        return Err(format!("there is {fault}"));
    }
    let only = match family {
        "ip" => "meta nfproto ipv4 ",
        "ip6" => "meta nfproto ipv6 ",
        _ => "",
    };
    let address = if family == "ip6" { "ip6" } else { "ip" };
    let mut line = String::from(only);
    let mut last = "";
    for (nth, word) in words.iter().enumerate() {
        if nth > 0 {
            line.push(' ');
        }
        // An interface by its number would be another one whenever that is made.
        line.push_str(match *word {
            "iif" => "iifname",
            "oif" => "oifname",
            word => word,
        });
        let is_nat = matches!(*word, "snat" | "dnat") && last != "status" && !only.is_empty();
        if is_nat && words.get(nth + 1) == Some(&"to") {
            line.push(' ');
            line.push_str(address);
        }
        last = word;
    }
    Ok(line)
}

fn without_comment(text: &str) -> String {
    match text.rsplit_once(" comment \"") {
        Some((rule, rest)) if rest.ends_with('"') && rest.matches('"').count() == 1 => rule.to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_one_family_says_so() {
        assert_eq!(
            line("tcp dport 80 dnat to numgen inc mod 2 comment \"x\"", "ip").unwrap(),
            "meta nfproto ipv4 tcp dport 80 dnat ip to numgen inc mod 2"
        );
        assert_eq!(line("iif \"lo\" accept", "inet").unwrap(), "iifname \"lo\" accept");
        for bad in ["jump mine", "ip saddr @bad drop", "# xt_match drop", "a; b", "counter name \"x\" accept"] {
            assert!(line(bad, "inet").is_err(), "{bad}");
        }
    }
}
