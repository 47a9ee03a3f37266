//! One change at a time on a machine: an exclusive `flock`.
//!
//! The file goes with the last topology, so the program that gets the lock looks again whether the file is still the
//! one of that name: else two could hold a lock each.

use super::record::Records;
use crate::kernel::{Error, ErrorKind};
use nix::fcntl::{AtFlags, FcntlArg, FdFlag, OFlag, fcntl, openat};
use nix::sys::stat::{Mode, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Its name in the folder of records. No topology can have it.
const FILE: &str = ".lock";

/// How often a lock that is held is tried.
const PAUSE: Duration = Duration::from_millis(50);

/// The lock that this process holds, if it holds one.
static HELD: Mutex<Weak<File>> = Mutex::new(Weak::new());

/// Whether programs that are started from now on keep the lock that is held until they end, as they do unless reported
/// otherwise. A program of a check changes nothing that the next run would have to wait for.
pub fn pass_on(yes: bool) {
    if let Some(file) = HELD.lock().unwrap_or_else(PoisonError::into_inner).upgrade() {
        let flag = if yes { FdFlag::empty() } else { FdFlag::FD_CLOEXEC };
        // It cannot fail for a file that is open.
        let _ = fcntl(&*file, FcntlArg::F_SETFD(flag));
    }
}

/// The lock, held until it is dropped. If no topology is left then, the folder of records goes with it.
#[derive(Debug)]
pub struct Lock {
    file: Arc<File>,
    folder: OwnedFd,
    path: PathBuf,
}

impl Lock {
    /// Takes the machine's lock; waits for it at most `timeout`, and no longer once `interrupted` is not 0, which is
    /// [`ErrorKind::Interrupted`]. `on_wait` is reported once who holds it (`pid 71: topo apply lab.yaml`), and again
    /// when that changes. Otherwise it is [`ErrorKind::Locked`].
    ///
    /// # Errors
    ///
    /// If another run holds it all the time ([`ErrorKind::Locked`]), or a signal comes ([`ErrorKind::Interrupted`]).
    pub fn take(timeout: Duration, interrupted: &AtomicI32, on_wait: &mut dyn FnMut(&str)) -> Result<Self, Error> {
        Self::take_at(Path::new(super::record::DIR), timeout, interrupted, on_wait)
    }

    /// Takes the lock of another folder of records.
    ///
    /// # Errors
    ///
    /// Those of [`Self::take`].
    pub fn take_at(
        dir: &Path,
        timeout: Duration,
        interrupted: &AtomicI32,
        on_wait: &mut dyn FnMut(&str),
    ) -> Result<Self, Error> {
        let taken = Self::wait_at(dir, timeout, interrupted, on_wait);
        if taken.is_err() {
            abandon(dir);
        }
        taken
    }

    fn wait_at(
        dir: &Path,
        timeout: Duration,
        interrupted: &AtomicI32,
        on_wait: &mut dyn FnMut(&str),
    ) -> Result<Self, Error> {
        // A time that the clock does not reach is for ever.
        let end = Instant::now().checked_add(timeout);
        let mut told = String::new();
        loop {
            if let Some((folder, mut file)) = open(dir)? {
                match file.try_lock() {
                    Ok(()) if is_named(&folder, &file) => {
                        let file = Arc::new(file);
                        *HELD.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&file);
                        let lock = Self { file, folder, path: dir.to_owned() };
                        lock.sign()?;
                        return Ok(lock);
                    }
                    // Its holder removed it: there is another of that name now, or none.
                    Ok(()) => continue,
                    Err(TryLockError::Error(e)) => return Err(Error::io(tried(dir), &e)),
                    Err(TryLockError::WouldBlock) => {}
                }
                let holder = holder(&mut file);
                if holder != told {
                    on_wait(&holder);
                    told = holder;
                }
            }
            if interrupted.load(Ordering::Relaxed) != 0 {
                return Err(Error::new(ErrorKind::Interrupted, tried(dir), "stopped by a signal"));
            }
            let left = end.map_or(timeout, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                let reason = format!("held by {} for {} s", told, timeout.as_secs());
                return Err(Error::new(ErrorKind::Locked, tried(dir), reason)
                    .help("wait for it to end, or give --lock-timeout more time"));
            }
            std::thread::sleep(PAUSE.min(left));
        }
    }

    /// Writes down who holds it.
    fn sign(&self) -> Result<(), Error> {
        let command: Vec<String> = std::env::args_os()
            .map(|word| word.to_string_lossy().chars().filter(|c| !c.is_control()).collect())
            .collect();
        let line = format!("pid {}: {}\n", std::process::id(), command.join(" "));
        let mut file = &*self.file;
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(line.as_bytes()))
            .map_err(|e| Error::io(tried(&self.path), &e))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        leave(&self.folder, &self.file, &self.path);
    }
}

/// Gives up a lock that is held. Still holding it: if the lock is all there is, it goes, and the folder.
fn leave(folder: &OwnedFd, file: &File, path: &Path) {
    let alone = std::fs::read_dir(path)
        .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == FILE)));
    if alone && is_named(folder, file) {
        // What cannot be removed is found by the next run.
        let _ = unlinkat(folder, FILE, UnlinkatFlags::NoRemoveDir);
        let _ = std::fs::remove_dir(path);
    } else {
        let _ = file.set_len(0);
    }
    // By word: a program that was started meanwhile may have the file open, too.
    let _ = file.unlock();
}

/// What was made for a lock that could not be taken goes, unless another program has a use for it.
fn abandon(dir: &Path) {
    let Ok(folder) = Records::at(dir).base() else { return };
    let flags = OFlag::O_RDWR | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    match openat(&folder, FILE, flags, Mode::empty()).map(File::from) {
        Ok(file) if file.try_lock().is_ok() && is_named(&folder, &file) => leave(&folder, &file, dir),
        Ok(_) => {}
        // Not empty, most likely.
        Err(_) => _ = std::fs::remove_dir(dir),
    }
}

fn tried(dir: &Path) -> String {
    format!("take the lock {}", dir.join(FILE).display())
}

/// The folder and the file, made if need be; `None` where the folder was removed in between.
fn open(dir: &Path) -> Result<Option<(OwnedFd, File)>, Error> {
    let folder = match Records::at(dir).make_base() {
        Err(e) if e.errno == Some(nix::libc::ENOENT) && dir.parent().is_some_and(Path::exists) => return Ok(None),
        folder => folder?,
    };
    // Not closed in the programs that are started: an nft that outlives a killed topo still changes something, and the
    // program that comes next waits for it.
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    match openat(&folder, FILE, flags, Mode::from_bits_truncate(0o600)) {
        Ok(file) => Ok(Some((folder, File::from(file)))),
        Err(nix::Error::ENOENT) => Ok(None),
        Err(e) => Err(Error::os(tried(dir), e as i32)),
    }
}

/// Whether the file is still the one of its name.
fn is_named(folder: &OwnedFd, file: &File) -> bool {
    let named = fstatat(folder, FILE, AtFlags::AT_SYMLINK_NOFOLLOW);
    matches!((named, file.metadata()), (Ok(named), Ok(meta)) if (named.st_dev, named.st_ino) == (meta.dev(), meta.ino()))
}

/// Who holds it, as the file says.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    // It may be just being written.
    let _ = file.rewind().and_then(|()| file.take(4096).read_to_string(&mut text));
    let name: String = text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    if name.is_empty() { "another run".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    static GO_ON: AtomicI32 = AtomicI32::new(0);

    fn dir(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("topo-lock-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        dir
    }

    #[test]
    fn a_second_one_waits_and_is_told_for_whom() {
        let dir = dir("waits");
        let first = Lock::take_at(&dir, Duration::ZERO, &GO_ON, &mut |_| {}).unwrap();
        let mut told = Vec::new();
        let error =
            Lock::take_at(&dir, Duration::from_millis(120), &GO_ON, &mut |who| told.push(who.to_owned())).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Locked);
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with(&format!("pid {}: ", std::process::id())), "{told:?}");
        assert!(error.reason.contains(&told[0]));
        drop(first);
        assert!(!dir.exists(), "nothing stays");
        drop(Lock::take_at(&dir, Duration::ZERO, &GO_ON, &mut |_| {}).unwrap());
    }

    #[test]
    fn what_was_made_in_vain_goes_unless_it_is_held() {
        let dir = dir("vain");
        let lock = Lock::take_at(&dir, Duration::ZERO, &GO_ON, &mut |_| {}).unwrap();
        abandon(&dir);
        assert!(dir.join(FILE).exists(), "it is held");
        drop(lock);
        Records::at(&dir).make_base().unwrap();
        abandon(&dir);
        assert!(!dir.exists());
        let (_folder, file) = open(&dir).unwrap().unwrap();
        drop(file);
        abandon(&dir);
        assert!(!dir.exists());
        // A topology is there.
        Records::at(&dir).make_folder(&"lab".into()).unwrap();
        drop(open(&dir).unwrap().unwrap());
        abandon(&dir);
        assert!(dir.join("lab").exists());
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn only_one_holds_it_although_the_file_comes_and_goes() {
        let dir = dir("race");
        let inside = AtomicUsize::new(0);
        let taken = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        let lock = Lock::take_at(&dir, Duration::from_secs(60), &GO_ON, &mut |_| {}).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        taken.fetch_add(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert_eq!(taken.into_inner(), 200);
        assert!(!dir.exists());
    }

    #[test]
    fn a_symbolic_link_in_its_place_is_refused() {
        let dir = dir("link");
        std::fs::create_dir(&dir).unwrap();
        std::fs::set_permissions(&dir, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", dir.join(FILE)).unwrap();
        assert!(Lock::take_at(&dir, Duration::ZERO, &GO_ON, &mut |_| {}).is_err());
        std::fs::remove_dir_all(&dir).unwrap();
        std::os::unix::fs::symlink("/etc", &dir).unwrap();
        assert_eq!(Lock::take_at(&dir, Duration::ZERO, &GO_ON, &mut |_| {}).unwrap_err().kind, ErrorKind::Taken);
        std::fs::remove_file(&dir).unwrap();
    }
}
