//! Anonymous sets: several addresses, ports or interfaces in one rule.

use crate::linux::netlink::attributes::Writer;

/// What is in a set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Ipv4,
    Ipv6,
    Port,
    Interface,
}

impl Key {
    /// nft's number of the type and the order of its bytes (`enum datatypes`, `enum byteorder` of nft's `datatype.h`;
    /// the kernel keeps both for it), and its length.
    fn form(self) -> (u32, u32, u32) {
        const BY_MACHINE: u32 = 1;
        const HIGHEST_FIRST: u32 = 2;
        match self {
            Self::Ipv4 => (7, HIGHEST_FIRST, 4),
            Self::Ipv6 => (8, HIGHEST_FIRST, 16),
            Self::Port => (13, HIGHEST_FIRST, 2),
            Self::Interface => (41, BY_MACHINE, 16),
        }
    }
}

/// A set.
pub(crate) struct Set {
    /// Its number in the transaction.
    pub id: u32,
    key: Key,
    /// From one value to another, both included; sorted.
    items: Vec<(Vec<u8>, Vec<u8>)>,
}

/// The name that the kernel completes with a number of its own.
pub(crate) const NAME: &str = "__set%d";

impl Set {
    /// A set of these; `None` where two of them overlap or touch, of which nft makes one.
    pub fn new(id: u32, key: Key, mut items: Vec<(Vec<u8>, Vec<u8>)>) -> Option<Self> {
        items.sort();
        items.dedup();
        let set = Self { id, key, items };
        let ranges = set.has_ranges();
        let apart = |pair: &[(Vec<u8>, Vec<u8>)]| match pair {
            [(_, to), (from, _)] => next(to).is_some_and(|next| if ranges { next < *from } else { next <= *from }),
            _ => true,
        };
        set.items.windows(2).all(apart).then_some(set)
    }

    fn has_ranges(&self) -> bool {
        self.items.iter().any(|(from, to)| from != to)
    }

    /// Writes what makes the set, behind the name of the table (`NFTA_SET_*`).
    pub fn head(&self, body: &mut Writer) {
        /// `NFT_SET_ANONYMOUS` and `NFT_SET_CONSTANT`, `NFT_SET_INTERVAL`.
        const OF_A_RULE: u32 = 3;
        const INTERVAL: u32 = 4;
        let (number, order, length) = self.key.form();
        body.text(2, NAME).be32(3, if self.has_ranges() { OF_A_RULE | INTERVAL } else { OF_A_RULE });
        body.be32(4, number).be32(5, length).be32(10, self.id);
        // `NFTNL_UDATA_SET_KEYBYTEORDER`: type, length, number.
        let [a, b, c, d] = order.to_ne_bytes();
        body.put(13, &[0, 4, a, b, c, d]);
    }

    /// Writes what is in it, behind the name of the table (`NFTA_SET_ELEM_LIST_*`). With ranges, each is where it
    /// begins and where the next thing after it does.
    pub fn elements(&self, body: &mut Writer) {
        body.text(2, NAME).be32(4, self.id).nest(3, |list| {
            let mut element = |value: &[u8], end: bool| {
                list.nest(1, |element| {
                    element.nest(1, |key| _ = key.put(1, value));
                    if end {
                        // `NFT_SET_ELEM_INTERVAL_END`.
                        element.be32(3, 1);
                    }
                });
            };
            let ranges = self.has_ranges();
            if let Some((first, _)) =
                self.items.first().filter(|(first, _)| ranges && first.iter().any(|byte| *byte != 0))
            {
                element(&vec![0; first.len()], true);
            }
            for (from, to) in &self.items {
                element(from, false);
                if let Some(next) = next(to).filter(|_| ranges) {
                    element(&next, true);
                }
            }
        });
    }
}

/// The value after this one, the highest byte first; `None` after the last.
fn next(value: &[u8]) -> Option<Vec<u8>> {
    let mut next = value.to_vec();
    for byte in next.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            return Some(next);
        }
    }
    None
}
