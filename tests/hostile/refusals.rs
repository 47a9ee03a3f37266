//! Every single request to the kernel refused, in one run after another: not carried out, or carried out and said to
//! have failed. Each ends with an error and the machine as it was, by other programs' account; or, where the request
//! did not matter, with what was wanted.
//!
//! A quick run takes a part of the moments (`TOPO_REFUSALS=N` another one); `TOPO_REFUSALS=all` takes all of them.

use crate::sandbox;
use crate::tracer;
use crate::transitions;

use nix::libc;
use sandbox::{Options, assert_snapshot_with, quiet, sh, topo, topo_path, try_sh, write};
use std::time::Duration;
use tracer::{Moment, What, run};
use transitions::Transition;

/// What a kernel says that cannot, may not, or will not.
const ERRNOS: [i32; 3] = [libc::ENOBUFS, libc::EPERM, libc::EIO];

/// How many moments of each step from version to version a quick run takes.
const FEW: usize = 4;

fn form() -> Option<String> {
    std::env::var("TOPO_REFUSALS").ok()
}

/// Which moments: all, or every so many, beginning where the seed says.
fn chosen(count: usize) -> Vec<Moment> {
    let moment = |request: usize, after: bool| Moment {
        request,
        after,
        what: What::Refuse(ERRNOS[(2 * request + usize::from(after)) % 3]),
    };
    let all = (1..=count).flat_map(|request| [moment(request, false), moment(request, true)]);
    if form().as_deref() == Some("all") {
        return all.collect();
    }
    let seed: u64 = form().map_or(1, |seed| seed.parse().expect("TOPO_REFUSALS is \"all\" or a number"));
    println!("TOPO_REFUSALS={seed}");
    let step = (2 * count).div_ceil(FEW).max(1);
    all.skip(usize::try_from(seed).unwrap() % step).step_by(step).collect()
}

fn go(file: Option<&str>) {
    match file {
        Some(file) => topo(&["apply", "--yes", "--quiet", file]).expect(0),
        None => topo(&["destroy", "faulty", "--yes", "--quiet"]).expect(0),
    };
}

/// What is wrong with a machine that is to be as `expected`, at the version `file`.
fn fault(expected: &str, file: Option<&str>) -> Option<String> {
    let look = Options::default();
    if !sandbox::wait_for(Duration::from_secs(5), || sandbox::snapshot_with(&look) == expected) {
        return Some(format!(
            "the machine differs (- expected, + now):\n{}",
            sandbox::difference(expected, &sandbox::snapshot_with(&look))
        ));
    }
    match file {
        Some(file) => {
            let plan = topo(&["plan", "--detailed-exitcode", file]);
            (plan.code != 0).then(|| format!("the plan is not empty:\n{}{}", plan.stdout, plan.stderr))
        }
        None => {
            std::path::Path::new("/run/topo").exists().then(|| format!("left: {}", try_sh("ls -lRa /run/topo").stdout))
        }
    }
}

/// From one version to the next, with each request refused in turn; answers with those after which something was wrong.
fn refused_between(from: Option<&str>, to: Option<&str>) -> Vec<String> {
    let look = Options::default();
    // Once before: a write to `conf/default` goes to all interfaces that were never written to
    // (`devinet_copy_dflt_conf`), and undoing it writes to them.
    [from, to, from].into_iter().for_each(go);
    let before = quiet(&look);
    let args: &[&str] = match to {
        Some(file) => &["apply", "--yes", file],
        None => &["destroy", "faulty", "--yes"],
    };
    // As many as a run has in which nothing is refused: the last moment there is.
    let count =
        run(topo_path(), args, Some(Moment { request: usize::MAX, after: false, what: What::Refuse(libc::EIO) }));
    assert_eq!(count.code, 0, "{}", count.stderr);
    let after = quiet(&look);
    go(from);
    assert_snapshot_with(&before, &look);
    let (mut undone, mut done) = (0, 0);
    let mut faults = Vec::new();
    let moments = chosen(count.requests);
    for (at, moment) in moments.iter().enumerate() {
        let run = run(topo_path(), args, Some(*moment));
        let Some(what) = run.hit else {
            // It was over before, or cannot be refused any more: a program that has begun.
            go(from);
            continue;
        };
        if to.is_none()
            && run.code == 0
            && (what.contains(".lock, refused") || what.contains("rmdir /run/topo, refused"))
        {
            // The last thing that there is to do, which nothing comes after but the next run.
            go(None);
        }
        println!("{} of {}: {what}: exit {}", at + 1, moments.len(), run.code);
        let fault = match run.code {
            _ if run.stderr.contains("panicked") => Some("it panicked".to_owned()),
            0 => fault(&after, to),
            1 | 77 => fault(&before, from),
            _ => Some("an exit status that means something else".to_owned()),
        };
        *(if run.code == 0 { &mut done } else { &mut undone }) += 1;
        if let Some(fault) = fault {
            println!("{what}: {fault}\n{}", run.stderr);
            faults.push(what);
            go(None);
        } else if run.code != 0 {
            continue;
        }
        go(from);
        assert_snapshot_with(&before, &look);
    }
    println!("{} requests: {undone} refusals undone, {done} that did not matter", count.requests);
    assert!(undone > 0 || form().as_deref() != Some("all"), "nothing was refused");
    faults
}

fn everywhere(name: &str, transition: impl FnOnce() -> Transition) {
    let limit = Duration::from_secs(if form().as_deref() == Some("all") { 4 * 3600 } else { 240 });
    sandbox::run_within(name, limit, || {
        let transition = transition();
        sh(transition.machine);
        std::thread::sleep(Duration::from_secs(2));
        let clean = quiet(&Options::default());
        let file = |(at, text): (usize, &String)| {
            (!text.is_empty()).then(|| write(&format!("{at}.yaml"), &format!("name: faulty\n{text}")))
        };
        let files: Vec<Option<String>> = transition.versions.iter().enumerate().map(file).collect();
        let faults: Vec<String> =
            files.windows(2).flat_map(|pair| refused_between(pair[0].as_deref(), pair[1].as_deref())).collect();
        assert!(faults.is_empty(), "{} went wrong: {faults:#?}", faults.len());
        go(None);
        assert_snapshot_with(&clean, &Options::default());
    });
}

#[test]
fn in_place() {
    everywhere("in_place", transitions::in_place);
}

#[test]
fn re_create() {
    everywhere("re_create", transitions::re_create);
}

#[test]
fn from_nothing_and_to_nothing() {
    everywhere("from_nothing_and_to_nothing", transitions::from_nothing_and_to_nothing);
}

#[test]
fn apart() {
    everywhere("apart", transitions::apart);
}

#[test]
fn existing() {
    everywhere("existing", transitions::existing);
}

#[test]
fn nat_and_firewall() {
    everywhere("nat_and_firewall", transitions::nat_and_firewall);
}

#[test]
fn sysctls() {
    everywhere("sysctls", transitions::sysctls);
}
