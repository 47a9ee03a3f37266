//! What interfaces have counted.

use crate::linux::netlink::attributes::{Attributes, u32_at, u64_at};
use crate::linux::netlink::link::{GET, HEAD, NEW, head};
use crate::linux::netlink::socket::{Refused, Socket};
use crate::resource::Traffic;
use std::collections::HashMap;

/// `IFLA_STATS64`: `struct rtnl_link_stats64` of `include/uapi/linux/if_link.h`.
const STATS64: u16 = 23;

/// What each interface of the socket's namespace has received and sent, by its number.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn dump(socket: &Socket) -> Result<HashMap<u32, (Traffic, Traffic)>, Refused> {
    let messages = socket.dump(GET, &head(0, None))?;
    let links = messages.iter().filter(|message| message.kind == NEW);
    Ok(links.filter_map(|message| parse(&message.body)).collect())
}

/// Reads `RTM_NEWLINK` for its counters.
fn parse(body: &[u8]) -> Option<(u32, (Traffic, Traffic))> {
    let stats = Attributes::after(body, HEAD).get(STATS64)?;
    // Received and sent stand beside each other: packets, bytes, errors, dropped.
    let direction = |first: usize| {
        let number = |nth: usize| u64_at(stats, (first + 2 * nth) * 8);
        Some(Traffic { packets: number(0)?, bytes: number(1)?, errors: number(2)?, dropped: number(3)? })
    };
    Some((u32_at(body, 4)?, (direction(0)?, direction(1)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::netlink::attributes::Writer;

    #[test]
    fn received_and_sent_are_told_apart_and_truncation_is_survived() {
        let stats: Vec<u8> = (1_u64..=24).flat_map(u64::to_ne_bytes).collect();
        let mut body = Writer::new(&head(7, None));
        body.put(STATS64, &stats);
        let rx = Traffic { packets: 1, bytes: 3, errors: 5, dropped: 7 };
        let tx = Traffic { packets: 2, bytes: 4, errors: 6, dropped: 8 };
        assert_eq!(parse(body.bytes()), Some((7, (rx, tx))));
        for cut in 0..body.bytes().len() {
            let _ = parse(&body.bytes()[..cut]);
        }
    }
}
