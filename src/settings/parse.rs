//! Strict reading of TOML: every fault with line, column and the nearest right word.
//!
//! A file that is no text is not echoed, and of a text only the word at fault is.

use serde::de::DeserializeOwned;
use std::fmt;

/// The longest word that a message repeats, in characters.
const WORD_MAX: usize = 60;

/// A settings file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    place: String,
    message: String,
}

impl SettingsError {
    /// At byte `at` of `text`, the content of the file `name`.
    pub fn at(name: &str, text: &str, at: usize, message: impl Into<String>) -> Self {
        let (line, column) = line_and_column(text, at);
        Self { place: format!("{name}:{line}:{column}"), message: message.into() }
    }

    /// About the whole file.
    pub fn of_file(name: &str, message: impl Into<String>) -> Self {
        Self { place: name.into(), message: message.into() }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for SettingsError {}

/// The text of the file `name`, if it is one; without the mark that some editors put before it.
pub fn text_of<'b>(name: &str, bytes: &'b [u8]) -> Result<&'b str, SettingsError> {
    let is_text = |text: &&str| !text.chars().any(|one| one.is_control() && !matches!(one, '\n' | '\r' | '\t'));
    let text =
        std::str::from_utf8(bytes).ok().map(|text| text.strip_prefix('\u{feff}').unwrap_or(text)).filter(is_text);
    text.ok_or_else(|| SettingsError::of_file(name, "this is no text, and was not read as a configuration"))
}

/// Parses `text`, the content of the file `name`.
pub fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, SettingsError> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        SettingsError::at(name, text, at, helpful(error.message()))
    })
}

/// Line and column, in characters from 1, of byte `at`.
pub fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before: String = text.get(..at.min(text.len())).unwrap_or(text).into();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The parser's message, with the nearest of the words it expected.
fn helpful(message: &str) -> String {
    if let Some(wanted) = wanted(message) {
        return format!("{wanted} is wanted");
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let message = message.replace('\n', " ");
    let (true, Some(wrong)) = (message.starts_with("unknown "), words.next()) else { return message };
    let expected: Vec<&str> = words.collect();
    let kind = if message.starts_with("unknown field") { "key" } else { "value" };
    let wrong = cut(wrong);
    match nearest(&wrong, &expected) {
        Some(right) => format!("unknown {kind} `{wrong}`; did you mean `{right}`?"),
        None if expected.is_empty() => format!("unknown {kind} `{wrong}`"),
        None => format!("unknown {kind} `{wrong}`; there are {}", listed(&expected)),
    }
}

/// What stands where a value is of the wrong type or out of its bounds, in plain words; the parser would repeat the value,
/// which may be as long as the file.
fn wanted(message: &str) -> Option<&str> {
    if message == "wanted string or table" {
        return Some("a text in quotes");
    }
    let fault = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))?;
    let (_, expected) = fault.rsplit_once(", expected ")?;
    Some(match expected {
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list in brackets",
        "a map" => "a table",
        "a string" => "a text in quotes",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number within bounds",
        other => other,
    })
}

/// `word`, cut to a length that can be printed.
pub fn cut(word: &str) -> String {
    if word.chars().count() <= WORD_MAX {
        return word.into();
    }
    word.chars().take(WORD_MAX).chain(['…']).collect()
}

/// Words in a sentence.
pub fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The word of `words` that `wrong` was most likely meant to be, if any is near.
pub fn nearest<'w>(wrong: &str, words: &[&'w str]) -> Option<&'w str> {
    let plain = |word: &str| word.to_lowercase().replace('_', "-");
    let wrong = plain(wrong);
    let distances = words.iter().map(|word| (distance(&wrong, &plain(word)), *word));
    let (best, word) = distances.min()?;
    (best <= (word.chars().count() / 3).max(1)).then_some(word)
}

/// How many characters have to be put in, taken out, changed or swapped with a neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().take(100).collect(), other.chars().collect());
    let mut rows = vec![(0..=other.len()).collect::<Vec<usize>>()];
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let change = usize::from(one[i - 1] != other[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_named() {
        let words = ["exclude", "fail-on", "rules", "sides"];
        assert_eq!(nearest("exlcude", &words), Some("exclude"));
        assert_eq!(nearest("fail_on", &words), Some("fail-on"));
        assert_eq!(nearest("side", &words), Some("sides"));
        assert_eq!(nearest("zebra", &words), None);
    }

    #[test]
    fn lines_and_columns_count_characters() {
        assert_eq!(line_and_column("aü\nbü=c", 5), (2, 2));
        assert_eq!(line_and_column("aü\nbü=c", 7), (2, 3));
        assert_eq!(line_and_column("x", 99), (1, 2));
    }
}
