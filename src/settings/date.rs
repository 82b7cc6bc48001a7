//! Days of the calendar, as entries write them: `2027-01-31`.
//!
//! No clock is read here; whoever needs today passes it in.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

const SECONDS: i64 = 86_400;

impl Date {
    /// The day called `text`, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut next = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))?;
            part.parse::<u16>().ok()
        };
        let (year, month, day) = (next(4)?, next(2)?, next(2)?);
        let date = Self { year, month: u8::try_from(month).ok()?, day: u8::try_from(day).ok()? };
        (parts.next().is_none() && Self::of_day(date.day_number()) == Some(date)).then_some(date)
    }

    /// The day, in UTC, of a time in seconds since 1970.
    pub fn of_seconds(seconds: i64) -> Self {
        let first = Self { year: 1970, month: 1, day: 1 };
        Self::of_day(seconds.div_euclid(SECONDS)).unwrap_or(first)
    }

    /// As many days later.
    #[must_use]
    pub fn plus_days(self, days: u16) -> Self {
        Self::of_day(self.day_number() + i64::from(days)).unwrap_or(self)
    }

    /// Days since 1970-01-01, after Howard Hinnant's `days_from_civil`.
    fn day_number(self) -> i64 {
        let (year, month, day) = (i64::from(self.year), i64::from(self.month), i64::from(self.day));
        let year = if month <= 2 { year - 1 } else { year };
        let (era, month) = (year.div_euclid(400), (month + 9) % 12);
        let of_era = year.rem_euclid(400);
        let of_year = (153 * month + 2) / 5 + day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// The inverse of [`Date::day_number`]; none outside the years 0 to 9999.
    fn of_day(number: i64) -> Option<Self> {
        let shifted = number.checked_add(719_468)?;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let year = u16::try_from(year).ok().filter(|year| *year <= 9_999)?;
        Some(Self { year, month: u8::try_from(month).ok()?, day: u8::try_from(day).ok()? })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
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
        for text in ["2027-02-29", "2027-13-01", "2027-1-31", "27-01-31", "2027-01-31x", "2027-01-31-1", "", "+027-01-31"] {
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
