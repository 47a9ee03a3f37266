//! Values of files of others, as they are written there.

use crate::document::yaml::tree::{Data, Yaml};
use crate::resource::{Mac, Value};
use ipnet::IpNet;
use std::net::IpAddr;

/// The entries of a map; none of what is no map.
pub(super) fn entries<'y, 'a>(yaml: &'y Yaml<'a>) -> &'y [(Yaml<'a>, Yaml<'a>)] {
    match yaml.data() {
        Data::Map(entries) => entries,
        _ => &[],
    }
}

/// The value of a key.
pub(super) fn get<'y, 'a>(yaml: &'y Yaml<'a>, key: &str) -> Option<&'y Yaml<'a>> {
    entries(yaml).iter().find(|(name, _)| name.text() == key).map(|(_, value)| value)
}

/// The text of a key; nothing where it is not there.
pub(super) fn text<'y>(yaml: &'y Yaml<'_>, key: &str) -> Option<&'y str> {
    get(yaml, key).map(Yaml::text).filter(|text| !text.is_empty())
}

/// The items of a list; what is no list is the one item.
pub(super) fn items<'y, 'a>(yaml: &'y Yaml<'a>) -> &'y [Yaml<'a>] {
    match yaml.data() {
        Data::List(items) => items,
        _ if yaml.is_null() => &[],
        _ => std::slice::from_ref(yaml),
    }
}

/// What YAML 1.1 has for true and false.
pub(super) fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

/// A prefix; an address without a length is a host.
pub(super) fn prefix(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// A hardware address.
pub(super) fn mac(text: &str) -> Option<Mac> {
    let bytes: Vec<u8> = text.split([':', '-']).filter_map(|part| u8::from_str_radix(part, 16).ok()).collect();
    bytes.try_into().ok().map(Mac)
}

/// Hundredths of a second from seconds, or thousandths where the number has a unit.
pub(super) fn centis(text: &str) -> Option<Value> {
    let milli = text.strip_suffix("ms").and_then(|text| text.trim().parse::<u64>().ok()).map(|ms| ms / 10);
    let seconds = || text.strip_suffix('s').unwrap_or(text).trim().parse::<u64>().ok().map(|s| s * 100);
    milli.or_else(seconds).map(Value::Centis)
}
