//! Where a bracket, a function or a statement ends, in languages written with braces.
//!
//! A scanner, not a parser: it knows strings, comments and brackets, and takes what it cannot follow for the end of the text.

use super::rules::Balance;
use std::ops::Range;

/// Words and signs with which a line goes on with the statement above it.
const GOES_ON: [&[u8]; 13] = [b".", b"?", b":", b"&", b"|", b"+", b"*", b",", b"=", b">", b")", b"as ", b"satisfies "];

/// The part of `text` that the match at `opened` opens; `bracket` is its opening bracket, for [`Balance::Bracket`].
pub fn part(text: &[u8], balance: Balance, opened: &Range<usize>, bracket: usize) -> Range<usize> {
    match balance {
        Balance::Bracket => bracket + 1..Scanner::new(text, bracket).find(|scanner| scanner.depth == 0),
        Balance::Function => opened.end..Scanner::new(text, opened.end).find(ends_function),
        Balance::Statement => opened.end..Scanner::new(text, opened.end).find(ends_statement),
    }
}

/// Where the brackets stand that are still open at the end of `text`, outermost first.
pub fn open(text: &[u8]) -> Vec<usize> {
    let mut scanner = Scanner::new(text, 0);
    let mut open = Vec::new();
    while let Some(&byte) = text.get(scanner.at) {
        if let Some(next) = scanner.passed_over() {
            scanner.at = next;
            continue;
        }
        match byte {
            b'(' | b'[' | b'{' => open.push(scanner.at),
            b')' | b']' | b'}' => drop(open.pop()),
            _ => {}
        }
        scanner.at += 1;
    }
    open
}

/// Walks over code, one significant byte at a time.
struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
    /// The significant byte that was just passed.
    byte: u8,
    /// The significant byte before it that is no white space.
    before: u8,
    depth: i32,
}

impl<'t> Scanner<'t> {
    const fn new(text: &'t [u8], at: usize) -> Self {
        Self { text, at, byte: b' ', before: b' ', depth: 0 }
    }

    /// The index of the first significant byte after which `ends` holds or more was closed than opened; else the end.
    fn find(mut self, ends: impl Fn(&Self) -> bool) -> usize {
        while let Some(&byte) = self.text.get(self.at) {
            if let Some(next) = self.passed_over() {
                (self.before, self.byte) = (b'"', b'"');
                self.at = next;
                continue;
            }
            if !self.byte.is_ascii_whitespace() {
                self.before = self.byte;
            }
            self.byte = byte;
            self.depth += match byte {
                b'(' | b'[' | b'{' => 1,
                b')' | b']' | b'}' => -1,
                _ => 0,
            };
            if self.depth < 0 || ends(&self) {
                return self.at;
            }
            self.at += 1;
        }
        self.text.len()
    }

    /// The end of the string or comment that starts here, if one does.
    fn passed_over(&self) -> Option<usize> {
        let rest = &self.text[self.at..];
        match rest {
            [b'/', b'/', ..] => Some(self.at + memchr::memchr(b'\n', rest).unwrap_or(rest.len())),
            [b'/', b'*', ..] => {
                Some(self.at + memchr::memmem::find(&rest[2..], b"*/").map_or(rest.len(), |end| end + 4))
            }
            [b'"' | b'\'' | b'`', ..] => Some(self.at + quoted(rest)),
            _ => None,
        }
    }

    /// What follows, without white space and without comments to the end of a line.
    fn rest(&self) -> &[u8] {
        self.text[self.at + 1..].trim_ascii_start()
    }
}

/// The length of the string that `text` starts with; only a template may hold a line's end.
fn quoted(text: &[u8]) -> usize {
    let quote = text[0];
    let mut at = 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' if quote != b'`' => return at,
            _ if byte == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// Whether the brace just closed is that of a function's body: a type or a parameter is followed by more.
fn ends_function(scanner: &Scanner<'_>) -> bool {
    let goes_on = |next: &u8| matches!(next, b'>' | b'|' | b'&' | b',' | b'[' | b'{' | b'.' | b')');
    scanner.depth == 0 && scanner.byte == b'}' && !scanner.rest().first().is_some_and(goes_on)
}

fn ends_statement(scanner: &Scanner<'_>) -> bool {
    if scanner.depth != 0 {
        return false;
    }
    let is_open = |byte: u8| matches!(byte, b'=' | b',' | b':' | b'?' | b'&' | b'|' | b'+' | b'<' | b'>' | b'.' | b' ');
    let goes_on = || GOES_ON.iter().any(|sign| scanner.rest().starts_with(sign));
    match scanner.byte {
        b';' => true,
        b'\n' => !is_open(scanner.before) && !goes_on(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, balance: Balance, open: &str) -> String {
        let start = text.find(open).unwrap();
        let opened = start..start + open.len();
        text[part(text.as_bytes(), balance, &opened, opened.end - 1)].to_owned()
    }

    #[test]
    fn brackets_strings_and_comments_are_told_apart() {
        assert_eq!(
            of("env: { a: '}', /* } */ b: {c: 1} }, d", Balance::Bracket, "env: {"),
            " a: '}', /* } */ b: {c: 1} "
        );
        assert_eq!(of("env: { a // }\n}", Balance::Bracket, "env: {"), " a // }\n");
        assert_eq!(of("env: { a", Balance::Bracket, "env: {"), " a");
        assert_eq!(of("env: { don't\n}", Balance::Bracket, "env: {"), " don't\n");
    }

    #[test]
    fn brackets_that_stay_open_are_found() {
        assert_eq!(open(b"a({ b: [1], c: '}', // )\n d: {"), [1, 2, 29]);
        assert!(open(b"}) a").is_empty());
    }

    #[test]
    fn functions_and_statements_end_where_they_do() {
        let loader = "function loader({ a }: X): Promise<{ b: 1 }> {\n  return { c }\n}\nconst d = 1";
        assert_eq!(
            of(loader, Balance::Function, "function loader"),
            "({ a }: X): Promise<{ b: 1 }> {\n  return { c }\n"
        );
        let constant = "const loader = (async () => {\n  x()\n})\n  satisfies Y\nconst d = 1";
        assert_eq!(of(constant, Balance::Statement, "const loader"), " = (async () => {\n  x()\n})\n  satisfies Y");
        assert_eq!(of("const k =\n  'v'\nconst d", Balance::Statement, "const k"), " =\n  'v'");
        assert_eq!(of("const k = 1; const d", Balance::Statement, "const k"), " = 1");
    }
}
