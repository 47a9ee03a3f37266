//! Public keys of WireGuard. Nothing of a private key is ever in this room.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Length of a key in base64.
const TEXT: usize = 44;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

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

/// Reads 32 bytes of base64 into `into`, without a copy elsewhere; whether it is that. Bits behind the last byte must
/// be zero, as in the kernel's and wg's reading.
pub fn decode(text: &[u8], into: &mut [u8; 32]) -> bool {
    let Some((text, [b'='])) = text.split_at_checked(TEXT - 1) else { return false };
    let mut bytes = into.iter_mut();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for letter in text {
        let Some(value) = value(*letter) else { return false };
        held = (held << 6) | value;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            let Some(byte) = bytes.next() else { return false };
            *byte = u8::try_from((held >> bits) & 0xff).unwrap_or(0);
            held &= (1 << bits) - 1;
        }
    }
    bytes.next().is_none() && held == 0
}

/// What a letter of base64 stands for. By arithmetic, not by a table: the place in a table could be seen from outside.
fn value(letter: u8) -> Option<u32> {
    let value = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(TEXT);
        for chunk in self.0.chunks(3) {
            let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for at in 0..=chunk.len() {
                let letter = ALPHABET.get((bits >> (18 - 6 * at)) as usize & 63).copied().unwrap_or(b'=');
                text.push(char::from(letter));
            }
        }
        text.push('=');
        f.write_str(&text)
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
