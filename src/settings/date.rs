//! Days of the calendar, as entries write them: `2027-01-31`.
//!
//! No clock is read here; whoever needs today passes it in.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, civil};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(civil::Date);

impl Date {
    /// The day called `text`, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        // The crate reads times and short forms too.
        let is_plain = text.len() == 10 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_plain).map(Self)
    }

    /// The day, in UTC, of a time in seconds since 1970.
    pub fn of_seconds(seconds: i64) -> Self {
        let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        Self(time.to_zoned(TimeZone::UTC).date())
    }

    /// As many days later.
    #[must_use]
    pub fn plus_days(self, days: u16) -> Self {
        Self(self.0.saturating_add(Span::new().days(days)))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => text,
            toml::Value::Datetime(at) if at.time.is_none() => at.to_string(),
            _ => String::new(),
        };
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("a day is wanted, such as 2027-01-31"))
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_are() {
        for text in ["2027-01-31", "2024-02-29", "0001-01-01", "9999-12-31", "1970-01-01"] {
            assert_eq!(Date::parse(text).unwrap().to_string(), text);
        }
        for text in
            ["2027-02-29", "2027-13-01", "2027-1-31", "27-01-31", "2027-01-31x", "2027-01-31-1", "", "+027-01-31"]
        {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }

    #[test]
    fn days_add_up() {
        let first = Date::of_seconds(0);
        assert_eq!(first.to_string(), "1970-01-01");
        assert_eq!(Date::of_seconds(-1).to_string(), "1969-12-31");
        assert_eq!(Date::parse("2027-12-15").unwrap().plus_days(90).to_string(), "2028-03-14");
        assert_eq!(Date::of_seconds(4_102_444_800).to_string(), "2100-01-01");
    }
}
