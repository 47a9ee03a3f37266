//! IP tunnels.

use super::context::Lowering;
use super::kinds::families;
use super::node::At;
use super::stacked::{put, switch};
use crate::document::schema::kind::{EncapsulationLimit, Geneve, Gre, Ip6Tunnel, Tunnel};
use crate::document::value::InterfaceRef;
use crate::document::yaml::word::Number;
use crate::document::{Finding, Loc, Place};
use crate::resource::{Kind, Link, LinkId, Options, Value};
use std::net::IpAddr;

/// A number that is written.
fn number<const MIN: u64, const MAX: u64>(value: &Option<Loc<Number<MIN, MAX>>>) -> Option<Value> {
    value.as_ref().map(|number| Value::Number(number.0))
}

fn limit(value: &Option<Loc<EncapsulationLimit>>) -> Option<Value> {
    value.as_ref().map(|limit| limit.0.map_or(Value::Unset, |limit| Value::Number(limit.into())))
}

/// What all tunnels have.
struct Ends<'t> {
    local: &'t Loc<IpAddr>,
    remote: &'t Loc<IpAddr>,
    link: &'t Option<Loc<InterfaceRef>>,
}

impl<'d> Lowering<'d> {
    /// A GRE tunnel of packets, or of frames (`tap`).
    pub fn gre(&mut self, at: &At<'d>, id: LinkId, tap: bool, gre: &Gre) -> Option<Link> {
        let six = gre.local.is_ipv6();
        let kind = match (tap, six) {
            (false, false) => Kind::Gre,
            (true, false) => Kind::Gretap,
            (false, true) => Kind::Ip6gre,
            (true, true) => Kind::Ip6gretap,
        };
        let mut link =
            self.ends(at, Link::bare(id, kind), &Ends { local: &gre.local, remote: &gre.remote, link: &gre.link })?;
        put(&mut link.options, "key", number(&gre.key));
        put(&mut link.options, "ttl", number(&gre.ttl));
        let misplaced: [(&str, Option<Place>, bool); 3] = [
            ("tos", gre.tos.as_ref().map(|it| it.place), six),
            ("pmtu-discovery", gre.pmtu_discovery.as_ref().map(|it| it.place), six),
            ("encapsulation-limit", gre.encapsulation_limit.as_ref().map(|it| it.place), !six),
        ];
        for (name, place, wrong) in misplaced {
            if let Some(place) = place.filter(|_| wrong) {
                let family = if six { "IPv6" } else { "IPv4" };
                let finding = Finding::error("misplaced-key", place, format!("a tunnel over {family} has no `{name}`"));
                self.note(finding.help(format!(
                    "leave it out; the family is that of the ends, and {} is an address of {family}",
                    gre.local
                )));
                return None;
            }
        }
        put(&mut link.options, "tos", number(&gre.tos));
        put(&mut link.options, "pmtu-discovery", switch(&gre.pmtu_discovery));
        put(&mut link.options, "encapsulation-limit", limit(&gre.encapsulation_limit));
        self.fragments(&link.options, &gre.pmtu_discovery);
        Some(link)
    }

    /// An ipip or sit.
    pub fn tunnel(&mut self, at: &At<'d>, id: LinkId, kind: Kind, tunnel: &Tunnel) -> Option<Link> {
        self.family(&kind, &tunnel.local, false)?;
        let mut link = self.ends(
            at,
            Link::bare(id, kind),
            &Ends { local: &tunnel.local, remote: &tunnel.remote, link: &tunnel.link },
        )?;
        put(&mut link.options, "ttl", number(&tunnel.ttl));
        put(&mut link.options, "tos", number(&tunnel.tos));
        put(&mut link.options, "pmtu-discovery", switch(&tunnel.pmtu_discovery));
        self.fragments(&link.options, &tunnel.pmtu_discovery);
        Some(link)
    }

    /// An ip6tnl.
    pub fn ip6tnl(&mut self, at: &At<'d>, id: LinkId, tunnel: &Ip6Tunnel) -> Option<Link> {
        self.family(&Kind::Ip6tnl, &tunnel.local, true)?;
        let mut link = self.ends(
            at,
            Link::bare(id, Kind::Ip6tnl),
            &Ends { local: &tunnel.local, remote: &tunnel.remote, link: &tunnel.link },
        )?;
        put(&mut link.options, "ttl", number(&tunnel.ttl));
        put(&mut link.options, "encapsulation-limit", limit(&tunnel.encapsulation_limit));
        Some(link)
    }

    /// A geneve.
    pub fn geneve(&mut self, id: LinkId, geneve: &Geneve) -> Option<Link> {
        let mut link = Link::bare(id, Kind::Geneve);
        if let Some(local) = geneve.local.as_ref().filter(|local| local.is_ipv4() != geneve.remote.is_ipv4()) {
            self.note(families("a tunnel", local, &geneve.remote));
            return None;
        }
        self.one_host(&geneve.remote);
        // (`geneve_nl2info`)
        if matches!(geneve.remote.value, IpAddr::V6(ip) if ip.is_unicast_link_local()) {
            let finding = Finding::error(
                "bad-address",
                geneve.remote.place,
                format!("{} is link-local, and a geneve does not say on which interface", geneve.remote),
            );
            self.note(finding.help("write another address of the other end"));
        }
        put(&mut link.options, "id", Some(Value::Number(geneve.id.0)));
        put(&mut link.options, "remote", Some(Value::Ip(geneve.remote.value)));
        put(&mut link.options, "port", number(&geneve.port));
        put(&mut link.options, "ttl", number(&geneve.ttl));
        put(&mut link.options, "tos", number(&geneve.tos));
        put(&mut link.options, "df", geneve.df.as_ref().map(|df| Value::word(df.word())));
        Some(link)
    }

    fn ends(&mut self, at: &At<'d>, mut link: Link, ends: &Ends<'_>) -> Option<Link> {
        let Ends { local, remote, link: below } = ends;
        if local.is_ipv4() != remote.is_ipv4() {
            self.note(families("a tunnel", local, remote));
            return None;
        }
        self.one_host(local);
        self.one_host(remote);
        if local.value == remote.value {
            self.note(
                Finding::error("bad-address", remote.place, format!("both ends of the tunnel are {remote}"))
                    .also(local.place, "the other end"),
            );
        }
        if let Some(below) = below {
            link.link = Some(self.resolve(at, below)?);
        }
        put(&mut link.options, "local", Some(Value::Ip(local.value)));
        put(&mut link.options, "remote", Some(Value::Ip(remote.value)));
        Some(link)
    }

    /// An end is one host: of a group the kernel makes the key too (`ipgre_tunnel_init`), and a tunnel to no address
    /// sends nothing by itself.
    fn one_host(&mut self, end: &Loc<IpAddr>) {
        let (what, help) = if end.is_multicast() {
            ("a multicast group", "a vxlan has a `group`, and can have several other ends (`fdb`)")
        } else if end.is_unspecified() {
            ("no address", "write the address that the packets shall have")
        } else {
            return;
        };
        let finding = Finding::error(
            "bad-address",
            end.place,
            format!("{end} stands for {what}, and the end of a tunnel is one host"),
        );
        self.note(finding.help(help));
    }

    /// The kind of tunnel goes over one family alone.
    fn family(&mut self, kind: &Kind, local: &Loc<IpAddr>, six: bool) -> Option<()> {
        if local.is_ipv6() == six {
            return Some(());
        }
        let (family, other) =
            if six { ("IPv6", "ipip and sit go over IPv4") } else { ("IPv4", "ip6tnl goes over IPv6") };
        let finding = Finding::error(
            "mixed-families",
            local.place,
            format!("{} goes over {family}, and {local} is not of that family", kind.word()),
        );
        self.note(finding.help(format!("{other}; gre and gretap go over both")));
        None
    }

    /// A tunnel with a TTL of its own says that its packets must not be fragmented (`ipgre_netlink_parms`: else they
    /// might go round in a circle).
    fn fragments(&mut self, options: &Options, pmtu: &Option<Loc<bool>>) {
        let own = matches!(options.get("ttl"), Some(Value::Number(ttl)) if *ttl != 0);
        if let Some(pmtu) = pmtu.as_ref().filter(|pmtu| !pmtu.value && own) {
            let finding = Finding::error(
                "tunnel-fragments",
                pmtu.place,
                "a tunnel with a `ttl` of its own always discovers the MTU of its path",
            );
            self.note(finding.help("leave `pmtu-discovery` out, or `ttl`"));
        }
    }
}
