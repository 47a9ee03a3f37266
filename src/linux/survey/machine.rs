//! What a machine has outside of its namespaces: versions, daemons with their configuration, limits.

use crate::kernel::Error;
use crate::linux::Linux;
use crate::linux::netns::processes;
use crate::linux::process::run;
use crate::linux::resolve::features;
use crate::resource::State;
use crate::survey::{Daemon, Machine};
use nix::sys::stat::stat;
use std::fs;
use std::io::Read;
use std::path::Path;

/// The programs that change networks, as `/proc/PID/comm` has them: at most 15 letters.
const DAEMONS: [&str; 7] =
    ["NetworkManager", "systemd-network", "firewalld", "dockerd", "libvirtd", "virtnetworkd", "connmand"];
/// Where they are configured, in the order in which a later one wins.
const FILES: [&str; 2] = ["/etc/NetworkManager/NetworkManager.conf", "/etc/systemd/networkd.conf"];
const FOLDERS: [&str; 9] = [
    "/usr/lib/NetworkManager/conf.d",
    "/run/NetworkManager/conf.d",
    "/etc/NetworkManager/conf.d",
    "/usr/lib/systemd/networkd.conf.d",
    "/run/systemd/networkd.conf.d",
    "/etc/systemd/networkd.conf.d",
    "/usr/lib/systemd/network",
    "/run/systemd/network",
    "/etc/systemd/network",
];
const DOCKER: &str = "/etc/docker/daemon.json";
/// The most files of a folder, and bytes of a file, that are read.
const MOST_FILES: usize = 256;
const MOST_BYTES: u64 = 64 << 10;
/// Settings of the machine that keep users from namespaces.
const SETTINGS: [&str; 3] =
    ["user/max_user_namespaces", "kernel/unprivileged_userns_clone", "kernel/apparmor_restrict_unprivileged_userns"];

impl Linux {
    /// What is known of the machine, and what of `wanted` its kernel cannot make.
    ///
    /// # Errors
    ///
    /// If the kernel cannot be asked for its features.
    pub fn machine(&self, wanted: &State) -> Result<Machine, Error> {
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned();
        let daemons = daemons();
        // They belong to no network namespace, and are read where they are.
        let value = |key: &str| text(Path::new(&format!("/proc/sys/{key}"))).map(|value| value.trim().to_owned());
        let settings = SETTINGS.iter().filter_map(|key| Some(((*key).to_owned(), value(key)?)));
        Ok(Machine {
            kernel,
            nft: nft(),
            files: files(&daemons),
            settings: settings.collect(),
            missing: features::missing(wanted)?,
            daemons,
        })
    }
}

/// The version of nft: `nftables v1.0.6 (Lester Gooch #5)`.
fn nft() -> Option<String> {
    let output = run::run("nft", &["--version"], "").ok()?;
    let word = output.stdout.split_whitespace().find_map(|word| word.strip_prefix('v'))?;
    Some(word.to_owned())
}

/// The programs that run in the calling process's network namespace.
fn daemons() -> Vec<Daemon> {
    let here = stat("/proc/self/ns/net").map(|home| (home.st_dev, home.st_ino)).ok();
    let is_here =
        |pid: u32| stat(format!("/proc/{pid}/ns/net").as_str()).map(|home| (home.st_dev, home.st_ino)).ok() == here;
    processes::ids()
        .into_iter()
        .filter_map(|pid| Some((pid, processes::name(pid))).filter(|(_, name)| DAEMONS.contains(&name.as_str())))
        .filter(|(pid, _)| is_here(*pid))
        .map(|(pid, program)| Daemon { program, pid, arguments: arguments(pid) })
        .collect()
}

fn arguments(pid: u32) -> Vec<String> {
    let text = text(Path::new(&format!("/proc/{pid}/cmdline"))).unwrap_or_default();
    text.split('\0').skip(1).map(str::to_owned).collect()
}

/// The configuration of those that run.
fn files(daemons: &[Daemon]) -> Vec<(String, String)> {
    let runs = |program: &str| daemons.iter().any(|daemon| daemon.program == program);
    let wanted = |path: &str| {
        path.contains("NetworkManager") && runs("NetworkManager") || path.contains("systemd") && runs("systemd-network")
    };
    let mut found = Vec::new();
    let mut add = |path: &Path| found.extend(text(path).map(|text| (path.display().to_string(), text)));
    if runs("dockerd") {
        add(Path::new(DOCKER));
    }
    FILES.iter().filter(|path| wanted(path)).for_each(|path| add(Path::new(path)));
    for folder in FOLDERS.iter().filter(|path| wanted(path)) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().take(MOST_FILES);
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        let configures = |path: &Path| path.extension().is_some_and(|end| end == "conf" || end == "network");
        paths.iter().filter(|path| configures(path)).for_each(|path| add(path));
    }
    found
}

fn text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
