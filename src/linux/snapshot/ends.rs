//! The other ends of links: found by ifindex and netns id.

use crate::kernel::{Error, ErrorKind};
use crate::linux::netlink::attributes::Writer;
use crate::linux::netlink::link;
use crate::linux::netlink::socket::Socket;
use crate::linux::netns::namespace;
use crate::linux::netns::places::Places;
use crate::resource::{IfName, Kind, LinkId, Mac, Node};
use nix::libc;
use std::collections::HashMap;
use std::sync::Mutex;

/// A link by its node and its number there.
pub type Place = (Node, u32);

/// The links at the other ends of links, by the nodes and numbers of these.
pub type OtherEnds = HashMap<Place, LinkId>;

/// More candidates than this, and the kernel is asked what the other end is called before namespaces are compared.
pub(crate) const FEW: usize = 4;

/// The ends of pairs whose other end was not found yet, by their number and its. Who looks at a namespace adds the ends
/// there and then searches for the others: of two ends at least one finds the other, whichever was looked at first.
#[derive(Default)]
pub struct Ends(Mutex<HashMap<(u32, u32), Vec<End>>>);

/// Where an end is, and what it is called there.
pub(crate) type End = (Node, (IfName, Option<Mac>));

impl Ends {
    /// Finds the nodes at the other ends of the pairs in `node`, which `socket` belongs to, and adds them to `nsids` by
    /// the numbers that they have there.
    ///
    /// # Errors
    ///
    /// The kernel's refusal, or if a namespace cannot be opened.
    pub fn meet(
        &self,
        socket: &Socket,
        node: &Node,
        links: &[link::Seen],
        nsids: &mut HashMap<i32, Node>,
        places: &Places,
    ) -> Result<(), Error> {
        let pairs = links
            .iter()
            .filter(|link| link.kind == Kind::Veth)
            .filter_map(|link| Some((link, link.other_nsid?, link.other?)));
        let open: Vec<_> = pairs.filter(|(_, nsid, _)| !nsids.contains_key(nsid)).collect();
        for (link, _, other) in &open {
            self.of((link.index, *other), |ends| ends.push((node.clone(), (link.name.clone(), link.mac))));
        }
        for (link, nsid, other) in open {
            if nsids.contains_key(&nsid) {
                continue;
            }
            let many = self.of((other, link.index), |ends| ends.len()) > FEW;
            let like = if many { far_end(socket, nsid, other) } else { None };
            let fits = |(there, end): &&End| there != node && like.as_ref().is_none_or(|like| end == like);
            for (there, _) in self.of((other, link.index), |ends| ends.iter().filter(fits).cloned().collect::<Vec<_>>())
            {
                if nsid_of(socket, &there, places)? == Some(nsid) {
                    self.of((link.index, other), |ends| ends.retain(|(at, _)| at != node));
                    self.of((other, link.index), |ends| ends.retain(|(at, _)| *at != there));
                    nsids.insert(nsid, there);
                    break;
                }
            }
        }
        Ok(())
    }

    fn of<T: Default>(&self, numbers: (u32, u32), work: impl FnOnce(&mut Vec<End>) -> T) -> T {
        self.0.lock().map(|mut ends| work(ends.entry(numbers).or_default())).unwrap_or_default()
    }
}

/// The number by which the socket's namespace knows that of `node`; `None` where it has none for it, or where `node`
/// went meanwhile.
///
/// # Errors
///
/// The kernel's refusal, with its errno and its own text.
pub fn nsid_of(socket: &Socket, node: &Node, places: &Places) -> Result<Option<i32>, Error> {
    match places.open(node) {
        Ok(netns) => namespace::nsid(socket, &netns)
            .map_err(|refused| refused.error(format!("ask for the number of namespace {node}"))),
        Err(error) if error.errno == Some(libc::ENOENT) || error.kind == ErrorKind::Taken => Ok(None),
        Err(error) => Err(error),
    }
}

/// A link by its number in another namespace that `socket`'s knows under `nsid`: its name and hardware address.
pub(crate) fn far_end(socket: &Socket, nsid: i32, index: u32) -> Option<(IfName, Option<Mac>)> {
    /// `IFLA_TARGET_NETNSID`.
    const TARGET: u16 = 46;
    let mut body = Writer::new(&link::head(index, None));
    body.u32(TARGET, nsid.cast_unsigned());
    let seen = link::get(socket, body).ok()?;
    Some((seen.name, seen.mac))
}
