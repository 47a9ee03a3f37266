//! Containers of Docker and podman: the process of one by its name, as the files of their runtimes have it. No daemon
//! is asked, so one that hangs holds up nothing, and what the environment says of sockets does not matter.

use crate::kernel::{Error, ErrorKind};
use crate::resource::Runtime;
use nix::libc;
use serde_json::Value;
use std::collections::HashMap;
use std::fs::{read, read_dir, read_to_string};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A container: the runtime that has it, its whole id, and the process that it says is the first in it.
struct Container {
    runtime: Runtime,
    id: String,
    pid: Option<u32>,
}

/// A process that is known not to be another of its number: its start time, in ticks since the boot.
type Process = (u32, u64);

/// Containers by what the file says of them, with their first processes.
type Found = HashMap<(Option<Runtime>, String), Process>;

/// What was found: every job in a namespace asks anew.
static FOUND: Mutex<Option<Found>> = Mutex::new(None);

/// The first process in the container `name`, and which runtime runs it.
///
/// # Errors
///
/// There is none of that name, it does not run (both as `ENOENT`), or both runtimes have one.
pub fn find(runtime: Option<Runtime>, name: &str) -> Result<(Runtime, u32), Error> {
    let asked = runtime.map_or_else(|| vec![Runtime::Docker, Runtime::Podman], |runtime| vec![runtime]);
    let mut found: Vec<Container> = asked.into_iter().filter_map(|runtime| of(runtime, name)).collect();
    let (Some(container), rest) = (found.pop(), found) else { return Err(absent(runtime, name)) };
    if !rest.is_empty() {
        let help = "say which is meant: `runtime: docker` or `runtime: podman` beside `container`";
        let reason = "Docker and podman both have a container of that name";
        return Err(Error::new(ErrorKind::Taken, tried(name), reason).help(help));
    }
    match container.pid.filter(|pid| is_in(*pid, &container.id)) {
        Some(pid) => Ok((container.runtime, pid)),
        None => {
            let help = format!("start it: {} start {name}", container.runtime.word());
            Err(Error { reason: "it does not run".to_owned(), ..Error::os(tried(name), libc::ENOENT) }.help(help))
        }
    }
}

/// The first process in the container `name`.
pub(super) fn process(runtime: Option<Runtime>, name: &str) -> Result<u32, Error> {
    let key = (runtime, name.to_owned());
    let lock = || FOUND.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let known = lock().get_or_insert_default().get(&key).copied();
    if let Some((pid, _)) = known.filter(|(pid, start)| started(*pid) == Some(*start)) {
        return Ok(pid);
    }
    let (_, pid) = find(runtime, name)?;
    if let Some(start) = started(pid) {
        lock().get_or_insert_default().insert(key, (pid, start));
    }
    Ok(pid)
}

fn tried(name: &str) -> String {
    format!("open the network namespace of container {name}")
}

fn absent(runtime: Option<Runtime>, name: &str) -> Error {
    let (reason, help) = match runtime {
        Some(runtime) => (
            format!("{} has no such container", runtime.word()),
            format!("{} ps -a, as root, shows their names", runtime.word()),
        ),
        None => (
            "neither Docker nor podman has such a container".to_owned(),
            "docker ps -a, or podman ps -a as root, shows their names; one of another program is found by `pid`"
                .to_owned(),
        ),
    };
    Error { reason, ..Error::os(tried(name), libc::ENOENT) }.help(help)
}

/// The container of that name, running or not.
fn of(runtime: Runtime, name: &str) -> Option<Container> {
    match runtime {
        Runtime::Docker => docker(name),
        Runtime::Podman => podman(name),
    }
}

/// The folder in which Docker keeps what it knows.
fn docker_root() -> PathBuf {
    let daemon = json(Path::new("/etc/docker/daemon.json"));
    let root = daemon.as_ref().and_then(|daemon| daemon.get("data-root")?.as_str());
    PathBuf::from(root.unwrap_or("/var/lib/docker"))
}

/// Docker writes the state of each container to a file of its own whenever it changes.
fn docker(name: &str) -> Option<Container> {
    folders(&docker_root().join("containers")).find_map(|folder| {
        let file = json(&folder.join("config.v2.json"))?;
        let id = (file.get("Name")?.as_str()?.strip_prefix('/')? == name).then(|| file.get("ID")?.as_str())??;
        let state = file.get("State")?;
        let pid = state.get("Pid").and_then(Value::as_u64).and_then(|pid| u32::try_from(pid).ok());
        Some(Container { runtime: Runtime::Docker, id: id.to_owned(), pid: pid.filter(|pid| *pid > 0) })
    })
}

/// podman has the names of all containers in one file of its store, whose folder is named after the storage driver, and
/// the process of one that runs in a file below `/run`.
fn podman(name: &str) -> Option<Container> {
    let (store, run) =
        (setting("graphroot", "/var/lib/containers/storage"), setting("runroot", "/run/containers/storage"));
    let drivers = folders(Path::new(&store)).filter_map(|folder| {
        folder
            .file_name()
            .and_then(|name| name.to_str())
            .filter(|name| name.ends_with("-containers"))
            .map(str::to_owned)
    });
    drivers.into_iter().find_map(|driver| {
        let list = json(&Path::new(&store).join(&driver).join("containers.json"))?;
        let named = |container: &&Value| {
            container.get("names").and_then(Value::as_array).is_some_and(|names| names.iter().any(|it| *it == name))
        };
        let id = list.as_array()?.iter().find(named)?.get("id")?.as_str()?.to_owned();
        let file = Path::new(&run).join(&driver).join(&id).join("userdata/pidfile");
        let pid = read_to_string(file).ok().and_then(|text| text.trim().parse().ok());
        Some(Container { runtime: Runtime::Podman, id, pid })
    })
}

/// The containers that run, with their names and first processes.
pub fn running() -> Vec<(Runtime, String, u32)> {
    let known = docker_names().into_iter().map(|name| (Runtime::Docker, name));
    let known = known.chain(podman_names().into_iter().map(|name| (Runtime::Podman, name)));
    let pid = |runtime, name: &str| find(Some(runtime), name).ok().map(|(_, pid)| pid);
    known.filter_map(|(runtime, name)| pid(runtime, &name).map(|pid| (runtime, name, pid))).collect()
}

fn docker_names() -> Vec<String> {
    let name = |folder: PathBuf| {
        let file = json(&folder.join("config.v2.json"))?;
        Some(file.get("Name")?.as_str()?.strip_prefix('/')?.to_owned())
    };
    folders(&docker_root().join("containers")).filter_map(name).collect()
}

fn podman_names() -> Vec<String> {
    let store = setting("graphroot", "/var/lib/containers/storage");
    let lists = folders(Path::new(&store)).filter_map(|folder| json(&folder.join("containers.json")));
    let names = |list: Value| -> Vec<String> {
        let all = list.as_array().into_iter().flatten().filter_map(|container| container.get("names")?.as_array());
        all.filter_map(|names| names.first()?.as_str()).map(str::to_owned).collect()
    };
    lists.flat_map(names).collect()
}

/// A path in podman's `storage.conf`.
fn setting(key: &str, default: &str) -> String {
    let file = read_to_string("/etc/containers/storage.conf").unwrap_or_default();
    let line = file.lines().find_map(|line| line.trim().strip_prefix(key)?.trim_start().strip_prefix('='));
    line.map_or(default, |value| value.trim().trim_matches('"')).to_owned()
}

/// Whether a process is one of the container: its number may be another's by now. Its control group or, where the
/// container has none of its own, the command line of its parent (`conmon`, `containerd-shim`) has the container's id.
fn is_in(pid: u32, id: &str) -> bool {
    let parent = || {
        let status = read_to_string(format!("/proc/{pid}/status")).ok()?;
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().to_owned();
        read(format!("/proc/{parent}/cmdline")).ok()
    };
    let groups = read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    !id.is_empty() && (groups.contains(id) || parent().is_some_and(|line| String::from_utf8_lossy(&line).contains(id)))
}

/// When a process was started: the 22nd field of `stat`, the second of which, a name, may have anything in it.
fn started(pid: u32) -> Option<u64> {
    let stat = read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

fn json(file: &Path) -> Option<Value> {
    serde_json::from_slice(&read(file).ok()?).ok()
}

fn folders(of: &Path) -> impl Iterator<Item = PathBuf> {
    read_dir(of).into_iter().flatten().flatten().map(|entry| entry.path()).filter(|path| path.is_dir())
}
