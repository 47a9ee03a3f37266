//! Questions to nftables that need no process: is there such a table or chain, has anybody changed a rule. Each takes some microseconds; a process takes
//! two milliseconds.

use super::{Error, ErrorKind};
use crate::resource::ChainRef;
use netlink_sys::{Socket, SocketAddr};
use nix::libc;
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};

/// `NETLINK_NETFILTER` of `include/uapi/linux/netlink.h`.
const NETLINK_NETFILTER: isize = 12;
/// `NFNL_SUBSYS_NFTABLES` of `include/uapi/linux/netfilter/nfnetlink.h`.
const NFTABLES: u16 = 10 << 8;
/// `NFT_MSG_*` of `include/uapi/linux/netfilter/nf_tables.h`.
const GETTABLE: u16 = NFTABLES | 1;
const GETCHAIN: u16 = NFTABLES | 4;
const GETRULE: u16 = NFTABLES | 7;
const GETGEN: u16 = NFTABLES | 16;
/// Flags and types of `include/uapi/linux/netlink.h`.
const REQUEST: u16 = 1;
const ACK: u16 = 4;
const DUMP: u16 = 0x300;
const DUMP_INTR: u16 = 0x10;
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// `NFTA_TABLE_NAME`, `NFTA_CHAIN_TABLE`, `NFTA_RULE_TABLE`, `NFTA_GEN_ID`: each the first attribute of its message.
const FIRST: u16 = 1;
const CHAIN_NAME: u16 = 3;
const CHAIN_HOOK: u16 = 4;
const RULE_CHAIN: u16 = 2;

/// Seconds until a question without an answer is given up.
const PATIENCE: i64 = 60;

/// How often a dump that somebody's change interrupted is begun again.
const ATTEMPTS: usize = 50;

/// nft's families by number (`NFPROTO_*` of `include/uapi/linux/netfilter.h`).
const FAMILIES: [(&str, u8); 6] = [("inet", 1), ("ip", 2), ("arp", 3), ("netdev", 5), ("bridge", 7), ("ip6", 10)];

/// The number of a family; `None` for a word that is none.
pub fn family(word: &str) -> Option<u8> {
    FAMILIES.iter().find(|(name, _)| *name == word).map(|(_, number)| *number)
}

/// A chain as the kernel lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawChain {
    /// Family, table and name.
    pub place: ChainRef,
    /// Whether it hangs on a hook.
    pub base: bool,
}

/// The generation of the calling thread's ruleset: one more with each transaction that anybody commits, not changed by reading. 0 where the kernel has no
/// nftables.
pub fn generation() -> Result<u32, Error> {
    let answer = ask("read the generation of the nft ruleset", GETGEN, 0, &[], false)?;
    let id = answer.first().and_then(|message| message.attribute(FIRST)).and_then(|bytes| bytes.first_chunk());
    Ok(id.map_or(0, |bytes| u32::from_be_bytes(*bytes)))
}

/// Whether there is such a table.
pub fn has_table(family: &str, table: &str) -> Result<bool, Error> {
    let Some(number) = self::family(family) else { return Ok(false) };
    let answer = ask(&format!("nft list table {family} {table}"), GETTABLE, number, &[(FIRST, table)], false)?;
    Ok(!answer.is_empty())
}

/// Whether there is such a chain.
pub fn has_chain(chain: &ChainRef) -> Result<bool, Error> {
    let Some(number) = self::family(&chain.family) else { return Ok(false) };
    let answer = ask(&format!("nft list chain {chain}"), GETCHAIN, number, &[(FIRST, &chain.table), (CHAIN_NAME, &chain.chain)], false)?;
    Ok(!answer.is_empty())
}

fn read_tables(answer: &[Message]) -> Vec<(String, String)> {
    answer.iter().filter_map(|message| Some((message.family()?, message.text(FIRST)?))).collect()
}

/// The `inet` tables whose names begin with `topo-`, each with the names in its comment (`topo:NAME`; a kernel before 5.10 drops it).
pub fn marked_tables() -> Result<Vec<(String, Vec<String>)>, Error> {
    let answer = ask("nft list tables", GETTABLE, 0, &[], true)?;
    let ours = |message: &Message| Some((message.text(FIRST)?, names(&message.body)));
    let inet = answer.iter().filter(|message| message.family().as_deref() == Some("inet"));
    Ok(inet.filter_map(ours).filter(|(table, _)| table.starts_with("topo-")).collect())
}

/// All chains.
pub fn chains() -> Result<Vec<RawChain>, Error> {
    Ok(read_chains(&ask("nft list chains", GETCHAIN, 0, &[], true)?))
}

fn read_chains(answer: &[Message]) -> Vec<RawChain> {
    let chain = |message: &Message| {
        let place = ChainRef { family: message.family()?, table: message.text(FIRST)?, chain: message.text(CHAIN_NAME)? };
        Some(RawChain { place, base: message.attribute(CHAIN_HOOK).is_some() })
    };
    answer.iter().filter_map(chain).collect()
}

/// The chains in which a rule carries a comment `topo:NAME`, with that name, whether nft or iptables put it there; each pair once, in the kernel's order.
pub fn commented() -> Result<Vec<(ChainRef, String)>, Error> {
    Ok(read_commented(&ask("nft list rules", GETRULE, 0, &[], true)?))
}

fn read_commented(answer: &[Message]) -> Vec<(ChainRef, String)> {
    let mut found = Vec::new();
    for message in answer {
        let (Some(family), Some(table), Some(chain)) = (message.family(), message.text(FIRST), message.text(RULE_CHAIN)) else { continue };
        for name in names(&message.body) {
            let place = (ChainRef { family: family.clone(), table: table.clone(), chain: chain.clone() }, name);
            if !found.contains(&place) {
                found.push(place);
            }
        }
    }
    found
}

/// Reads a packet that came from anywhere as an answer to each of the questions; says how many messages there were, and how many were one to any.
pub fn read_packet(packet: &[u8]) -> (usize, usize) {
    let (mut rest, mut messages) = (packet, Vec::new());
    while let Some((_, _, body, next)) = split(rest) {
        messages.push(Message { body: body.to_vec() });
        rest = next;
    }
    (messages.len(), read_tables(&messages).len().max(read_chains(&messages).len()).max(read_commented(&messages).len()))
}

/// The names behind every `topo:` that begins a text and ends with NUL. nft keeps a comment in the rule's user data (behind a byte of length), iptables in the data of its own
/// match (behind padding or a length): in both the text is whole and NUL-terminated, so its bytes tell without decoding either.
fn names(body: &[u8]) -> Vec<String> {
    const MARK: &[u8] = b"topo:";
    let mut names = Vec::new();
    for (at, window) in body.windows(MARK.len()).enumerate() {
        // A text that merely has it in the middle is somebody else's.
        let begins =
            at.checked_sub(1).and_then(|before| body.get(before)).is_none_or(|before| !before.is_ascii_graphic() && *before != b' ' || is_length(body, at));
        if window == MARK && begins {
            let rest = body.get(at + MARK.len()..).unwrap_or_default();
            let name: Vec<u8> = rest.iter().copied().take_while(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte)).collect();
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

/// An answer of the kernel, without its netlink header.
struct Message {
    body: Vec<u8>,
}

impl Message {
    /// The family as nft's word.
    fn family(&self) -> Option<String> {
        let number = *self.body.first()?;
        FAMILIES.iter().find(|(_, known)| *known == number).map(|(name, _)| (*name).to_owned())
    }

    /// The payload of the first attribute of that type. Attributes stand behind the four bytes of `struct nfgenmsg`.
    fn attribute(&self, wanted: u16) -> Option<&[u8]> {
        let mut rest = self.body.get(4..)?;
        loop {
            let length = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
            let kind = u16::from_ne_bytes(*rest.get(2..)?.first_chunk()?) & 0x3fff;
            if kind == wanted {
                return rest.get(4..length);
            }
            rest = rest.get(length.max(4).next_multiple_of(4)..)?;
        }
    }

    /// An attribute as text, without its NUL.
    fn text(&self, wanted: u16) -> Option<String> {
        let bytes = self.attribute(wanted)?;
        String::from_utf8(bytes.strip_suffix(&[0]).unwrap_or(bytes).to_vec()).ok()
    }
}

/// A request with string attributes.
fn request(kind: u16, family: u8, attributes: &[(u16, &str)], dump: bool) -> Vec<u8> {
    let mut body = vec![family, 0, 0, 0];
    for (kind, text) in attributes {
        // A name longer than a u16 is refused by the kernel for its length anyway.
        let length = u16::try_from(text.len() + 5).unwrap_or(u16::MAX);
        body.extend(length.to_ne_bytes());
        body.extend(kind.to_ne_bytes());
        body.extend(text.as_bytes());
        body.push(0);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let flags = REQUEST | if dump { DUMP } else { ACK };
    let mut message = u32::try_from(body.len() + 16).unwrap_or(u32::MAX).to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    message.extend(body);
    message
}

/// Asks, and gathers the answers. What is not there, and a kernel without nftables, is no answer.
fn ask(tried: &str, kind: u16, family: u8, attributes: &[(u16, &str)], dump: bool) -> Result<Vec<Message>, Error> {
    let socket = match Socket::new(NETLINK_NETFILTER) {
        Err(e) if e.raw_os_error() == Some(libc::EPROTONOSUPPORT) => return Ok(Vec::new()),
        socket => socket.map_err(|e| Error::io(tried, &e))?,
    };
    setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::seconds(PATIENCE)).map_err(|e| Error::os(tried, e as i32))?;
    let message = request(kind, family, attributes, dump);
    for _ in 0..ATTEMPTS {
        socket.send_to(&message, &SocketAddr::new(0, 0), 0).map_err(|e| Error::io(tried, &e))?;
        if let Some(answers) = receive(&socket, tried)? {
            return Ok(answers);
        }
    }
    Err(Error::new(ErrorKind::Refused, tried, "interrupted by other people's changes again and again"))
}

/// Reads until the end of the answer; `None` where a change came in between.
fn receive(socket: &Socket, tried: &str) -> Result<Option<Vec<Message>>, Error> {
    let mut answers = Vec::new();
    let mut whole = true;
    loop {
        let (datagram, _) = match socket.recv_from_full() {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            other => other.map_err(|e| Error::io(tried, &e))?,
        };
        let mut rest = datagram.as_slice();
        while let Some((kind, flags, body, next)) = split(rest) {
            whole &= flags & DUMP_INTR == 0;
            let errno = body.first_chunk().map_or(0, |bytes| i32::from_ne_bytes(*bytes).saturating_neg());
            match kind {
                DONE | ERROR if matches!(errno, 0 | libc::ENOENT | libc::EINVAL) => return Ok(whole.then_some(answers)),
                // The kernel's own word for "begin again".
                DONE | ERROR if errno == libc::EAGAIN || errno == libc::EINTR => return Ok(None),
                DONE | ERROR => return Err(Error::os(tried, errno)),
                _ => answers.push(Message { body: body.to_vec() }),
            }
            rest = next;
        }
        if !rest.is_empty() {
            return Err(Error::new(ErrorKind::Refused, tried, "malformed answer: torn"));
        }
    }
}

/// The first message of a datagram: its type, flags, body, and what follows it.
fn split(bytes: &[u8]) -> Option<(u16, u16, &[u8], &[u8])> {
    let length = usize::try_from(u32::from_ne_bytes(*bytes.first_chunk()?)).ok()?;
    let kind = u16::from_ne_bytes(*bytes.get(4..)?.first_chunk()?);
    let flags = u16::from_ne_bytes(*bytes.get(6..)?.first_chunk()?);
    let body = bytes.get(16..length)?;
    Some((kind, flags, body, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
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

    #[test]
    fn torn_messages_are_no_answer() {
        let message = request(GETTABLE, 1, &[(FIRST, "topo-lab")], false);
        for cut in 0..message.len() {
            assert!(split(message.get(..cut).unwrap()).is_none());
        }
        let (kind, _, body, rest) = split(&message).unwrap();
        assert_eq!((kind, rest.len()), (GETTABLE, 0));
        for cut in 0..body.len() {
            let torn = Message { body: body.get(..cut).unwrap().to_vec() };
            assert!(torn.text(FIRST).is_none_or(|text| text == "topo-lab"), "{cut}");
        }
        assert_eq!(Message { body: body.to_vec() }.text(FIRST).as_deref(), Some("topo-lab"));
    }
}
