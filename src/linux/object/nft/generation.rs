//! What needs no process of nftables: is there such a table or chain, has anybody changed a rule, away with a table.
//! Each takes some microseconds; a process takes two milliseconds.

use crate::kernel::Error;
use crate::linux::netlink::attributes::{Attributes, Writer};
use crate::linux::netlink::socket;
use crate::linux::netlink::socket::{Message, Request, Socket};
use crate::resource::ChainRef;
use nix::libc;

/// `NFNL_SUBSYS_NFTABLES` of `include/uapi/linux/netfilter/nfnetlink.h`.
pub const SUBSYSTEM: u8 = 10;
/// The first of its messages.
pub const NFTABLES: u16 = (SUBSYSTEM as u16) << 8;
/// `NFT_MSG_*` of `include/uapi/linux/netfilter/nf_tables.h`.
const GETTABLE: u16 = NFTABLES | 1;
/// `NFT_MSG_DELTABLE`.
pub const DELTABLE: u16 = NFTABLES | 2;
const GETCHAIN: u16 = NFTABLES | 4;
const GETRULE: u16 = NFTABLES | 7;
const GETGEN: u16 = NFTABLES | 16;
/// Length of `struct nfgenmsg`.
const HEAD: usize = 4;
/// `NFTA_TABLE_NAME`, `NFTA_CHAIN_TABLE`, `NFTA_RULE_TABLE`, `NFTA_GEN_ID`: each the first attribute of its message.
const FIRST: u16 = 1;
const CHAIN_NAME: u16 = 3;
const CHAIN_HOOK: u16 = 4;
const RULE_CHAIN: u16 = 2;
const RULE_EXPRESSIONS: u16 = 4;

/// `NFPROTO_INET` of `include/uapi/linux/netfilter.h`.
pub const INET: u8 = 1;
/// `NFPROTO_BRIDGE`.
pub const BRIDGE: u8 = 7;
/// nft's families by number (`NFPROTO_*`).
const FAMILIES: [(&str, u8); 6] =
    [("inet", INET), ("ip", 2), ("arp", 3), ("netdev", 5), ("bridge", BRIDGE), ("ip6", 10)];

/// The number of a family; `None` for a word that is none.
pub fn family(word: &str) -> Option<u8> {
    FAMILIES.iter().find(|(name, _)| *name == word).map(|(_, number)| *number)
}

/// The word for the number of a family; `None` for a number that is none.
pub fn family_word(number: u8) -> Option<&'static str> {
    FAMILIES.iter().find(|(_, known)| *known == number).map(|(name, _)| *name)
}

/// A chain as the kernel lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawChain {
    /// Family, table and name.
    pub place: ChainRef,
    /// Whether it hangs on a hook.
    pub base: bool,
}

/// The generation of the calling thread's ruleset: one more with each transaction that anybody commits, not changed by
/// reading. 0 where the kernel has no nftables.
///
/// # Errors
///
/// If the kernel refuses for another reason than having no nftables.
pub fn generation() -> Result<u32, Error> {
    let answer = ask("read the generation of the nft ruleset", GETGEN, 0, &[], false)?;
    let id = answer.first().and_then(|message| attributes(message).get(FIRST)).and_then(<[u8]>::first_chunk);
    Ok(id.map_or(0, |bytes| u32::from_be_bytes(*bytes)))
}

/// Whether there is such a table.
///
/// # Errors
///
/// If the kernel refuses the request.
pub fn has_table(family: &str, table: &str) -> Result<bool, Error> {
    let Some(number) = self::family(family) else { return Ok(false) };
    let answer = ask(&format!("nft list table {family} {table}"), GETTABLE, number, &[(FIRST, table)], false)?;
    Ok(!answer.is_empty())
}

/// Whether there is such a chain.
///
/// # Errors
///
/// If the kernel refuses the request.
pub fn has_chain(chain: &ChainRef) -> Result<bool, Error> {
    let Some(number) = self::family(&chain.family) else { return Ok(false) };
    let answer = ask(
        &format!("nft list chain {chain}"),
        GETCHAIN,
        number,
        &[(FIRST, &chain.table), (CHAIN_NAME, &chain.chain)],
        false,
    )?;
    Ok(!answer.is_empty())
}

fn read_tables(answer: &[Message]) -> Vec<(String, String)> {
    answer.iter().filter_map(|message| Some((family_of(message)?, attributes(message).text(FIRST)?))).collect()
}

/// The `inet` tables whose names begin with `topo-`, each with the names in its comment (`topo:NAME`; a kernel before
/// 5.10 drops it).
///
/// # Errors
///
/// If the kernel refuses the request.
pub fn marked_tables() -> Result<Vec<(String, Vec<String>)>, Error> {
    let answer = ask("nft list tables", GETTABLE, 0, &[], true)?;
    let ours = |message: &Message| Some((attributes(message).text(FIRST)?, names(&message.body)));
    let inet = answer.iter().filter(|message| family_of(message).as_deref() == Some("inet"));
    Ok(inet.filter_map(ours).filter(|(table, _)| table.starts_with("topo-")).collect())
}

/// All tables, by family and name.
///
/// # Errors
///
/// If the kernel refuses the request.
pub fn tables() -> Result<Vec<(String, String)>, Error> {
    Ok(read_tables(&ask("nft list tables", GETTABLE, 0, &[], true)?))
}

/// All chains.
///
/// # Errors
///
/// If the kernel refuses the request.
pub fn chains() -> Result<Vec<RawChain>, Error> {
    Ok(read_chains(&ask("nft list chains", GETCHAIN, 0, &[], true)?))
}

fn read_chains(answer: &[Message]) -> Vec<RawChain> {
    let chain = |message: &Message| {
        let attributes = attributes(message);
        let place = ChainRef {
            family: family_of(message)?,
            table: attributes.text(FIRST)?,
            chain: attributes.text(CHAIN_NAME)?,
        };
        Some(RawChain { place, base: attributes.get(CHAIN_HOOK).is_some() })
    };
    answer.iter().filter_map(chain).collect()
}

/// Removes a table of the family `inet`. One that is not there is an error.
///
/// # Errors
///
/// If the kernel refuses the request.
pub fn remove_inet(table: &str) -> Result<(), Error> {
    let tried = format!("nft delete table inet {table}");
    let socket = Socket::netfilter()?;
    let mut body = Writer::new(&[INET, 0, 0, 0]);
    body.text(FIRST, table);
    let removed = socket.commit(SUBSYSTEM, vec![Request { kind: DELTABLE, flags: 0, body: body.bytes().to_vec() }]);
    // It is gone by now; closing takes until no packet can be under way in it any more (`nft_rcv_nl_event` of
    // `net/netfilter/nf_tables_api.c`), which is no reason to wait. Where no thread is to be had the socket is closed
    // here.
    let _ = std::thread::Builder::new().name("close".to_owned()).spawn(move || drop(socket));
    removed.map_err(|refused| refused.error(tried))
}

/// The chains in which a rule carries a comment `topo:NAME`, with that name, whether nft or iptables put it there; each
/// pair once, in the kernel's order.
///
/// # Errors
///
/// If the kernel refuses the request.
pub fn commented() -> Result<Vec<(ChainRef, String)>, Error> {
    Ok(read_commented(&ask("nft list rules", GETRULE, 0, &[], true)?))
}

fn read_commented(answer: &[Message]) -> Vec<(ChainRef, String)> {
    let mut found = Vec::new();
    for message in answer {
        let attributes = attributes(message);
        let (Some(family), Some(table), Some(chain)) =
            (family_of(message), attributes.text(FIRST), attributes.text(RULE_CHAIN))
        else {
            continue;
        };
        for name in names(&message.body) {
            let place = (ChainRef { family: family.clone(), table: table.clone(), chain: chain.clone() }, name);
            if !found.contains(&place) {
                found.push(place);
            }
        }
    }
    found
}

/// A rule: its expressions, and the names in its comments `topo:NAME`.
type Told = (Vec<u8>, Vec<String>);

/// The rules of a chain in their order: the expressions of each, and the names in its comments `topo:NAME`. None where
/// there is no such chain.
///
/// # Errors
///
/// If the kernel refuses the request.
pub fn rules(chain: &ChainRef) -> Result<Vec<Told>, Error> {
    let Some(number) = self::family(&chain.family) else { return Ok(Vec::new()) };
    let answer = ask(
        &format!("nft list chain {chain}"),
        GETRULE,
        number,
        &[(FIRST, &chain.table), (RULE_CHAIN, &chain.chain)],
        true,
    )?;
    let here = |message: &&Message| {
        attributes(message).text(FIRST).as_ref() == Some(&chain.table)
            && attributes(message).text(RULE_CHAIN).as_ref() == Some(&chain.chain)
    };
    Ok(answer
        .iter()
        .filter(here)
        .map(|message| (attributes(message).get(RULE_EXPRESSIONS).unwrap_or_default().to_vec(), names(&message.body)))
        .collect())
}

/// Reads a packet that came from anywhere as an answer to each of the questions; says how many messages there were, and
/// how many were one to any.
pub fn read_packet(packet: &[u8]) -> (usize, usize) {
    let mut messages = Vec::new();
    let count = socket::read_packet(packet, |kind, body| messages.push(Message { kind, body: body.to_vec() }));
    (count, read_tables(&messages).len().max(read_chains(&messages).len()).max(read_commented(&messages).len()))
}

/// The names behind every `topo:` that begins a text and ends with NUL. nft keeps a comment in the rule's user data
/// (behind a byte of length), iptables in the data of its own match (behind padding or a length): in both the text is
/// whole and NUL-terminated, so its bytes tell without decoding either.
fn names(body: &[u8]) -> Vec<String> {
    const MARK: &[u8] = b"topo:";
    let mut names = Vec::new();
    for (at, window) in body.windows(MARK.len()).enumerate() {
        // A text that merely has it in the middle is foreign.
        let begins = at
            .checked_sub(1)
            .and_then(|before| body.get(before))
            .is_none_or(|before| !before.is_ascii_graphic() && *before != b' ' || is_length(body, at));
        if window == MARK && begins {
            let rest = body.get(at + MARK.len()..).unwrap_or_default();
            let name: Vec<u8> =
                rest.iter().copied().take_while(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte)).collect();
            if !name.is_empty() && rest.get(name.len()) == Some(&0) {
                names.extend(String::from_utf8(name));
            }
        }
    }
    names
}

/// Whether the byte before `at` is the length of the NUL-terminated text there (which may look like a letter).
fn is_length(body: &[u8], at: usize) -> bool {
    let length = at.checked_sub(1).and_then(|before| body.get(before)).map_or(0, |byte| usize::from(*byte));
    let text = body.get(at..at + length).unwrap_or_default();
    text.iter().position(|byte| *byte == 0).is_some_and(|nul| nul + 1 == length)
}

/// The attributes of an answer.
fn attributes(message: &Message) -> Attributes<'_> {
    Attributes::after(&message.body, HEAD)
}

/// The family of an answer as nft's word.
fn family_of(message: &Message) -> Option<String> {
    family_word(*message.body.first()?).map(str::to_owned)
}

/// Asks, and gathers the answers. What is not there, and a kernel without nftables, is no answer.
fn ask(tried: &str, kind: u16, family: u8, names: &[(u16, &str)], dump: bool) -> Result<Vec<Message>, Error> {
    let socket = match Socket::netfilter() {
        Err(error) if error.errno == Some(libc::EPROTONOSUPPORT) => return Ok(Vec::new()),
        socket => socket?,
    };
    let mut body = Writer::new(&[family, 0, 0, 0]);
    for (kind, name) in names {
        body.text(*kind, name);
    }
    let answers =
        if dump { socket.dump(kind, body.bytes()) } else { socket.get(kind, body.bytes()).map(|answer| vec![answer]) };
    match answers {
        Err(refused) if matches!(refused.errno, libc::ENOENT | libc::EINVAL) => Ok(Vec::new()),
        answers => answers.map_err(|refused| refused.error(tried)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_in_both_programs_comments() {
        let nft = b"\x08\x00\x00\x00\x00\x09topo:lab\0\0";
        let iptables = b"comment\0\x04\x01\x01\x00topo:lab.2\0\0\0\0\0";
        let mut letter = vec![b'*'];
        letter.extend(format!("topo:{}\0", "a".repeat(36)).bytes());
        assert_eq!(names(nft), ["lab"]);
        assert_eq!(names(iptables), ["lab.2"]);
        assert_eq!(names(&letter), ["a".repeat(36)]);
        assert!(names(b"\0not topo:lab\0").is_empty());
        assert!(names(b"\0topo:lab and more\0").is_empty());
        assert!(names(b"\0topo:\0").is_empty());
    }
}
