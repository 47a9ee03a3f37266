//! Durations, rates and percentages, as `tc` writes them.

use crate::document::yaml::word::{Word, Wrong, pattern};
use crate::resource::Share;

/// A decimal number, exactly: its digits, and how many of them are behind the point.
#[derive(Clone, Copy)]
struct Decimal {
    digits: u128,
    decimals: u32,
}

impl Decimal {
    /// The whole number that is nearest to it `scale` times; the largest there is where it is more.
    fn times(self, scale: u64) -> u64 {
        let one = 10_u128.saturating_pow(self.decimals);
        u64::try_from((self.digits.saturating_mul(u128::from(scale)).saturating_add(one / 2)) / one.max(1))
            .unwrap_or(u64::MAX)
    }
}

/// A number and the unit behind it.
fn split(text: &str) -> Option<(Decimal, &str)> {
    let at = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(at)?;
    let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
    let usual = !whole.is_empty() && !rest.contains('.') && number.len() <= 18;
    let digits = format!("{whole}{rest}").parse().ok().filter(|_| usual)?;
    Some((Decimal { digits, decimals: u32::try_from(rest.len()).ok()? }, unit))
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
            "s" | "sec" | "secs" => 1_000_000_000,
            "ms" | "msec" | "msecs" => 1_000_000,
            "us" | "usec" | "usecs" => 1_000,
            "ns" | "nsec" | "nsecs" => 1,
            "" => return Err(wrong().help(format!("write its unit: {text}s or {text}ms"))),
            _ => return Err(wrong().help("the units are s, ms, us and ns")),
        };
        let nanoseconds = number.times(scale);
        // a year: far more than any timer here can be set to
        if nanoseconds > 32_000_000_000_000_000 {
            return Err(wrong().help("that is more than a year"));
        }
        Ok(Self { nanoseconds })
    }

    fn schema() -> schemars::Schema {
        let mut schema = pattern("^[0-9][0-9.]*(s|secs?|ms|msecs?|us|usecs?|ns|nsecs?)$", &["15s", "20ms"]);
        schema.insert("type".to_owned(), "string".into());
        schema
    }
}

/// A duration that may be a plain number: of so many nanoseconds, the unit that `ip`, `wg` and netplan have for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Counted<const UNIT: u64>(Duration);

/// A duration that is counted in milliseconds where no unit is written.
pub type Milliseconds = Counted<1_000_000>;

/// A duration that is counted in seconds where no unit is written.
pub type Seconds = Counted<1_000_000_000>;

impl<const UNIT: u64> std::ops::Deref for Counted<UNIT> {
    type Target = Duration;

    fn deref(&self) -> &Duration {
        &self.0
    }
}

impl<const UNIT: u64> Word for Counted<UNIT> {
    const EXPECTED: &'static str = Duration::EXPECTED;

    fn parse(text: &str) -> Result<Self, Wrong> {
        let unit = if UNIT == 1_000_000 { "ms" } else { "s" };
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if plain { Duration::parse(&format!("{text}{unit}")).map(Self) } else { Duration::parse(text).map(Self) }
    }

    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [Duration::schema(), { "type": "integer", "minimum": 0 }, { "type": "string", "pattern": "^[0-9]+$" }] })
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
        let wrong = || {
            Wrong::not("bad-rate", text, "a rate")
                .help("a number and its unit: 10mbit, 1gbit, 500kbit, 125kbps (bytes)")
        };
        let (number, unit) = split(text).ok_or_else(wrong)?;
        let unit = unit.to_ascii_lowercase();
        let (prefix, bytes) = match (unit.strip_suffix("bit"), unit.strip_suffix("bps")) {
            (Some(prefix), _) => (prefix, 1),
            (_, Some(prefix)) => (prefix, 8),
            _ => return Err(wrong()),
        };
        let scale = match prefix {
            "" => 1,
            "k" => 1_000,
            "m" => 1_000_000,
            "g" => 1_000_000_000,
            "t" => 1_000_000_000_000,
            "ki" => 1024,
            "mi" => 1_048_576,
            "gi" => 1_073_741_824,
            "ti" => 1_099_511_627_776,
            _ => return Err(wrong()),
        };
        let bits = number.times(scale * bytes);
        if !(8..=1_000_000_000_000_000).contains(&bits) {
            return Err(Wrong::not("out-of-range", text, "a rate from 8bit to 1000tbit"));
        }
        Ok(Self { bits })
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
    /// As the kernel counts it.
    pub share: Share,
}

impl Word for Percent {
    const EXPECTED: &'static str = "a percentage";

    fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong =
            || Wrong::not("bad-percentage", text, "a percentage").help("a number from 0 to 100 and the sign: 0.5%");
        let (number, unit) = split(text).ok_or_else(wrong)?;
        let share = Share::of_percent(number.digits, number.decimals).filter(|_| unit == "%").ok_or_else(wrong)?;
        if share == Share(0) && number.digits > 0 {
            let message = format!("{text:?} is less than the kernel can count");
            return Err(Wrong::new("out-of-range", message).help(format!("the least is {}", Share(1))));
        }
        Ok(Self { share })
    }

    fn schema() -> schemars::Schema {
        let mut schema = pattern("^[0-9][0-9.]*%$", &["0.5%"]);
        schema.insert("type".to_owned(), "string".into());
        schema
    }
}
