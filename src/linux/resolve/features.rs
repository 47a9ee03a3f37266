//! What this kernel can make, found out before anything is touched.

use crate::kernel::{Error, ErrorKind};
use crate::linux::netlink::attributes::Writer;
use crate::linux::netlink::link;
use crate::linux::netlink::link::head;
use crate::linux::netlink::socket::{CREATE, EXCLUSIVE, Request, Socket};
use crate::linux::netns;
use crate::linux::object::qdisc;
use crate::resource::kinds::spec::Spec;
use crate::resource::{Kind, Link, Owner, Resource, State, Tenure, kinds};
use nix::libc;

/// Fails where the kernel has no links of a kind that `wanted` has, naming what needs it. A module is loaded as the
/// kernel loads it by itself.
///
/// # Errors
///
/// [`ErrorKind::Missing`] with the first link that needs what is missing; the others are named in the reason.
pub fn check(wanted: &State) -> Result<(), Error> {
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
        return Ok(());
    }
    let missing = netns::scratch(|| {
        let socket = Socket::open()?;
        if let Some(line) = line.filter(|_| !qdisc::has_netem(&socket)) {
            let reason = format!("this kernel has no netem support (CONFIG_NET_SCH_NETEM); needed by {}", line.id());
            return Err(Error::new(ErrorKind::Missing, format!("impair {}", line.id()), reason)
                .help(HELP)
                .about(line.id()));
        }
        Ok(needed
            .iter()
            .enumerate()
            .filter(|(nth, (spec, _))| !has(&socket, spec, *nth))
            .map(|(_, needed)| *needed)
            .collect::<Vec<_>>())
    })?;
    let Some((first, link)) = missing.first() else { return Ok(()) };
    let also: Vec<String> = missing
        .iter()
        .skip(1)
        .map(|(spec, link)| format!("no {} support ({}), needed by {}", spec.name, spec.config, link.id))
        .collect();
    let also = if also.is_empty() { String::new() } else { format!("; and {}", also.join("; ")) };
    let reason = format!("this kernel has no {} support ({}); needed by {}{also}", first.name, first.config, link.id);
    let error = Error::new(ErrorKind::Missing, format!("make {}", link.id), reason);
    Err(error.help(HELP).about(link.id()))
}

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
