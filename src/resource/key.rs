//! Public keys of WireGuard. Nothing of a private key is ever in this room.

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Length of a key in base64.
const TEXT: usize = 44;

/// A public key (X25519), written as 44 characters of base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(pub [u8; 32]);

impl Key {
    /// Reads `xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut key = Self([0; 32]);
        decode(text.as_bytes(), &mut key.0).then_some(key)
    }
}

/// Reads 32 bytes of base64 into `into`, in constant time and without a copy elsewhere; whether it is that. Bits behind
/// the last byte must be zero, as the kernel and wg want them. Of what is no key, `into` may hold a part.
pub fn decode(text: &[u8], into: &mut [u8; 32]) -> bool {
    text.len() == TEXT && Base64::decode(text, into).is_ok_and(|bytes| bytes.len() == 32)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; TEXT];
        f.write_str(Base64::encode(&self.0, &mut text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Key {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        // What is no public key might be a private one: it is not repeated.
        Self::parse(&text).ok_or("this is not a public key")
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_known_key_is_read_and_written() {
        let text = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
        let key = Key::parse(text).unwrap();
        assert_eq!((key.0[0], key.0[1], key.0[31]), (0xc5, 0x32, 0x38));
        assert_eq!(key.to_string(), text);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let good = Key([7; 32]).to_string();
        for bad in [
            "",
            "=",
            &good[1..],
            &format!("{good}="),
            &good.replace('=', "A"),
            &format!("{}B=", &good[..42]),
            &good.replace('c', " "),
            &"é".repeat(22),
        ] {
            assert_eq!(Key::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn keys_come_back_as_they_went(bytes in any::<[u8; 32]>()) {
            prop_assert_eq!(Key::parse(&Key(bytes).to_string()), Some(Key(bytes)));
        }
    }
}
