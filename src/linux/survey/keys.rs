//! Private keys on their way from the kernel into files.

use crate::kernel::Error;
use crate::linux::secret::Keys;
use crate::resource::Key;
use base64ct::{Base64, Encoding};
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// Writes the secret of `key`, which was seen, into a new file of `folder` that only its owner can read.
///
/// # Errors
///
/// If the key was not seen, or the folder or the file cannot be made. A file that is there is not written over unless
/// it has the same key.
pub fn write(keys: &Keys, key: Key, folder: &Path, name: &str) -> Result<(), Error> {
    let secret = keys.secret(key, None)?;
    let tried = |what: &Path| format!("write {}", what.display());
    if !folder.is_dir() {
        DirBuilder::new().mode(0o700).create(folder).map_err(|e| Error::io(tried(folder), &e))?;
    }
    let path = folder.join(name);
    let mut text = Zeroizing::new([0_u8; 45]);
    let encoded = Base64::encode(secret.bytes(), text.as_mut_slice()).map(str::len).unwrap_or_default();
    let text = [text.get(..encoded).unwrap_or_default(), b"\n"].concat();
    let text = Zeroizing::new(text);
    if let Ok(there) = std::fs::read(&path).map(Zeroizing::new)
        && *there == *text
    {
        return Ok(());
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(|e| Error::io(tried(&path), &e))?;
    file.write_all(&text).map_err(|e| Error::io(tried(&path), &e))
}
