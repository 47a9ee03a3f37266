//! `BASE+OFFSET`, where an address, a prefix or a hardware address is meant.

use crate::document::yaml::tree::quoted;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The text with its sums worked out, where there is one; `own` for an address of an interface.
///
/// # Errors
///
/// What is wrong with a sum.
pub fn add(text: &str, own: bool) -> Result<Option<String>, String> {
    let (mut out, mut rest, mut found) = (String::new(), text, false);
    while let Some(at) = rest.find('+') {
        let (before, after) = rest.split_at(at);
        let after = after.get(1..).unwrap_or_default();
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (offset, behind) = after.split_at(digits);
        let start = before.trim_end_matches(|c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.')).len();
        let (ahead, base) = before.split_at(start);
        out.push_str(ahead);
        match sum(base, offset, behind, own) {
            Some(sum) => {
                out.push_str(&sum?);
                found = true;
            }
            None => {
                out.push_str(base);
                out.push('+');
                out.push_str(offset);
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    Ok(found.then_some(out))
}

/// The sum, where `base` is something that can be added to.
fn sum(base: &str, offset: &str, behind: &str, own: bool) -> Option<Result<String, String>> {
    if offset.is_empty() {
        return None;
    }
    let number = offset.parse::<u128>().ok();
    let too_far = || format!("{} is beyond the last address", quoted(&format!("{base}+{offset}")));
    if let Ok(base) = base.parse::<IpAddr>() {
        let sum = number.and_then(|number| plus(base, number)).ok_or_else(too_far);
        return Some(sum.and_then(|sum| {
            if own {
                inside(base, offset, sum, behind)?;
            }
            Ok(sum.to_string())
        }));
    }
    let mac = crate::resource::Mac::parse(base)?.to_string();
    let bytes: Vec<u64> = mac.split(':').filter_map(|byte| u64::from_str_radix(byte, 16).ok()).collect();
    let low = bytes.iter().skip(3).fold(0, |sum, byte| sum << 8 | byte);
    let sum = number.and_then(|number| u64::try_from(number).ok()).and_then(|number| low.checked_add(number));
    let Some(sum) = sum.filter(|sum| *sum <= 0xff_ffff) else {
        let written = quoted(&format!("{base}+{offset}"));
        return Some(Err(format!("{written} would change the first three bytes, which stay as they are")));
    };
    let head = mac.get(..8).unwrap_or_default();
    Some(Ok(format!("{head}:{:02x}:{:02x}:{:02x}", sum >> 16, sum >> 8 & 0xff, sum & 0xff)))
}

fn plus(base: IpAddr, number: u128) -> Option<IpAddr> {
    match base {
        IpAddr::V4(base) => {
            let sum = u32::from(base).checked_add(u32::try_from(number).ok()?)?;
            Some(Ipv4Addr::from(sum).into())
        }
        IpAddr::V6(base) => Some(Ipv6Addr::from(u128::from(base).checked_add(number)?).into()),
    }
}

/// Whether an address of an interface is one that it can have: of the same subnet, and neither its network nor its
/// broadcast address.
fn inside(base: IpAddr, offset: &str, sum: IpAddr, behind: &str) -> Result<(), String> {
    let length = behind.strip_prefix('/').and_then(|length| length.parse().ok());
    // What is no length is reported by what reads the address.
    let Some(net) = length.and_then(|length| IpNet::new(base, length).ok()) else { return Ok(()) };
    let written = quoted(&format!("{base}+{offset}{behind}"));
    if !net.contains(&sum) {
        return Err(format!("{written} is {sum}, which is not in {}", net.trunc()));
    }
    let last = if sum.is_ipv4() { 31 } else { 127 };
    if net.prefix_len() < last && sum == net.network() {
        return Err(format!("{written} is the network address of {}", net.trunc()));
    }
    if sum.is_ipv4() && net.prefix_len() < last && sum == net.broadcast() {
        return Err(format!("{written} is the broadcast address of {}", net.trunc()));
    }
    Ok(())
}
