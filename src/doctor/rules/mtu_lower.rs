//! Links on an interface of the machine that is too small for them.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::doctor::quoted::plain;
use crate::doctor::stopped::yaml;
use crate::resource::{Kind, Link, Tenure, kinds};

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let made = examined.wanted.links().filter(|link| link.tenure == Tenure::Created);
    made.filter_map(|link| of(examined, link)).collect()
}

fn of(examined: &Examined<'_>, link: &Link) -> Option<Finding> {
    let lower = link.link.as_ref()?;
    // Of two in the file the checks of the file know more.
    if examined.wanted.link(lower).is_some_and(|lower| lower.tenure == Tenure::Created) {
        return None;
    }
    let room = *examined.around.link(lower)?.mtu.get()?;
    let mtu = *link.mtu.get()?;
    let around = kinds::around(link);
    let needed = mtu.checked_add(around).filter(|needed| *needed > room)?;
    // The kernel refuses these, of tunnels it fragments or loses what does not fit.
    let refused = matches!(link.kind, Kind::Vlan | Kind::Macvlan | Kind::Macvtap | Kind::Ipvlan);
    let severity = if refused { Severity::Error } else { Severity::Warning };
    let what = format!("{} has an mtu of {mtu}, and {lower} has room for {}", link.id, room.saturating_sub(around));
    let why = if refused {
        "The kernel refuses an MTU above that of the interface below.".to_owned()
    } else {
        format!(
            "With the {around} bytes around each packet that is {needed}, more than the {room} of {lower}: full packets are fragmented, or lost."
        )
    };
    let node = &link.id.node;
    let text = format!(
        "{}:\n  interfaces:\n    {}: {{ mtu: {} }}",
        node.short(),
        plain(link.id.name.as_str()),
        room.saturating_sub(around)
    );
    let finding = Finding::new(Code::MtuLower, severity, what, why).about(link.id());
    Some(finding.remedy(yaml(node, "lower the MTU to what fits", text)))
}
