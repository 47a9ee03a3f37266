//! Parts of the kernel's messages that topo has no words for.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Netlink attributes by their numbers, with their values byte for byte as the kernel said them.
///
/// What another program configured has parts that the language does not have, such as an encapsulation. They belong to
/// what it is: it is compared, deleted and put back with them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Raw(pub BTreeMap<u16, Vec<u8>>);

impl Raw {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of 32 bits that the attribute `number` is, in the machine's byte order; `None` where it is not there
    /// or has another length.
    pub fn u32(&self, number: u16) -> Option<u32> {
        self.bytes(number).map(u32::from_ne_bytes)
    }

    /// The value of the attribute `number`, where it has this length.
    pub fn bytes<const N: usize>(&self, number: u16) -> Option<[u8; N]> {
        self.0.get(&number)?.as_slice().try_into().ok()
    }
}

/// Bytes as hexadecimal digits, for attributes without a word.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Routing realms as `ip` writes them, from the number that the kernel has for both.
pub(super) fn realms(realms: u32) -> String {
    match (realms >> 16, realms & 0xffff) {
        (0, to) => format!("realms {to}"),
        (from, to) => format!("realms {from}/{to}"),
    }
}

/// A part that the language does not have, as `ip rule` calls it (`FRA_*`).
pub(super) fn rule_part(number: u16, value: &[u8]) -> String {
    let raw = Raw([(number, value.to_vec())].into());
    let word = match number {
        11 => raw.u32(number).map(realms),
        12 => raw.bytes(number).map(|id| format!("tun_id {}", u64::from_be_bytes(id))),
        13 => raw.u32(number).map(|group| format!("suppress_ifgroup {group}")),
        14 => raw.u32(number).map(|length| format!("suppress_prefixlength {length}")),
        20 => raw.bytes(number).map(|[a, b, c, d, e, f, g, h]| {
            format!("uidrange {}-{}", u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h]))
        }),
        25 => raw.bytes(number).map(|[dscp]| format!("dscp {dscp}")),
        26 => raw.bytes(number).map(|label| format!("flowlabel {:#x}", u32::from_be_bytes(label))),
        _ => None,
    };
    word.unwrap_or_else(|| format!("attribute {number} {}", hex(value)))
}
