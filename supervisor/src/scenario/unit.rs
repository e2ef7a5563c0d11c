//! Quantities with a unit: `8s`, `64KiB`, `2%`, `200/s`.
//!
//! A number is never without its unit, and a unit never stands for two things. The parsers here know text only; where
//! it stood in a file is the business of whoever reads the file.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::system::faults::ClockFault;

/// The units of time with their length in nanoseconds, the longest first.
const TIME_UNITS: [(&str, u128); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// The units of size with their length in bytes, the longest first.
const SIZE_UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// The longest duration of the format, a week: it keeps every sum of a plan far from an overflow.
pub const DURATION_MAX: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Why a text is not a quantity. It says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct NotAQuantity(String);

fn refuse<T>(why: impl Into<String>) -> Result<T, NotAQuantity> {
    Err(NotAQuantity(why.into()))
}

/// Splits `250ms` into `250` and `ms`.
fn split_unit(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
    text.split_at(end)
}

/// Reads a duration: a whole number and one of `h`, `m`, `s`, `ms`, `us`, `ns`.
///
/// # Errors
/// If the unit is missing or unknown, the number is not whole, or the duration exceeds [`DURATION_MAX`].
pub fn parse_duration(text: &str) -> Result<Duration, NotAQuantity> {
    let (number, unit) = split_unit(text);
    if number.is_empty() || number.starts_with('_') {
        return refuse(format!("`{text}` is not a duration; write a number with a unit, e.g. 8s"));
    }
    if unit.is_empty() {
        return refuse(format!("`{text}` has no unit; write a unit, e.g. {number}s"));
    }
    let Some((_, nanos)) = TIME_UNITS.iter().find(|(name, _)| *name == unit) else {
        return refuse(format!(
            "`{unit}` is not a unit of time; use one of h, m, s, ms, us, ns, e.g. {number}s"
        ));
    };
    let Ok(number) = number.replace('_', "").parse::<u64>() else {
        return refuse(format!("`{number}` is not a whole number; use a smaller unit, e.g. 1500ms"));
    };
    let nanos = u128::from(number) * nanos;
    if nanos > DURATION_MAX.as_nanos() {
        return refuse(format!("`{text}` is too long; at most {}", Time(DURATION_MAX)));
    }
    Ok(Duration::from_nanos_u128(nanos))
}

/// A time as the format writes it: the longest unit that leaves a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let fits = |(_, length): &&(&str, u128)| nanos.is_multiple_of(*length);
        let (unit, length) = match nanos {
            0 => ("s", 1),
            _ => *TIME_UNITS.iter().find(fits).expect("every duration is a whole number of nanoseconds"),
        };
        f.pad(&format!("{}{unit}", nanos / length))
    }
}

/// Reads a size: a whole number and one of `B`, `KiB`, `MiB`, `GiB`.
///
/// # Errors
/// If the unit is missing or unknown, or the number is not whole or too large.
pub fn parse_size(text: &str) -> Result<u64, NotAQuantity> {
    let (number, unit) = split_unit(text);
    if unit.is_empty() && !number.is_empty() {
        return refuse(format!("`{text}` has no unit; write a unit, e.g. {number}B"));
    }
    let Some((_, bytes)) = SIZE_UNITS.iter().find(|(name, _)| *name == unit) else {
        return refuse(format!("`{text}` is not a size; use one of B, KiB, MiB, GiB, e.g. 64KiB"));
    };
    let whole = number.replace('_', "").parse::<u64>().ok();
    match whole.and_then(|number| number.checked_mul(*bytes)) {
        Some(bytes) => Ok(bytes),
        None => refuse(format!("`{text}` is not a whole number of bytes that fits into 64 bits")),
    }
}

/// A size as the format writes it: the largest unit that leaves a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, length): &&(&str, u64)| self.0.is_multiple_of(*length);
        let (unit, length) = match self.0 {
            0 => ("B", 1),
            _ => *SIZE_UNITS.iter().find(fits).expect("every size is a whole number of bytes"),
        };
        f.pad(&format!("{}{unit}", self.0 / length))
    }
}

/// Reads a share: `80%`, or `0.80`.
///
/// # Errors
/// If it is neither, or not between 0 and 1.
pub fn parse_ratio(text: &str) -> Result<f64, NotAQuantity> {
    let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let digits = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match number.parse::<f64>() {
        Ok(number) if digits && number / scale <= 1.0 => Ok(number / scale),
        _ => refuse(format!("`{text}` is not a share of the whole; write e.g. 0.80 or 80%")),
    }
}

/// A number of operations in each second, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    /// How many in a second; at least 1.
    pub per_second: u32,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.per_second)
    }
}

impl FromStr for Rate {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, NotAQuantity> {
        let (number, unit) = split_unit(text);
        if number.is_empty() || unit != "/s" {
            let number = if number.is_empty() { "200" } else { number };
            return refuse(format!("`{text}` is not a rate; write operations per second, e.g. {number}/s"));
        }
        match number.replace('_', "").parse::<u32>() {
            Ok(per_second @ 1..) => Ok(Self { per_second }),
            _ => refuse(format!("`{text}` is not a rate; the number must be whole and at least 1")),
        }
    }
}

/// A time forward or backward, in whole milliseconds: `30s`, `-250ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offset {
    /// How far; negative: backward.
    pub ms: i64,
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.ms {
            ..0 => "-",
            _ if f.sign_plus() => "+",
            _ => "",
        };
        write!(f, "{sign}{}", Time(Duration::from_millis(self.ms.unsigned_abs())))
    }
}

impl FromStr for Offset {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, NotAQuantity> {
        let (sign, number) = match text.strip_prefix('-') {
            Some(number) => (-1, number),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let duration = parse_duration(number)?;
        if duration.subsec_nanos() % 1_000_000 != 0 {
            return refuse(format!("`{text}` is not a whole number of milliseconds"));
        }
        let ms = i64::try_from(duration.as_millis()).expect("a duration is at most a week");
        Ok(Self { ms: sign * ms })
    }
}

/// How much faster a clock runs than it should: `20%`, `-5%`, `300ppm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drift {
    /// In parts per million; negative: slower. From [`Drift::MIN`] to [`Drift::MAX`].
    pub ppm: i32,
}

impl Drift {
    /// A tenth of the right speed.
    pub const MIN: i32 = ClockFault::DRIFT_MIN;
    /// Ten times the right speed.
    pub const MAX: i32 = ClockFault::DRIFT_MAX;
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if f.sign_plus() && self.ppm >= 0 { "+" } else { "" };
        match self.ppm {
            ppm if ppm % 10_000 == 0 => write!(f, "{sign}{}%", ppm / 10_000),
            ppm => write!(f, "{sign}{ppm}ppm"),
        }
    }
}

impl FromStr for Drift {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, NotAQuantity> {
        let scales = [("%", 10_000), ("ppm", 1)];
        let scaled = scales.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, *scale)));
        let ppm = scaled.and_then(|(number, scale)| number.parse::<i32>().ok()?.checked_mul(scale));
        match ppm {
            Some(0) => refuse(format!("`{text}` is no drift; leave the field out")),
            Some(ppm @ Self::MIN..=Self::MAX) => Ok(Self { ppm }),
            Some(_) => refuse(format!("`{text}` is out of range; at least -90%, at most 900%")),
            None => refuse(format!("`{text}` is not a drift; write a whole number, e.g. 20%, -5% or 300ppm")),
        }
    }
}

/// A number of bytes in each second, at least one: `64KiB/s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bandwidth {
    /// How many in a second.
    pub bytes_per_second: NonZeroU64,
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", Size(self.bytes_per_second.get()))
    }
}

impl FromStr for Bandwidth {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, NotAQuantity> {
        let Some(size) = text.strip_suffix("/s") else {
            return refuse(format!("`{text}` is not a bandwidth; write bytes per second, e.g. 64KiB/s"));
        };
        match NonZeroU64::new(parse_size(size)?) {
            Some(bytes_per_second) => Ok(Self { bytes_per_second }),
            None => refuse(format!("`{text}` lets nothing through; use `hold`")),
        }
    }
}

/// The parts of which a [`Chance`] is some.
const CHANCE_PARTS: u32 = 1_000_000;

/// A probability above 0, in parts of a million: `2%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chance(NonZeroU32);

impl Chance {
    /// Certainty.
    pub const ALWAYS: Self = Self(NonZeroU32::new(CHANCE_PARTS).expect("a million is not 0"));

    /// So many parts of a million; `None` if that is not 1 to 1 000 000.
    #[must_use]
    pub fn of_million(parts: u32) -> Option<Self> {
        NonZeroU32::new(parts).map(Self).filter(|chance| *chance <= Self::ALWAYS)
    }

    /// How many parts of a million: 1 to 1 000 000.
    #[must_use]
    pub fn per_million(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0.get()) / f64::from(CHANCE_PARTS / 100))
    }
}

impl FromStr for Chance {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, NotAQuantity> {
        let (whole, fraction) = text.strip_suffix('%').map_or((text, None), |number| {
            number.split_once('.').map_or((number, Some("")), |(whole, fraction)| (whole, Some(fraction)))
        });
        // Four digits behind the point of a percentage are millionths.
        let parts = fraction.filter(|fraction| fraction.len() <= 4).and_then(|fraction| {
            let digits = format!("{whole}{fraction:0<4}");
            let are_digits = !whole.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<u32>().ok().filter(|_| are_digits)
        });
        match parts.and_then(Self::of_million) {
            Some(chance) => Ok(chance),
            None => refuse(format!("`{text}` is not a chance; write a percentage above 0, e.g. 2% or 0.5%")),
        }
    }
}

/// Serde for a [`Duration`] with its unit; for `#[serde(with = "…")]`.
pub(crate) mod duration {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Time(*duration))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        parse_duration(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Serde for a duration that may be absent, which is written as `null`.
pub(crate) mod optional_duration {
    use super::*;

    #[expect(clippy::ref_option, reason = "serde's `with` hands out a reference to the field")]
    pub(crate) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration.map(|duration| Time(duration).to_string()).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| parse_duration(&text)).transpose().map_err(de::Error::custom)
    }
}

/// Serde for a number of bytes with its unit.
pub(crate) mod size {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(bytes: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Size(*bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        parse_size(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Serde for what may be absent, which is written as `null`, and otherwise is text that `FromStr` reads.
pub(crate) mod optional_text {
    use super::*;

    #[expect(clippy::ref_option, reason = "serde's `with` hands out a reference to the field")]
    pub(crate) fn serialize<T: fmt::Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: fmt::Display>,
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse()).transpose().map_err(de::Error::custom)
    }
}

/// Serde for whatever is written as text and read by `FromStr`.
pub(crate) mod text {
    use super::*;

    pub(crate) fn serialize<T: fmt::Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: fmt::Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_the_longest_unit_that_leaves_a_whole_number() {
        for text in ["0s", "8s", "250ms", "90s", "2m", "36h", "15us", "1500ms", "999ns"] {
            assert_eq!(Time(parse_duration(text).unwrap()).to_string(), text);
        }
        assert_eq!(Time(parse_duration("120s").unwrap()).to_string(), "2m");
        assert_eq!(Time(parse_duration("1_000ms").unwrap()).to_string(), "1s");
    }

    #[test]
    fn a_duration_without_a_unit_or_with_a_wrong_one_is_refused() {
        let error = |text: &str| parse_duration(text).unwrap_err().to_string();
        assert_eq!(error("8"), "`8` has no unit; write a unit, e.g. 8s");
        assert!(error("8sec").contains("`sec` is not a unit of time"));
        assert!(error("8 s").contains("` s` is not a unit of time"));
        assert!(error("1.5s").contains("use a smaller unit"));
        assert!(error("soon").contains("not a duration"));
        assert!(error("").contains("not a duration"));
        assert!(error("-8s").contains("not a duration"));
        assert_eq!(error("8d"), "`d` is not a unit of time; use one of h, m, s, ms, us, ns, e.g. 8s");
        assert_eq!(error("169h"), "`169h` is too long; at most 168h");
        assert!(error("99999999999999999999s").contains("not a whole number"));
    }

    #[test]
    fn sizes_shares_and_rates_have_their_units_too() {
        for text in ["0B", "64B", "64KiB", "3MiB", "1GiB", "1025B"] {
            assert_eq!(Size(parse_size(text).unwrap()).to_string(), text);
        }
        for text in ["64", "64KB", "64k", "B", "", "99999999999GiB", "1.5KiB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        assert!((parse_ratio("80%").unwrap() - parse_ratio("0.80").unwrap()).abs() < f64::EPSILON);
        for text in ["", "%", "101%", "1.01", "-1", "inf", "NaN", "1e-3"] {
            assert!(parse_ratio(text).is_err(), "{text}");
        }
        for text in ["2%", "0.5%", "100%", "0.0001%", "12.25%"] {
            assert_eq!(text.parse::<Chance>().unwrap().to_string(), text);
        }
        assert_eq!("100%".parse(), Ok(Chance::ALWAYS));
        assert_eq!("2%".parse::<Chance>().unwrap().per_million(), 20_000);
        for text in ["", "%", "0%", "0.00001%", "100.0001%", "101%", "0.02", "2", "-1%", ".5%", "1e1%", "+1%"]
        {
            assert!(text.parse::<Chance>().is_err(), "{text}");
        }
        assert_eq!("200/s".parse::<Rate>().unwrap().to_string(), "200/s");
        for text in ["200", "0/s", "/s", "200/m", "1.5/s", "200 /s"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
