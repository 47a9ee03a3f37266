//! Kernel settings: forwarding, IPv6 of interfaces, and those that are written out.

use super::context::Lowering;
use super::node::At;
use crate::document::schema::interface::{AddressGeneration, Interface};
use crate::document::value::forwarding::Forwarding;
use crate::document::{Finding, Loc, Place};
use crate::resource::{IPV6_LEAST_MTU, IfName, Resource, ResourceId, Sysctl};

const V4: &str = Sysctl::FORWARDING_V4;
const V6: &str = Sysctl::FORWARDING_V6;

/// What `forwarding` says of IPv4 and IPv6; `None` is not said. In a namespace of ours the family that is not named is
/// off.
fn families(forwarding: Forwarding, created: bool) -> (Option<bool>, Option<bool>) {
    let other = created.then_some(false);
    match forwarding {
        Forwarding::Both => (Some(true), Some(true)),
        Forwarding::Neither => (Some(false), Some(false)),
        Forwarding::Ipv4 => (Some(true), other),
        Forwarding::Ipv6 => (other, Some(true)),
    }
}

impl<'d> Lowering<'d> {
    fn sysctl(&mut self, at: &At<'d>, key: impl Into<String>, value: &str, place: Place, path: String) {
        self.put(Resource::Sysctl(Sysctl::new(at.node.clone(), key, value)), at.setting_owner(), place, path);
    }

    /// The settings of a node.
    pub fn settings(&mut self, at: &At<'d>) {
        let forwarding = at.section.forwarding.as_ref();
        let (place, path) =
            forwarding.map_or((at.place, at.path.clone()), |on| (on.place, format!("{}.forwarding", at.path)));
        let said = forwarding.map(|forwarding| forwarding.value).or(at.created.then_some(Forwarding::Neither));
        let (v4, v6) = said.map_or((None, None), |said| families(said, at.created));
        for (key, on) in [(V4, v4), (V6, v6)] {
            if let Some(on) = on {
                self.sysctl(at, key, if on { "1" } else { "0" }, place, path.clone());
            }
        }
        for (key, value) in &at.section.sysctls {
            // The kernel keeps both names in one place (`devinet_sysctl_forward`).
            let name = if key.0 == "net/ipv4/conf/all/forwarding" { V4 } else { &key.0 };
            let id = ResourceId::Sysctl(at.node.clone(), name.to_owned());
            let sysctl = Sysctl::new(at.node.clone(), name, &value.0);
            if let Some(link) = sysctl.link()
                && !self.index.known(&link)
            {
                let finding = self.index.unknown(&link, key.place);
                let dotted = name.split('/').count() > 5;
                self.note(if dotted {
                    finding.help(
                        "where the name of an interface has a dot, write slashes: net/ipv4/conf/eth0.100/rp_filter",
                    )
                } else {
                    finding
                });
                continue;
            }
            self.origins.remove(&id);
            self.put(Resource::Sysctl(sysctl), at.setting_owner(), key.place, format!("{}.sysctls.{}", at.path, key.0));
        }
    }

    /// The settings of an interface that have keys of their own.
    pub fn interface_settings(&mut self, at: &At<'d>, name: &Loc<IfName>, interface: &Interface, path: &str) {
        if let Some(forwarding) = &interface.forwarding {
            let (v4, v6) = families(forwarding.value, at.created);
            // An interface without IPv6 has no switch for it, and nothing to switch off.
            let small = interface.mtu.as_ref().is_some_and(|mtu| mtu.value.0 < IPV6_LEAST_MTU.into());
            for (family, on) in [("ipv4", v4), ("ipv6", v6.filter(|on| *on || !small))] {
                if let Some(on) = on {
                    self.one(
                        at,
                        format!("net/{family}/conf/{name}/forwarding"),
                        if on { "1" } else { "0" },
                        forwarding.place,
                        format!("{path}.forwarding"),
                    );
                }
            }
        }
        let Some(ipv6) = &interface.ipv6 else { return };
        let forwards =
            matches!(at.section.forwarding.as_ref().map(|on| on.value), Some(Forwarding::Both | Forwarding::Ipv6));
        let switch = |value: &Option<Loc<bool>>, on: &'static str| {
            value.as_ref().map(|value| (if value.value { on } else { "0" }, value.place))
        };
        let generation = ipv6.address_generation.as_ref().map(|word| {
            let number = match word.value {
                AddressGeneration::Eui64 => "0",
                AddressGeneration::None => "1",
                AddressGeneration::StablePrivacy => "2",
                AddressGeneration::Random => "3",
            };
            (number, word.place)
        });
        let settings = [
            // A node that forwards obeys advertisements only with 2 (`accept_ra` in ip-sysctl.rst).
            ("accept_ra", "accept-ra", switch(&ipv6.accept_ra, if forwards { "2" } else { "1" })),
            ("accept_dad", "dad", switch(&ipv6.dad, "1")),
            ("use_tempaddr", "privacy", switch(&ipv6.privacy, "2")),
            ("addr_gen_mode", "address-generation", generation),
            ("disable_ipv6", "disable", switch(&ipv6.disable, "1")),
        ];
        for (key, word, value) in settings {
            if let Some((value, place)) = value {
                self.one(at, format!("net/ipv6/conf/{name}/{key}"), value, place, format!("{path}.ipv6.{word}"));
            }
        }
    }

    /// A setting that a key of an interface stands for; `sysctls` may say the same, and nothing else.
    fn one(&mut self, at: &At<'d>, key: String, value: &str, place: Place, path: String) {
        let id = ResourceId::Sysctl(at.node.clone(), key.clone());
        if let Some(Resource::Sysctl(other)) = self.state.get(&id)
            && other.value != value
        {
            let finding = Finding::error(
                "contradiction",
                place,
                format!("`sysctls` says {} for {}, this key {value}", other.value, key.replace('/', ".")),
            );
            self.note(finding);
        }
        self.sysctl(at, key, value, place, path);
    }
}
