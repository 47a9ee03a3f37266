//! Pages of `docs/` that are made from the code: `TOPO_REWRITE=1 cargo test --test pure docs` writes them anew.

#![allow(clippy::disallowed_methods, reason = "a test makes processes")]

use std::fmt::Write as _;
use topo::resource::kinds::{self, Attribute, Below, Default, Mtu, Spec};
use topo::resource::{Impact, Kind, Link, LinkId, Mac, Queues, Setting, Value, offload};

/// The kinds that the tests make on both kernels, 6.12 and 6.18; the others on 6.12 alone, which has them all.
const ON_BOTH: [Kind; 8] =
    [Kind::Veth, Kind::Bridge, Kind::Vxlan, Kind::Macvlan, Kind::Macvtap, Kind::Ifb, Kind::Tun, Kind::Tap];

fn impact(impact: Impact) -> &'static str {
    match impact {
        Impact::InPlace => "in place",
        Impact::Flap => "flaps the link",
        Impact::Replace => "re-creates",
    }
}

fn default(attribute: &Attribute) -> String {
    match attribute.default {
        Default::Kernel => "the kernel's".to_owned(),
        Default::Unset => "none".to_owned(),
        other => format!("`{}`", other.value().expect("a value")),
    }
}

/// Two links that differ in everything that all kinds have.
fn common() -> (Link, Link) {
    let id = LinkId::new("A", "eth0");
    let old = Link {
        up: Setting::Is(true),
        mtu: Setting::Is(1500),
        mac: Setting::Is(Mac([2, 0, 0, 0, 0, 1])),
        master: Setting::Is(None),
        alternative_names: Setting::Is(std::collections::BTreeSet::new()),
        txqueuelen: Setting::Is(1000),
        queues: Setting::Is(Queues { tx: 1, rx: 1 }),
        offload: offload::ALL.iter().map(|offload| (offload.name.into(), Value::Bool(true))).collect(),
        ..Link::bare(id.clone(), Kind::Veth)
    };
    let new = Link {
        up: Setting::Is(false),
        mtu: Setting::Is(1400),
        mac: Setting::Is(Mac([2, 0, 0, 0, 0, 2])),
        master: Setting::Is(Some("br0".into())),
        alternative_names: Setting::Is(["uplink".to_owned()].into()),
        txqueuelen: Setting::Is(500),
        queues: Setting::Is(Queues { tx: 2, rx: 2 }),
        offload: offload::ALL.iter().map(|offload| (offload.name.into(), Value::Bool(false))).collect(),
        peer: Some(LinkId::new("B", "eth0")),
        ..old.clone()
    };
    (old, new)
}

fn needs(spec: &Spec, attribute: &str) -> &'static str {
    if spec.kind == Kind::Bridge && attribute.starts_with("vlan-") {
        "CONFIG_BRIDGE_VLAN_FILTERING"
    } else {
        spec.config
    }
}

fn tested(spec: &Spec, attribute: &str) -> &'static str {
    let both = ON_BOTH.contains(&spec.kind) && !(spec.kind == Kind::Bridge && attribute.starts_with("vlan-"));
    if both { "6.12, 6.18" } else { "6.12" }
}

fn kind_rows(spec: &Spec, page: &mut String) {
    let name =
        if spec.name == spec.word { format!("`{}`", spec.word) } else { format!("`{}` ({})", spec.word, spec.name) };
    let mut row = |attribute: &str, default: &str, change: &str| {
        let (needs, tested) = (needs(spec, attribute), tested(spec, attribute));
        writeln!(page, "| {name} | {attribute} | {default} | {change} | {needs} | {tested} |").unwrap();
    };
    match spec.mtu {
        Mtu::Is(mtu) => row("mtu", &format!("`{mtu}`"), "in place"),
        Mtu::Below { v4: 0, .. } => row("mtu", "that of its `link`", "in place"),
        Mtu::Below { v4, v6 } if spec.kind == Kind::Vxlan => {
            row("mtu", &format!("that of its `link` less {v4} (IPv6: {v6}), or 1500"), "in place")
        }
        Mtu::Below { v4, v6 } if v4 == v6 => row("mtu", &format!("that of its `link`, or 1500, less {v4}"), "in place"),
        Mtu::Below { v4, v6 } => {
            row("mtu", &format!("that of its `link`, or 1500, less {v4} (IPv6: {v6})"), "in place")
        }
        Mtu::Left => row("mtu", "the lowest of its ports", "in place"),
    }
    match spec.below {
        Below::Dies(change) | Below::Stays(change) => row("link", "none", impact(change)),
        Below::Nothing => {}
    }
    for attribute in spec.attributes {
        row(attribute.name, &default(attribute), impact(attribute.impact));
    }
}

/// The page of all kinds of links and all their attributes.
fn links() -> String {
    let mut page = String::from(
        "# Links: every kind and every attribute\n\n\
         Made from the code by `tests/pure/docs.rs`. A change is made *in place*, or it *flaps the link* (down and up: routes over it and IPv6 addresses are lost on\n\
         the way, and put back by the same plan), or it *re-creates* the link (and what depends on it). What a kernel must be built with is the name of the\n\
         option; a module will do. *Tested on* names the kernels on which `make test` makes, changes and removes it.\n\n\
         ## What all kinds have\n\n| attribute | a change |\n| --- | --- |\n",
    );
    let (old, new) = common();
    for drift in new.drift(&old) {
        writeln!(page, "| {} | {} |", drift.field, impact(drift.impact)).unwrap();
    }
    page.push_str("\n## Ports of a bridge (`port`)\n\n| attribute | default | a change | needs | tested on |\n| --- | --- | --- | --- | --- |\n");
    for attribute in kinds::PORT {
        writeln!(
            page,
            "| {} | {} | {} | CONFIG_BRIDGE | 6.12, 6.18 |",
            attribute.name,
            default(attribute),
            impact(attribute.impact)
        )
        .unwrap();
    }
    page.push_str("\n## Each kind\n\n| kind | attribute | default | a change | needs | tested on |\n| --- | --- | --- | --- | --- | --- |\n");
    for spec in kinds::ALL {
        kind_rows(spec, &mut page);
    }
    page
}

#[test]
fn the_page_of_links_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/links.md");
    let page = links();
    assert!(!page.contains("|  |"), "a cell is empty");
    if std::env::var_os("TOPO_REWRITE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap_or_default() == page,
        "docs/links.md is another: TOPO_REWRITE=1 cargo test --test pure docs::writes it anew"
    );
}

/// The page of findings has a section for each code, in their order, which begins with how bad it is.
#[test]
fn docs_know_every_code_of_the_doctor() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/doctor.md")).unwrap();
    let sections: Vec<(&str, &str)> =
        page.split("\n### `").skip(1).map(|section| section.split_once("`\n\n").unwrap_or((section, ""))).collect();
    let codes: Vec<&str> = topo::doctor::Code::ALL.iter().map(|code| code.word()).collect();
    assert_eq!(sections.iter().map(|(code, _)| *code).collect::<Vec<_>>(), codes);
    for (code, text) in sections {
        assert!(["Error", "Warning", "Note"].iter().any(|word| text.starts_with(word)), "{code}: {text}");
        assert!(text.len() > 120, "{code}: what, why, and what to do");
    }
    for other in ["README.md", "docs/explain.md"] {
        let text = std::fs::read_to_string(format!("{}/{other}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(text.contains("doctor.md)"), "{other} has no link to it");
    }
}
