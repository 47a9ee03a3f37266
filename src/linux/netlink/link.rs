//! Links: what the kernel says of them, and what is asked of it.

use super::attributes::{Attributes, Writer, u16_at, u32_at};
use super::kinds;
use super::socket::{Message, Refused, Socket};
use crate::resource::mark::{group, mark};
use crate::resource::{
    FdbTarget, IfName, Kind, Link, LinkId, Mac, Name, Node, Options, Queues, Setting, Tenure, Value,
};
use nix::libc;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

pub const NEW: u16 = 16;
pub const DELETE: u16 = 17;
pub const GET: u16 = 18;
pub const NEW_PROPERTY: u16 = 108;
pub const DELETE_PROPERTY: u16 = 109;

/// Length of `struct ifinfomsg`.
pub const HEAD: usize = 16;

// `IFLA_*` of `include/uapi/linux/if_link.h`.
pub const ADDRESS: u16 = 1;
pub const IFNAME: u16 = 3;
pub const MTU: u16 = 4;
pub const LINK: u16 = 5;
const QDISC: u16 = 6;
pub const MASTER: u16 = 10;
pub const TXQLEN: u16 = 13;
const OPERSTATE: u16 = 16;
pub const LINKINFO: u16 = 18;
pub const IFALIAS: u16 = 20;
pub const GROUP: u16 = 27;
pub const NET_NS_FD: u16 = 28;
const EXT_MASK: u16 = 29;
const AF_SPEC: u16 = 26;
/// `AF_INET` and `IFLA_INET_CONF`, `AF_INET6` and `IFLA_INET6_CONF`.
const CONF_4: (u16, u16) = (2, 1);
const CONF_6: (u16, u16) = (10, 2);
// `IFLA_INET6_FLAGS`, of which `IF_READY` (`include/net/if_inet6.h`), and `IFLA_INET6_ADDR_GEN_MODE`.
const FLAGS_6: (u16, u16) = (10, 1);
const READY: u32 = 0x8000_0000;
const GENERATION: u16 = 8;
/// `IN6_ADDR_GEN_MODE_EUI64` and `_RANDOM`: there is always an address. Of the others one makes none, and one none
/// without a secret.
const GENERATES: [u8; 2] = [0, 3];
// `IPV4_DEVCONF_FORWARDING` less one, `DEVCONF_*` of `include/uapi/linux/ipv6.h`.
const FORWARDING_4: usize = 0;
const FORWARDING_6: usize = 0;
const DISABLE_IPV6: usize = 26;
pub const NUM_TX_QUEUES: u16 = 31;
pub const NUM_RX_QUEUES: u16 = 32;
const CARRIER: u16 = 33;
const LINK_NETNSID: u16 = 37;
pub const PROP_LIST: u16 = 52;
pub const ALT_IFNAME: u16 = 53;
// `IFLA_INFO_*`.
pub const INFO_KIND: u16 = 1;
pub const INFO_DATA: u16 = 2;
pub const INFO_SLAVE_KIND: u16 = 4;
pub const INFO_SLAVE_DATA: u16 = 5;

/// `RTEXT_FILTER_SKIP_STATS`: a third less to read.
const SKIP_STATS: u32 = 1 << 3;
/// `ARPHRD_LOOPBACK`.
const LOOPBACK: u16 = 772;
/// `IF_OPER_UNKNOWN` and `IF_OPER_UP` of RFC 2863.
const OPERATIONAL: [u8; 2] = [0, 6];

/// The root qdiscs that the kernel gives links by itself (`attach_default_qdiscs` of `net/sched/sch_generic.c`, and
/// what distributions set as `net.core.default_qdisc`).
const BY_ITSELF: [&[u8]; 6] = [b"noqueue\0", b"noop\0", b"mq\0", b"pfifo_fast\0", b"fq_codel\0", b"fq\0"];

/// What the name of a root qdisc reports of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Root {
    /// There is none, as on most links that are not hardware.
    Nothing,
    /// A netem, which nothing but another program puts there.
    Netem,
    /// Another one: the kernel's own or another program's.
    Another,
}

/// A link as the kernel reports it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its number in its namespace.
    pub index: u32,
    /// Its name.
    pub name: IfName,
    /// What it is.
    pub kind: Kind,
    /// Whether it is administratively up.
    pub up: bool,
    /// Whether it asks for hardware addresses.
    arp: bool,
    /// Whether it takes part in multicast.
    multicast: bool,
    /// Its alias.
    pub alias: Option<String>,
    /// Its interface group.
    pub group: u32,
    /// The number of its master here.
    pub master: Option<u32>,
    /// The number of the link it depends on, or of the other end of a pair.
    pub other: Option<u32>,
    /// The namespace of that other, by the number that this namespace has for it; `None` for the same namespace, and
    /// where the kernel is taking it down.
    pub other_nsid: Option<i32>,
    /// Whether the kernel is taking the namespace of that other down (`NETNSA_NSID_NOT_ASSIGNED`): this goes with it, a
    /// little later.
    pub goes: bool,
    /// Whether there is carrier.
    pub carrier: bool,
    /// Whether it is operationally up, or does not say.
    pub operational: bool,
    /// Whether IPv6 is off on it.
    pub without_ipv6: bool,
    /// Whether IPv6 has it for ready (`IF_READY`).
    pub ready6: bool,
    /// Whether IPv6 gives it a link-local address in any case.
    pub generates: bool,
    /// Its settings for forwarding of IPv4 and IPv6, as far as it says.
    pub forwards: [Option<u32>; 2],
    /// What is known of its root qdisc.
    pub root: Root,
    /// The name of its root qdisc, where that is not one that the kernel gives a link by itself.
    pub qdisc: Option<String>,
    mtu: Option<u32>,
    /// Its hardware address.
    pub mac: Option<Mac>,
    txqueuelen: Option<u32>,
    queues: Option<Queues>,
    /// Its alternative names.
    pub alternative_names: BTreeSet<String>,
    /// The attributes of its kind.
    pub options: Options,
    port: Options,
    /// The offload features of it, where that was asked.
    pub offload: Options,
}

/// Whether a link carries a mark of `topology`: either will do.
pub fn marked_by(topology: &Name) -> impl Fn(&Seen) -> bool {
    let (mark, group) = (mark(topology), group(topology));
    move |seen| seen.alias.as_deref() == Some(&mark) || seen.group == group
}

/// `struct ifinfomsg` for the link with this number (0: it is named by an attribute), and whether it shall be up.
pub fn head(index: u32, up: Option<bool>) -> [u8; HEAD] {
    head_with(index, &[(libc::IFF_UP, up)])
}

/// [`head`] with more flags (`IFF_*`) that shall be set or not.
pub fn head_with(index: u32, wanted: &[(libc::c_int, Option<bool>)]) -> [u8; HEAD] {
    let known = wanted.iter().filter_map(|(flag, on)| Some((flag.cast_unsigned(), (*on)?)));
    let (flags, change) =
        known.fold((0, 0), |(flags, change), (flag, on)| (if on { flags | flag } else { flags }, change | flag));
    let mut head = [0; HEAD];
    for (at, word) in [(4, index), (8, flags), (12, change)] {
        if let Some(bytes) = head.get_mut(at..at + 4) {
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
    }
    head
}

/// All links of the socket's namespace.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn dump(socket: &Socket) -> Result<Vec<Seen>, Refused> {
    let mut body = Writer::new(&head(0, None));
    body.u32(EXT_MASK, SKIP_STATS);
    let messages = socket.dump(GET, body.bytes())?;
    // One that cannot be read is not absent.
    let link = |message: &Message| parse(&message.body).ok_or_else(|| Refused::malformed("a link without a name"));
    messages.iter().filter(|message| message.kind == NEW).map(link).collect()
}

/// The link `name`.
///
/// # Errors
///
/// `ENODEV` if there is no such link.
pub fn find(socket: &Socket, name: &IfName) -> Result<Seen, Refused> {
    let mut body = Writer::new(&head(0, None));
    body.text(IFNAME, name.as_str());
    get(socket, body)
}

/// The link that `body`, which begins with [`head`], asks for.
///
/// # Errors
///
/// `ENODEV` if there is no such link.
pub fn get(socket: &Socket, mut body: Writer) -> Result<Seen, Refused> {
    body.u32(EXT_MASK, SKIP_STATS);
    let answer = socket.get(GET, body.bytes())?;
    parse(&answer.body).ok_or(Refused { errno: libc::EBADMSG, text: None })
}

/// Reads `RTM_NEWLINK`.
pub fn parse(body: &[u8]) -> Option<Seen> {
    let flags = u32_at(body, 8)?;
    let loopback = u16_at(body, 2)? == LOOPBACK;
    let attributes = Attributes::after(body, HEAD);
    let info = attributes.inner(LINKINFO);
    let data = info.inner(INFO_DATA);
    let kind = match info.text(INFO_KIND) {
        None if loopback => Kind::Loopback,
        name => kinds::kind(&name.unwrap_or_default(), data),
    };
    let is_port = info.text(INFO_SLAVE_KIND).as_deref() == Some("bridge");
    let other = kinds::link_number(&kind).map_or_else(|| attributes.u32(LINK), |number| data.u32(number));
    let names = attributes.inner(PROP_LIST).filter(|(kind, _)| *kind == ALT_IFNAME);
    Some(Seen {
        index: u32_at(body, 4)?,
        name: attributes.text(IFNAME)?.into(),
        up: flags & libc::IFF_UP.cast_unsigned() != 0,
        arp: flags & libc::IFF_NOARP.cast_unsigned() == 0,
        multicast: flags & libc::IFF_MULTICAST.cast_unsigned() != 0,
        alias: attributes.text(IFALIAS),
        group: attributes.u32(GROUP).unwrap_or(0),
        master: attributes.u32(MASTER).filter(|index| *index != 0),
        other: other.filter(|index| *index != 0),
        other_nsid: attributes.i32(LINK_NETNSID).filter(|nsid| *nsid >= 0),
        goes: attributes.i32(LINK_NETNSID).is_some_and(|nsid| nsid < 0),
        carrier: attributes.u8(CARRIER) == Some(1),
        operational: attributes.u8(OPERSTATE).is_none_or(|state| OPERATIONAL.contains(&state)),
        without_ipv6: setting(attributes, CONF_6, DISABLE_IPV6).is_some_and(|value| value != 0),
        ready6: setting(attributes, FLAGS_6, 0).is_some_and(|flags| flags & READY != 0),
        generates: attributes
            .inner(AF_SPEC)
            .inner(FLAGS_6.0)
            .u8(GENERATION)
            .is_some_and(|mode| GENERATES.contains(&mode)),
        forwards: [setting(attributes, CONF_4, FORWARDING_4), setting(attributes, CONF_6, FORWARDING_6)],
        qdisc: attributes.get(QDISC).filter(|name| !BY_ITSELF.contains(name)).map(super::attributes::text),
        root: match attributes.get(QDISC) {
            None | Some(b"noqueue\0" | b"noop\0") => Root::Nothing,
            Some(b"netem\0") => Root::Netem,
            Some(_) => Root::Another,
        },
        mtu: attributes.u32(MTU),
        mac: attributes.get(ADDRESS).and_then(|mac| <[u8; 6]>::try_from(mac).ok()).map(Mac),
        txqueuelen: attributes.u32(TXQLEN),
        queues: attributes.u32(NUM_TX_QUEUES).zip(attributes.u32(NUM_RX_QUEUES)).map(|(tx, rx)| Queues { tx, rx }),
        alternative_names: names.map(|(_, name)| super::attributes::text(name)).collect(),
        options: kinds::read(&kind, data),
        offload: Options::new(),
        port: if is_port { kinds::read_port(info.inner(INFO_SLAVE_DATA)) } else { Options::new() },
        kind,
    })
}

/// A setting of a link, which the kernel says with it: each family has an array of numbers (`inet_fill_link_af`,
/// `inet6_fill_ifla6_attrs`).
fn setting(attributes: Attributes<'_>, (family, values): (u16, u16), index: usize) -> Option<u32> {
    u32_at(attributes.inner(AF_SPEC).inner(family).get(values)?, index * 4)
}

/// The devices that tunnel modules make in every namespace by themselves (`fb_tunnels_only_for_init_net`).
const FALLBACKS: [&str; 9] =
    ["tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"];

impl Seen {
    /// Whether the kernel gives this address to the link by itself, without saying so: a tunnel over IPv4 has a
    /// link-local one made of its end (`add_v4_addrs` in `net/ipv6/addrconf.c`).
    pub fn gives_itself(&self, address: &IpAddr) -> bool {
        let (Kind::Sit | Kind::Gre, Some(Value::Ip(IpAddr::V4(local)))) = (&self.kind, self.options.get("local"))
        else {
            return false;
        };
        let [a, b, c, d] = local.octets();
        let made = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        *address == IpAddr::V6(made)
    }

    /// Where the entry for everything unknown goes that a vxlan makes by itself.
    pub fn remote(&self) -> Option<FdbTarget> {
        match self.options.get("remote") {
            Some(Value::Ip(ip)) => Some(FdbTarget::End(*ip)),
            _ => None,
        }
    }

    /// Whether it is a device that the kernel makes by itself, beside the tunnels that another program asks for.
    pub fn is_fallback(&self) -> bool {
        FALLBACKS.contains(&self.name.as_str())
    }

    /// The attributes of its kind; another link among them by its name.
    fn options(&self, name_of: impl Fn(u32) -> Option<IfName>) -> Options {
        let mut options = self.options.clone();
        if let (Kind::Bond, Some(Value::Number(index))) = (&self.kind, options.get("primary")) {
            let name = u32::try_from(*index).ok().and_then(name_of);
            options.insert("primary".into(), name.map_or(Value::Unset, |name| Value::word(name.as_str())));
        }
        options
    }

    /// The resource, all that was read in it. What the numbers of others mean is reported by `name_of` (a link here)
    /// and filled in by the caller for links elsewhere.
    pub fn link(&self, node: &Node, name_of: impl Fn(u32) -> Option<IfName>) -> Link {
        let id = LinkId { node: node.clone(), name: self.name.clone() };
        let beside = |index: Option<u32>| {
            let name = index.filter(|_| self.other_nsid.is_none() && !self.goes).and_then(&name_of)?;
            Some(LinkId { node: node.clone(), name })
        };
        let tenure = if self.kind == Kind::Loopback { Tenure::Existing } else { Tenure::Created };
        Link {
            tenure,
            peer: if self.kind == Kind::Veth { beside(self.other) } else { None },
            link: if self.kind == Kind::Veth { None } else { beside(self.other) },
            options: self.options(&name_of),
            port: self.port.clone(),
            up: Setting::Is(self.up),
            arp: Some(self.arp).filter(|_| self.kind.asks()).into(),
            multicast: Some(self.multicast).filter(|_| self.kind.asks()).into(),
            mtu: self.mtu.into(),
            mac: self.mac.into(),
            // A master that cannot be named is still one: better an unknown name than "none".
            master: Setting::Is(self.master.map(|index| name_of(index).unwrap_or_else(|| format!("if{index}").into()))),
            alternative_names: Setting::Is(self.alternative_names.clone()),
            txqueuelen: self.txqueuelen.into(),
            queues: self.queues.into(),
            offload: self.offload.clone(),
            marked: true,
            ..Link::bare(id, self.kind.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bridge_port() -> Writer {
        let mut body = Writer::new(&head(7, Some(true)));
        body.text(IFNAME, "eth0")
            .u32(MTU, 1400)
            .u32(MASTER, 3)
            .u32(GROUP, 5)
            .put(ADDRESS, &[2, 0, 0, 0, 0, 1])
            .u32(LINK, 9);
        body.put(LINK_NETNSID, &4_i32.to_ne_bytes());
        body.nest(LINKINFO, |info| {
            info.text(INFO_KIND, "veth").text(INFO_SLAVE_KIND, "bridge").nest(INFO_SLAVE_DATA, |port| {
                port.u8(33, 1);
            });
        });
        body.nest(PROP_LIST, |names| {
            names.text(ALT_IFNAME, "another").text(ALT_IFNAME, "third");
        });
        body
    }

    #[test]
    fn a_port_is_read_whole() {
        let seen = parse(bridge_port().bytes()).unwrap();
        assert_eq!((seen.index, seen.up, seen.other, seen.other_nsid), (7, true, Some(9), Some(4)));
        let link = seen.link(&"RED".into(), |index| Some(format!("if{index}").into()));
        assert_eq!(link.kind, Kind::Veth);
        assert_eq!(link.peer, None);
        assert_eq!(link.master, Setting::Is(Some("if3".into())));
        assert_eq!(link.mac, Setting::Is(Mac([2, 0, 0, 0, 0, 1])));
        assert_eq!(link.port.len(), 1);
        assert_eq!(link.alternative_names.get().unwrap().len(), 2);
    }

    #[test]
    fn every_truncation_is_survived() {
        let body = bridge_port();
        for cut in 0..body.bytes().len() {
            let _ = parse(&body.bytes()[..cut]);
        }
    }
}
