//! Our table as one transaction of topo's own: a program per namespace takes thirty times as long as what it asks of
//! the kernel.

use super::expressions;
use super::generation::{DELTABLE, INET, NFTABLES, SUBSYSTEM};
use crate::dialect::nft_script::{Start, table_name};
use crate::linux::netlink::attributes::Writer;
use crate::linux::netlink::socket::{APPEND, CREATE, EXCLUSIVE, Request, Socket};
use crate::resource::mark::mark;
use crate::resource::{Chain, Table, TableRule};
use nix::libc;

// `NFT_MSG_*` of `include/uapi/linux/netfilter/nf_tables.h`.
const NEWTABLE: u16 = NFTABLES;
const NEWCHAIN: u16 = NFTABLES | 3;
const NEWRULE: u16 = NFTABLES | 6;
const NEWSET: u16 = NFTABLES | 9;
const NEWSETELEM: u16 = NFTABLES | 12;
/// `struct nfgenmsg` of what is in a table of the family `inet`.
const HEAD: [u8; 4] = [INET, 0, 0, 0];

/// The requests that make the table, as `script` says it; `None` where there is something in it that only nft can
/// write.
pub fn of(table: &Table, start: Start) -> Option<Vec<Request>> {
    let name = table_name(&table.topology);
    let comment = comment(&mark(&table.topology))?;
    let mut requests = Vec::new();
    let mut request = |kind, flags, write: &dyn Fn(&mut Writer)| {
        let mut body = Writer::new(&HEAD);
        // `NFTA_TABLE_NAME`, `NFTA_CHAIN_TABLE`, `NFTA_RULE_TABLE`.
        body.text(1, &name);
        write(&mut body);
        requests.push(Request { kind, flags, body: body.bytes().to_vec() });
    };
    let exclusive = match start {
        Start::Over => {
            request(NEWTABLE, CREATE, &|_| {});
            request(DELTABLE, 0, &|_| {});
            0
        }
        Start::Fresh => EXCLUSIVE,
    };
    request(NEWTABLE, CREATE | exclusive, &|body| _ = body.put(6, &comment));
    for chain in &table.chains {
        let hook = hook(chain)?;
        request(NEWCHAIN, CREATE, &|body| {
            body.text(3, &chain.name).text(7, &chain.kind);
            body.nest(4, |data| _ = data.be32(1, hook).be32(2, chain.priority.cast_unsigned()));
            body.be32(5, if chain.drop { libc::NF_DROP } else { libc::NF_ACCEPT }.cast_unsigned());
        });
    }
    let mut next = 1;
    for chain in &table.chains {
        for rule in &chain.rules {
            let TableRule::Typed(rule) = rule else { return None };
            let (expressions, sets) = expressions::of(rule, next)?;
            for set in &sets {
                next += 1;
                request(NEWSET, CREATE, &|body| set.head(body));
                request(NEWSETELEM, CREATE, &|body| set.elements(body));
            }
            request(NEWRULE, CREATE | APPEND, &|body| {
                _ = body.text(2, &chain.name).nested(4, &expressions).put(7, &comment)
            });
        }
    }
    Some(requests)
}

/// Carries them out in the calling thread's namespace; says whether the kernel took them.
pub fn commit(requests: Vec<Request>) -> bool {
    Socket::netfilter().is_ok_and(|socket| socket.commit(SUBSYSTEM, requests).is_ok())
}

/// The number of a chain's hook (`NF_INET_*`); `None` for a chain whose head is not ours.
fn hook(chain: &Chain) -> Option<u32> {
    let known = ["filter", "nat", "route"].contains(&chain.kind.as_str());
    let hooks = ["prerouting", "input", "forward", "output", "postrouting"];
    hooks.iter().zip(0..).find(|(hook, _)| known && chain.hook == **hook).map(|(_, number)| number)
}

/// A comment as nft keeps it in the user data of a table or a rule (`NFTNL_UDATA_*_COMMENT`, which are 0): type,
/// length, text, NUL. `None` for one that is too long.
fn comment(text: &str) -> Option<Vec<u8>> {
    let length = u8::try_from(text.len() + 1).ok()?;
    Some([&[0, length], text.as_bytes(), &[0]].concat())
}
