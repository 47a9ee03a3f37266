//! Private keys: read from files, seen in the kernel, and kept in memory by their public keys for as long as the door
//! is open, so that what is undone gets its old key back. Nothing but a public key or the path of a file ever leaves
//! this room.

use crate::kernel::{Error, ErrorKind};
use crate::resource::{Key, decode_key};
use curve25519_dalek::MontgomeryPoint;
use nix::libc;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::sync::{Mutex, PoisonError};
use zeroize::{Zeroize, Zeroizing};

/// A file with a key is 45 bytes long; this leaves room for blanks.
const LONGEST: u64 = 4096;

/// A private or preshared key. It cannot be printed, and is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The key with these bytes; `None` where there are not 32 of them, or all are zero, which is the kernel's "none".
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let secret = Self(*bytes.first_chunk()?);
        (bytes.len() == 32 && secret.0 != [0; 32]).then_some(secret)
    }

    /// The public key that belongs to it; of a preshared key, what it is known by. Nothing can go back from it.
    pub fn public(&self) -> Key {
        Key(MontgomeryPoint::mul_base_clamped(self.0).to_bytes())
    }

    /// Its bytes, for the kernel only.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }
}

/// The keys that were seen or read, by their public keys.
#[derive(Debug, Default)]
pub struct Keys(Mutex<HashMap<Key, Secret>>);

impl Keys {
    /// Keeps a key; its public key.
    pub fn keep(&self, secret: Secret) -> Key {
        keep_memory_private();
        let key = secret.public();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, secret);
        key
    }

    /// The private key of `key`: one that was seen or read before, else what `file` has.
    ///
    /// # Errors
    ///
    /// If the key is neither known nor in `file`.
    pub fn secret(&self, key: Key, file: Option<&str>) -> Result<Secret, Error> {
        if let Some(secret) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(secret.clone());
        }
        let tried = format!("find the private key of {key}");
        let Some(path) = file else {
            let error = Error::new(
                ErrorKind::File,
                tried,
                "it is not available any more: topo keeps no keys, and knows of no file with it",
            );
            return Err(error.help("put the key back into a file, name it in the topology, and apply that"));
        };
        let secret = read(path)?.secret;
        if secret.public() == key {
            return Ok(secret);
        }
        let error =
            Error::new(ErrorKind::File, tried, format!("{path:?} has another key now, that of {}", secret.public()));
        Err(error.help("put the old key back into that file, or make the plan again"))
    }
}

/// From now on no dump of this process is written, and nothing but root reads its memory (PR_SET_DUMPABLE(2const)):
/// there are keys in it. Programs that it starts are as they would be without this.
fn keep_memory_private() {
    // It cannot fail with this argument.
    let _ = nix::sys::prctl::set_dumpable(false);
}

/// A key as it was read.
pub struct FileKey {
    /// The key.
    pub secret: Secret,
    /// Whether others than the file's owner can read it.
    pub exposed: bool,
}

/// Reads a file with a key. What it says is in no error: it may be any file of the machine.
///
/// # Errors
///
/// If the file cannot be read or holds no key.
pub fn read(path: &str) -> Result<FileKey, Error> {
    keep_memory_private();
    let tried = || format!("read the key in {path:?}");
    let failed = |e: std::io::Error| {
        let error = Error::io(tried(), &e);
        match e.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => {
                Error { kind: ErrorKind::File, ..error }.help(format!("make it with: {}", make(path)))
            }
            _ => Error { kind: ErrorKind::File, ..error },
        }
    };
    // Whatever else has that name, nothing waits for it.
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    let wrong = |what: &str| {
        Error::new(ErrorKind::File, tried(), what)
            .help(format!("a key is 44 characters of base64, such as this makes: {}", make(path)))
    };
    if !meta.is_file() {
        return Err(wrong("it is no plain file"));
    }
    // Room for all of it at once: what grows leaves copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    file.take(LONGEST).read_to_end(&mut text).map_err(failed)?;
    let mut bytes = Zeroizing::new([0; 32]);
    if !decode_key(text.trim_ascii(), &mut bytes) {
        return Err(wrong("there is no key in it"));
    }
    let secret = Secret::of(bytes.as_slice()).ok_or_else(|| wrong("the key in it is all zero, which is none"))?;
    Ok(FileKey { secret, exposed: meta.mode() & 0o044 != 0 })
}

/// How a key file is made.
fn make(path: &str) -> String {
    let program = if path.ends_with(".psk") { "genpsk" } else { "genkey" };
    format!("(umask 077; wg {program} > {})", crate::resource::quote(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pair that openssl made.
    const PRIVATE: &str = "GORr1Q0tm4ucCOzNIVonf4uQh2ZyInp/KlJAnYemtFA=";
    const PUBLIC: &str = "kAnClkjGvu2EUseui9JoQSuub/n0jGTyOSFtB0GlrEc=";

    fn file(name: &str, text: &str) -> String {
        let path = std::env::temp_dir().join(format!("topo-key-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }

    #[test]
    fn a_public_key_follows_from_a_private_one() {
        let path = file("good", &format!("{PRIVATE}\n"));
        let found = read(&path).unwrap();
        assert_eq!(found.secret.public().to_string(), PUBLIC);
        assert!(found.exposed, "a file that others can read");
        let keys = Keys::default();
        let key = found.secret.public();
        assert_eq!(keys.secret(key, Some(&path)).unwrap().bytes(), found.secret.bytes());
        assert!(keys.secret(key, None).unwrap_err().to_string().contains("it is not available any more"));
        keys.keep(found.secret.clone());
        assert_eq!(keys.secret(key, None).unwrap().bytes(), found.secret.bytes());
        assert!(keys.secret(Key([9; 32]), Some(&path)).unwrap_err().to_string().contains(PUBLIC));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_is_no_key_is_told_without_what_it_says() {
        for text in [
            "",
            "root:hunter2:1:1",
            &PRIVATE[1..],
            &format!("{PRIVATE}{PRIVATE}"),
            &"A".repeat(10_000),
            &format!("{}=", "A".repeat(43)),
        ] {
            let path = file("bad", text);
            let error = read(&path).map(|_| ()).unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(!told.contains("hunter2") && !told.contains(&PRIVATE[1..20]), "{told}");
            std::fs::remove_file(path).unwrap();
        }
        assert!(read("/dev/zero").is_err());
        assert!(read("/").is_err());
        assert!(read("/nowhere/a.key").map(|_| ()).unwrap_err().help.unwrap().contains("wg genkey"));
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::of(&[7; 32]).unwrap();
        let keys = Keys::default();
        keys.keep(secret.clone());
        assert_eq!(format!("{secret:?}"), "a secret");
        assert!(!format!("{keys:?}").contains("7, 7"));
        assert!(Secret::of(&[0; 32]).is_none() && Secret::of(&[1; 31]).is_none() && Secret::of(&[1; 33]).is_none());
    }
}
