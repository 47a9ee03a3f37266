//! Durations, rates and percentages, as `tc` writes them.

use super::super::word::{Word, Wrong, pattern};

/// A number and the unit behind it.
fn split(text: &str) -> Option<(f64, &str)> {
    let at = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(at)?;
    let usual = number.starts_with(|c: char| c.is_ascii_digit()) && number.len() <= 15;
    usual.then(|| number.parse().ok().map(|number| (number, unit))).flatten()
}

/// A duration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Duration {
    /// In nanoseconds.
    pub nanoseconds: u64,
}

impl Duration {
    /// In hundredths of a second, where it is a whole number of them.
    pub fn centis(self) -> Option<u64> {
        self.nanoseconds.is_multiple_of(10_000_000).then_some(self.nanoseconds / 10_000_000)
    }

    /// In seconds, where it is a whole number of them.
    pub fn seconds(self) -> Option<u64> {
        self.nanoseconds.is_multiple_of(1_000_000_000).then_some(self.nanoseconds / 1_000_000_000)
    }
}

impl Word for Duration {
    const EXPECTED: &'static str = "a duration";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = || Wrong::not("bad-duration", text, "a duration");
        let (number, unit) = split(text).ok_or_else(|| wrong().help("a number and its unit: 20ms, 15s"))?;
        let scale = match unit {
            "s" | "sec" | "secs" => 1e9,
            "ms" | "msec" | "msecs" => 1e6,
            "us" | "usec" | "usecs" => 1e3,
            "ns" | "nsec" | "nsecs" => 1.0,
            "" => return Err(wrong().help(format!("write its unit: {text}s or {text}ms"))),
            _ => return Err(wrong().help("the units are s, ms, us and ns")),
        };
        let nanoseconds = (number * scale).round();
        // a year: far more than any timer here can be set to
        if nanoseconds > 3.2e16 {
            return Err(wrong().help("that is more than a year"));
        }
        Ok(Self { nanoseconds: nanoseconds as u64 })
    }

    fn schema() -> schemars::Schema {
        let mut schema = pattern("^[0-9][0-9.]*(s|secs?|ms|msecs?|us|usecs?|ns|nsecs?)$", &["15s", "20ms"]);
        schema.insert("type".to_owned(), "string".into());
        schema
    }
}

/// A rate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Rate {
    /// In bits per second.
    pub bits: u64,
}

impl Word for Rate {
    const EXPECTED: &'static str = "a rate";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = || Wrong::not("bad-rate", text, "a rate").help("a number and its unit: 10mbit, 1gbit, 500kbit, 125kbps (bytes)");
        let (number, unit) = split(text).ok_or_else(wrong)?;
        let unit = unit.to_ascii_lowercase();
        let (prefix, bytes) = match (unit.strip_suffix("bit"), unit.strip_suffix("bps")) {
            (Some(prefix), _) => (prefix, 1.0),
            (_, Some(prefix)) => (prefix, 8.0),
            _ => return Err(wrong()),
        };
        let scale = match prefix {
            "" => 1.0,
            "k" => 1e3,
            "m" => 1e6,
            "g" => 1e9,
            "t" => 1e12,
            "ki" => 1024.0,
            "mi" => 1_048_576.0,
            "gi" => 1_073_741_824.0,
            "ti" => 1_099_511_627_776.0,
            _ => return Err(wrong()),
        };
        let bits = (number * scale * bytes).round();
        if !(8.0..=1e15).contains(&bits) {
            return Err(Wrong::not("out-of-range", text, "a rate from 8bit to 1000tbit"));
        }
        Ok(Self { bits: bits as u64 })
    }

    fn schema() -> schemars::Schema {
        let mut schema = pattern("^[0-9][0-9.]*([kKmMgGtT]i?)?([bB][iI][tT]|[bB][pP][sS])$", &["10mbit", "1gbit"]);
        schema.insert("type".to_owned(), "string".into());
        schema
    }
}

/// A percentage from 0 to 100.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Percent {
    /// In millionths of a percent.
    pub micros: u64,
}

impl Word for Percent {
    const EXPECTED: &'static str = "a percentage";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = || Wrong::not("bad-percentage", text, "a percentage").help("a number from 0 to 100 and the sign: 0.5%");
        let (number, unit) = split(text).ok_or_else(wrong)?;
        if unit != "%" || number > 100.0 {
            return Err(wrong());
        }
        Ok(Self { micros: (number * 1e6).round() as u64 })
    }

    fn schema() -> schemars::Schema {
        let mut schema = pattern("^[0-9][0-9.]*%$", &["0.5%"]);
        schema.insert("type".to_owned(), "string".into());
        schema
    }
}
