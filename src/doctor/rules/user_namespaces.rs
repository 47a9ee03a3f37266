//! What keeps users without privileges from namespaces.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;

/// The setting, the value that forbids it, the line that allows it, and what it is.
const LIMITS: [(&str, &str, &str, &str); 3] = [
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "kernel.apparmor_restrict_unprivileged_userns = 0",
        "AppArmor takes all privileges in a new user namespace from programs without a profile that allows it",
    ),
    (
        "kernel/unprivileged_userns_clone",
        "0",
        "kernel.unprivileged_userns_clone = 1",
        "the kernel lets root alone make user namespaces",
    ),
    ("user/max_user_namespaces", "0", "user.max_user_namespaces = 15000", "the kernel makes no user namespaces at all"),
];

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let Some(machine) = examined.machine else { return Vec::new() };
    let set = LIMITS.iter().filter(|(key, value, ..)| machine.settings.get(*key).is_some_and(|there| there == value));
    set.map(|(key, value, line, what)| {
        let setting = format!("{} = {value}", key.replace('/', "."));
        let why = format!(
            "{setting}. As root topo does not need them; without it cannot work in a namespace of its own \
                           (unshare -rn)."
        );
        let mut finding = Finding::new(Code::UserNamespaces, Severity::Note, *what, why);
        if key.contains("apparmor") {
            let profile = [
                "abi <abi/4.0>,",
                "include <tunables/global>",
                "profile topo /usr/{,local/}bin/topo flags=(unconfined) { userns, }",
            ];
            finding = finding
                .write("allow topo alone", "/etc/apparmor.d/topo", profile)
                .run("and load it", "apparmor_parser -r /etc/apparmor.d/topo");
        }
        finding
            .write("allow all programs", "/etc/sysctl.d/60-userns.conf", [*line])
            .run("and have it read", "sysctl --system")
    })
    .collect()
}
