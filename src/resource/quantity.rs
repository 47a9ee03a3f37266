//! Shares, rates and times as the kernel counts them, shown as a user writes them.
//!
//! What is shown, written into a file again, gives the very same number: nothing that is read back differs from what
//! was written.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A share of all packets: 0 is none, `u32::MAX` all of them (`netem`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Share(pub u32);

impl Share {
    /// The share that is nearest to `digits` / 10^`decimals` percent; `None` above 100 percent.
    pub fn of_percent(digits: u128, decimals: u32) -> Option<Self> {
        let whole = 10_u128.checked_pow(decimals)?.checked_mul(100)?;
        let scaled = digits.checked_mul(u128::from(u32::MAX))?;
        u32::try_from(rounded(scaled, whole)?).ok().filter(|_| digits <= whole).map(Self)
    }
}

impl fmt::Display for Share {
    /// The shortest percentage that means it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Ten digits behind the point tell all shares apart.
        for decimals in 0..=10 {
            let scale = 10_u128.pow(decimals);
            let digits = rounded(u128::from(self.0) * 100 * scale, u128::from(u32::MAX)).unwrap_or(0);
            if Self::of_percent(digits, decimals) == Some(*self) {
                return write!(f, "{}%", decimal(digits, scale));
            }
        }
        write!(f, "{}/{}", self.0, u32::MAX)
    }
}

/// `number` / `by`, rounded half up.
fn rounded(number: u128, by: u128) -> Option<u128> {
    number.checked_add(by / 2)?.checked_div(by)
}

/// `number` / `scale` without zeros at its end; `scale` is a power of ten.
fn decimal(number: u128, scale: u128) -> String {
    let (whole, rest) = (number / scale.max(1), number % scale.max(1));
    if rest == 0 {
        return whole.to_string();
    }
    let width = scale.checked_ilog10().unwrap_or(0) as usize;
    format!("{whole}.{}", format!("{rest:0width$}").trim_end_matches('0'))
}

/// `number` in the largest of `units` of which there is one or more, the largest unit first.
fn in_units(number: u128, units: &[(&str, u128)]) -> String {
    let unit = units.iter().find(|(_, scale)| number >= *scale).or(units.last());
    unit.map_or_else(|| number.to_string(), |(name, scale)| format!("{}{name}", decimal(number, *scale)))
}

/// `number` in the largest of `units` of which it is a whole number.
fn in_whole_units(number: u128, units: &[(&str, u128)]) -> String {
    let unit = units.iter().find(|(_, scale)| number >= *scale && number.is_multiple_of(*scale)).or(units.last());
    unit.map_or_else(|| number.to_string(), |(name, scale)| format!("{}{name}", number / scale))
}

/// A rate in bytes per second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct ByteRate(pub u64);

impl ByteRate {
    const UNITS: [(&'static str, u128); 5] =
        [("tbit", 1_000_000_000_000), ("gbit", 1_000_000_000), ("mbit", 1_000_000), ("kbit", 1_000), ("bit", 1)];

    /// With a whole number, which no program rounds.
    pub fn whole(self) -> String {
        in_whole_units(u128::from(self.0) * 8, &Self::UNITS)
    }
}

impl fmt::Display for ByteRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&in_units(u128::from(self.0) * 8, &Self::UNITS))
    }
}

/// A time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Nanoseconds(pub u64);

impl Nanoseconds {
    const UNITS: [(&'static str, u128); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

    /// As `tc` reads it: it has no word for nanoseconds, and cuts what is left of one after it has multiplied, so that
    /// half of one makes the rest safe. That of iproute2 6.1 counts in 64 ns, whatever is written.
    pub fn for_tc(self) -> String {
        match (self.0, self.0 % 1_000) {
            (0, _) => "0ms".to_owned(),
            (time, 0) => in_whole_units(u128::from(time), &Self::UNITS),
            (time, rest) => format!("{}.{rest:03}5us", time / 1_000),
        }
    }
}

impl fmt::Display for Nanoseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("0ms") } else { f.write_str(&in_units(u128::from(self.0), &Self::UNITS)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_read_as_they_are_written() {
        let share = |digits, decimals| Share::of_percent(digits, decimals).unwrap().to_string();
        assert_eq!(
            (share(5, 1), share(100, 0), share(0, 0), share(12345, 4)),
            ("0.5%".into(), "100%".into(), "0%".into(), "1.2345%".into())
        );
        assert_eq!(Share::of_percent(100, 0), Some(Share(u32::MAX)));
        assert_eq!(
            (Share::of_percent(101, 0), Share::of_percent(u128::MAX, 0), Share::of_percent(1, 60)),
            (None, None, None)
        );
        assert_eq!(
            [20_000_000, 1_500_000, 1, 2_500_000_000, 0].map(|time| Nanoseconds(time).to_string()),
            ["20ms", "1.5ms", "1ns", "2.5s", "0ms"].map(str::to_owned)
        );
        assert_eq!(
            [1_500_000, 1_000_001, 0].map(|time| Nanoseconds(time).for_tc()),
            ["1500us", "1000.0015us", "0ms"].map(str::to_owned)
        );
        assert_eq!(
            [1_250_000, 187_500, 1, 125_000_000_000].map(|rate| ByteRate(rate).to_string()),
            ["10mbit", "1.5mbit", "8bit", "1tbit"].map(str::to_owned)
        );
        assert_eq!((ByteRate(187_500).whole(), ByteRate(0).whole()), ("1500kbit".into(), "0bit".into()));
    }

    #[test]
    fn every_share_has_a_percentage_of_its_own() {
        let mut share = 1_u32;
        for _ in 0..20_000 {
            share = share.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            for share in [share, share >> 7, share >> 19, u32::MAX - (share >> 20)] {
                let text = Share(share).to_string();
                let number = text.strip_suffix('%').unwrap();
                let decimals = number.split_once('.').map_or(0, |(_, rest)| rest.len());
                let digits = number.replace('.', "").parse().unwrap();
                assert_eq!(Share::of_percent(digits, decimals as u32), Some(Share(share)), "{text}");
            }
        }
    }
}
