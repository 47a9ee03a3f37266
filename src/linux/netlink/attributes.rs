//! Netlink attributes (type, length, value): written, and read without trusting what comes.
//!
//! All numbers are in the machine's byte order unless the name says `be`. Layout: `struct nlattr` of
//! `include/uapi/linux/netlink.h`, each value padded to four bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use zeroize::Zeroize;

/// Length of an attribute's head.
const HEAD: usize = 4;
/// `NLA_F_NESTED`: the value is attributes again.
const NESTED: u16 = 1 << 15;
/// All bits of the type that are not flags (`NLA_TYPE_MASK`).
const TYPE_MASK: u16 = 0x3fff;

/// `length` rounded up to four.
pub fn padded(length: usize) -> usize {
    length.saturating_add(3) & !3
}

/// A message body under construction: a fixed head, then attributes.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// A body that begins with `head`.
    pub fn new(head: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(head);
        bytes.resize(padded(bytes.len()), 0);
        Self { bytes }
    }

    /// The body.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Overwrites what was written, which had a key in it.
    pub fn wipe(&mut self) {
        self.bytes.zeroize();
    }

    /// An attribute with these bytes. A value that is too long for an attribute (65531 bytes) is cut, which no caller
    /// comes near.
    pub fn put(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        let value = value.get(..usize::from(u16::MAX) - HEAD).unwrap_or(value);
        let length = u16::try_from(value.len() + HEAD).unwrap_or(u16::MAX);
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.resize(padded(self.bytes.len()), 0);
        self
    }

    /// A number of 8 bits.
    pub fn u8(&mut self, kind: u16, value: u8) -> &mut Self {
        self.put(kind, &[value])
    }

    /// A number of 16 bits.
    pub fn u16(&mut self, kind: u16, value: u16) -> &mut Self {
        self.put(kind, &value.to_ne_bytes())
    }

    /// A number of 32 bits.
    pub fn u32(&mut self, kind: u16, value: u32) -> &mut Self {
        self.put(kind, &value.to_ne_bytes())
    }

    /// A number of 32 bits, the highest byte first.
    pub fn be32(&mut self, kind: u16, value: u32) -> &mut Self {
        self.put(kind, &value.to_be_bytes())
    }

    /// A number of 64 bits, the highest byte first.
    pub fn be64(&mut self, kind: u16, value: u64) -> &mut Self {
        self.put(kind, &value.to_be_bytes())
    }

    /// A text with its NUL.
    pub fn text(&mut self, kind: u16, value: &str) -> &mut Self {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.put(kind, &bytes)
    }

    /// An address of either family.
    pub fn ip(&mut self, kind: u16, value: IpAddr) -> &mut Self {
        match value {
            IpAddr::V4(ip) => self.put(kind, &ip.octets()),
            IpAddr::V6(ip) => self.put(kind, &ip.octets()),
        }
    }

    /// An attribute whose value is attributes that were written before.
    pub fn nested(&mut self, kind: u16, attributes: &[u8]) -> &mut Self {
        self.put(kind | NESTED, attributes)
    }

    /// An attribute whose value `write` writes as attributes.
    pub fn nest(&mut self, kind: u16, write: impl FnOnce(&mut Self)) -> &mut Self {
        self.nest_after(kind, &[], write)
    }

    /// The same, with a fixed head before the inner attributes.
    pub fn nest_after(&mut self, kind: u16, head: &[u8], write: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inner = Self::new(head);
        write(&mut inner);
        self.put(kind | NESTED, &inner.bytes);
        inner.wipe();
        self
    }
}

/// Attributes as they came. Reading stops at the first that is malformed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attributes<'a>(pub &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16_at(self.0, 0)?);
        let kind = u16_at(self.0, 2)? & TYPE_MASK;
        let value = self.0.get(HEAD..length)?;
        self.0 = self.0.get(padded(length)..).unwrap_or_default();
        Some((kind, value))
    }
}

impl<'a> Attributes<'a> {
    /// The attributes behind a fixed head of `length` bytes.
    pub fn after(body: &'a [u8], length: usize) -> Self {
        Self(body.get(padded(length)..).unwrap_or_default())
    }

    /// The value of the first attribute of this type.
    pub fn get(self, kind: u16) -> Option<&'a [u8]> {
        let mut all = self;
        all.find(|(k, _)| *k == kind).map(|(_, value)| value)
    }

    /// The attributes inside it; none where it is not there.
    pub fn inner(self, kind: u16) -> Self {
        Self(self.get(kind).unwrap_or_default())
    }

    /// A number of 8 bits.
    pub fn u8(self, kind: u16) -> Option<u8> {
        self.get(kind)?.first().copied()
    }

    /// A number of 16 bits.
    pub fn u16(self, kind: u16) -> Option<u16> {
        u16_at(self.get(kind)?, 0)
    }

    /// A number of 32 bits.
    pub fn u32(self, kind: u16) -> Option<u32> {
        u32_at(self.get(kind)?, 0)
    }

    /// A signed number of 32 bits.
    pub fn i32(self, kind: u16) -> Option<i32> {
        self.u32(kind).map(u32::cast_signed)
    }

    /// A text, up to its NUL. What is not UTF-8 is replaced.
    pub fn text(self, kind: u16) -> Option<String> {
        self.get(kind).map(text)
    }

    /// An address, its family derived from its length.
    pub fn ip(self, kind: u16) -> Option<IpAddr> {
        ip(self.get(kind)?)
    }
}

/// A text up to its NUL.
pub fn text(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// An address, its family derived from its length.
pub fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(v4).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|v6| Ipv6Addr::from(v6).into())
}

/// The byte at `at`.
pub fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// The 16 bits at `at`.
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_ne_bytes(*chunk))
}

/// The 32 bits at `at`.
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_ne_bytes(*chunk))
}

/// The 64 bits at `at`.
pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_ne_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let mut writer = Writer::new(&[1, 2, 3, 4, 5]);
        writer.u8(1, 7).text(2, "eth0").u32(3, 0x7400_0000).nest(4, |inner| {
            inner.u16(1, 513);
            inner.ip(2, IpAddr::from([10, 0, 0, 1]));
        });
        let read = Attributes::after(writer.bytes(), 5);
        assert_eq!((read.u8(1), read.text(2).as_deref(), read.u32(3)), (Some(7), Some("eth0"), Some(0x7400_0000)));
        assert_eq!(
            (read.inner(4).get(1).and_then(|value| u16_at(value, 0)), read.inner(4).ip(2)),
            (Some(513), Some(IpAddr::from([10, 0, 0, 1])))
        );
        assert_eq!((read.u8(9), read.u32(1), read.ip(2)), (None, None, None));
        assert_eq!(writer.bytes().len() % 4, 0);
    }

    #[test]
    fn every_truncation_is_survived() {
        let mut writer = Writer::new(&[0; 16]);
        writer.text(3, "a").nest(18, |inner| {
            inner.text(1, "bridge").nest(2, |data| {
                data.u32(1, 1500);
            });
        });
        for cut in 0..writer.bytes().len() {
            let read = Attributes::after(&writer.bytes()[..cut], 16);
            let _ = (read.text(3), read.inner(18).inner(2).u32(1), read.count());
        }
    }

    #[test]
    fn lengths_that_lie_end_the_reading() {
        for length in [0_u16, 1, 3, 200, u16::MAX] {
            let mut bytes = length.to_ne_bytes().to_vec();
            bytes.extend([1, 0, 9, 9, 9, 9]);
            assert!(Attributes(&bytes).count() <= 1);
        }
    }
}
