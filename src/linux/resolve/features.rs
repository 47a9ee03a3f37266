//! What this kernel can make, found out before anything is touched.

use crate::kernel::{Error, ErrorKind};
use crate::linux::netlink::attributes::Writer;
use crate::linux::netlink::link;
use crate::linux::netlink::link::head;
use crate::linux::netlink::socket::{CREATE, EXCLUSIVE, Request, Socket};
use crate::linux::netns;
use crate::linux::object::qdisc;
use crate::resource::kinds::spec::Spec;
use crate::resource::{Kind, Link, Owner, Resource, ResourceId, State, Tenure, kinds};
use crate::survey::Missing;
use nix::libc;

/// Fails where the kernel has no links of a kind that `wanted` has, naming what needs it. A module is loaded as the
/// kernel loads it by itself.
///
/// # Errors
///
/// [`ErrorKind::Missing`] with the first link that needs what is missing; the others are named in the reason.
pub fn check(wanted: &State) -> Result<(), Error> {
    let missing = missing(wanted)?;
    let Some(first) = missing.first() else { return Ok(()) };
    if first.what == NETEM {
        let reason = format!("this kernel has no netem support ({}); needed by {}", first.config, first.id);
        return Err(Error::new(ErrorKind::Missing, format!("impair {}", first.id), reason)
            .help(HELP)
            .about(first.id.clone()));
    }
    let link = |missing: &Missing| missing.id.link().map_or_else(String::new, ToString::to_string);
    let also: Vec<String> = missing
        .iter()
        .skip(1)
        .map(|also| format!("no {} support ({}), needed by {}", also.what, also.config, link(also)))
        .collect();
    let also = if also.is_empty() { String::new() } else { format!("; and {}", also.join("; ")) };
    let reason =
        format!("this kernel has no {} support ({}); needed by {}{also}", first.what, first.config, link(first));
    let error = Error::new(ErrorKind::Missing, format!("make {}", link(first)), reason);
    Err(error.help(HELP).about(first.id.clone()))
}

/// What of `wanted` the kernel cannot make, each with the first resource that needs it; netem comes first.
///
/// # Errors
///
/// If the kernel cannot be asked.
pub fn missing(wanted: &State) -> Result<Vec<Missing>, Error> {
    let mut needed: Vec<(&Spec, &Link)> = Vec::new();
    for item in wanted.items.values().filter(|item| item.owner == Owner::Ours) {
        let Some(link) = item.resource.as_link().filter(|link| link.tenure == Tenure::Created) else { continue };
        // Without these two there is no topo; an apply says so.
        let Some(spec) = kinds::spec(&link.kind).filter(|spec| !matches!(spec.kind, Kind::Veth | Kind::Bridge)) else {
            continue;
        };
        if !needed.iter().any(|(known, _)| known.kind == spec.kind) {
            needed.push((spec, link));
        }
    }
    let line = wanted.resources().find(|resource| matches!(resource, Resource::Qdisc(_)));
    if needed.is_empty() && line.is_none() {
        return Ok(Vec::new());
    }
    let missing =
        |id: ResourceId, what: &str, config: &str| Missing { id, what: what.to_owned(), config: config.to_owned() };
    netns::scratch(|| {
        let socket = Socket::open()?;
        let line = line.filter(|_| !qdisc::has_netem(&socket));
        let links = needed.iter().enumerate().filter(|(nth, (spec, _))| !has(&socket, spec, *nth));
        let links = links.map(|(_, (spec, link))| missing(link.id(), spec.name, spec.config));
        Ok(line.map(|line| missing(line.id(), NETEM, "CONFIG_NET_SCH_NETEM")).into_iter().chain(links).collect())
    })
}

/// What impairments need.
const NETEM: &str = "netem";

const HELP: &str = "load the module, or use a kernel that has it";

/// Whether the kernel knows the kind: one that it does not it refuses before it looks at anything else
/// (`rtnl_newlink`).
fn has(socket: &Socket, spec: &Spec, nth: usize) -> bool {
    if spec.traits.by_program {
        return std::path::Path::new("/dev/net/tun").exists();
    }
    let mut body = Writer::new(&head(0, None));
    body.text(link::IFNAME, &format!("probe{nth}"))
        .nest(link::LINKINFO, |info| _ = info.text(link::INFO_KIND, spec.name));
    let answer = socket.request(&Request { kind: link::NEW, flags: CREATE | EXCLUSIVE, body: body.bytes().to_vec() });
    !matches!(answer, Err(refused) if refused.errno == libc::EOPNOTSUPP && refused.text.as_deref() == Some("Unknown device type"))
}
