//! Containers of Docker's that the file joins, and that end with Docker.

use crate::doctor::code::{Code, Severity};
use crate::doctor::examined::Examined;
use crate::doctor::finding::Finding;
use crate::resource::{NetnsRef, Runtime};
use crate::survey::Machine;

pub(super) fn find(examined: &Examined<'_>) -> Vec<Finding> {
    let Some(machine) = examined.machine.filter(|machine| machine.daemon("dockerd").is_some()) else {
        return Vec::new();
    };
    let joined = examined
        .existing()
        .filter(|(_, place)| matches!(place, NetnsRef::Container { runtime, .. } if *runtime != Some(Runtime::Podman)));
    let joined: Vec<_> = joined.map(|(node, _)| node).collect();
    let Some(first) = joined.first().filter(|_| !outlives(machine)) else { return Vec::new() };
    let names: Vec<String> = joined.iter().map(ToString::to_string).collect();
    let what = format!("a restart of Docker ends {}, and what the file has put into it", names.join(", "));
    let why = "Without live-restore the containers end with the daemon, and their namespaces with them. With it they go on, \
               and so does what the file has in them.";
    let finding = Finding::new(Code::DockerRestart, Severity::Warning, what, why).at(first);
    vec![
        finding
            .write("let containers outlive the daemon", "/etc/docker/daemon.json", ["{ \"live-restore\": true }"])
            .run("and have it read that", "systemctl reload docker"),
    ]
}

/// Whether containers outlive the daemon, by its arguments or its file.
fn outlives(machine: &Machine) -> bool {
    let arguments = machine.daemon("dockerd").into_iter().flat_map(|daemon| &daemon.arguments);
    let said = arguments.into_iter().any(|word| word == "--live-restore" || word == "--live-restore=true");
    let written = machine.texts("docker/daemon.json").any(|(_, text)| {
        serde_json::from_str::<serde_json::Value>(text).is_ok_and(|json| json.get("live-restore") == Some(&true.into()))
    });
    said || written
}
