//! One line of a `.gitignore`, matched as git's `wildmatch` does, braces literal and classes never taking a slash.
//!
//! Matching walks every way through the pattern at once, so a hostile one costs its length times the path's,
//! and the caller's budget ends even that. Which line wins is not decided here.

/// A line that is a pattern.
#[derive(Debug)]
pub struct Pattern {
    /// Starts with `!`: what it matches is not ignored.
    pub negated: bool,
    /// Ends in `/`: only folders match.
    folder_only: bool,
    /// Without a slash: matched against the last name alone.
    name_only: bool,
    /// The bytes before the first special one.
    prefix: Vec<u8>,
    rest: Vec<Token>,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// A byte after a backslash. When case is ignored git lowers the text but not this, so `\A` never matches.
    Escaped(u8),
    /// `?`
    Any,
    /// `*`: any run without a slash.
    Star,
    /// `**`: any run.
    Deep,
    /// `**/`: nothing, or any run that ends in a slash.
    DeepSlash,
    Class(Class),
    /// A class without an end, or a lone backslash: nothing matches.
    Never,
}

#[derive(Debug, PartialEq, Eq)]
struct Class {
    negated: bool,
    ranges: Vec<(u8, u8)>,
}

/// What is matched, and how much work may still be spent on it.
pub struct Candidate<'a> {
    /// The path, relative to the folder that holds the patterns.
    pub path: &'a [u8],
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Whether the case of ASCII letters is ignored.
    pub fold: bool,
}

impl Pattern {
    /// Reads one line; `None` for blank lines and comments.
    pub fn parse(line: &[u8]) -> Option<Self> {
        if line.starts_with(b"#") {
            return None;
        }
        let line = trim_spaces(line);
        let (negated, line) = line.strip_prefix(b"!").map_or((false, line), |rest| (true, rest));
        let (folder_only, line) = line.strip_suffix(b"/").map_or((false, line), |rest| (true, rest));
        let name_only = !line.contains(&b'/');
        let line = line.strip_prefix(b"/").unwrap_or(line);
        if line.is_empty() {
            return None;
        }
        let plain = line.iter().position(|byte| b"*?[\\".contains(byte)).unwrap_or(line.len());
        let (prefix, rest) = line.split_at(plain);
        Some(Self { negated, folder_only, name_only, prefix: prefix.to_vec(), rest: tokens(rest) })
    }

    /// Whether the pattern matches; `None` once `steps` is used up.
    pub fn matches(&self, candidate: &Candidate<'_>, steps: &mut u64) -> Option<bool> {
        if self.folder_only && !candidate.is_folder {
            return Some(false);
        }
        let mut path = candidate.path;
        if self.name_only {
            path = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        }
        *steps = steps.checked_sub(1)?;
        let Some((start, rest)) = path.split_at_checked(self.prefix.len()) else { return Some(false) };
        let same = if candidate.fold { start.eq_ignore_ascii_case(&self.prefix) } else { start == self.prefix };
        if !same || self.rest.is_empty() {
            return Some(same && rest.is_empty());
        }
        run(&self.rest, rest, candidate.fold, steps)
    }
}

/// Spaces at the end are dropped, unless a backslash protects them.
fn trim_spaces(line: &[u8]) -> &[u8] {
    let mut end = 0;
    let mut at = 0;
    while at < line.len() {
        if line[at] == b'\\' {
            if at + 1 == line.len() {
                return line;
            }
            at += 2;
            end = at;
        } else {
            at += 1;
            if line[at - 1] != b' ' {
                end = at;
            }
        }
    }
    &line[..end]
}

fn tokens(pattern: &[u8]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < pattern.len() {
        let (token, length) = match pattern[at] {
            b'*' => star(pattern, at),
            b'?' => (Token::Any, 1),
            b'\\' => pattern.get(at + 1).map_or((Token::Never, 1), |byte| (Token::Escaped(*byte), 2)),
            b'[' => class(&pattern[at..]),
            byte => (Token::Byte(byte), 1),
        };
        tokens.push(token);
        at += length;
    }
    tokens
}

/// Two stars cross slashes only between slashes or ends. Git looks at what it still matches, so the start of a
/// pattern's special part counts as an end.
fn star(pattern: &[u8], at: usize) -> (Token, usize) {
    let stars = pattern[at..].iter().take_while(|byte| **byte == b'*').count();
    let after = &pattern[at + stars..];
    let bounded = (at == 0 || pattern[at - 1] == b'/')
        && (after.is_empty() || after.starts_with(b"/") || after.starts_with(b"\\/"));
    match (stars > 1 && bounded, after.starts_with(b"/")) {
        (true, true) => (Token::DeepSlash, stars + 1),
        (true, false) => (Token::Deep, stars),
        (false, _) => (Token::Star, stars),
    }
}

fn class(pattern: &[u8]) -> (Token, usize) {
    let never = (Token::Never, pattern.len());
    let mut at = 1;
    let negated = matches!(pattern.get(1), Some(b'!' | b'^'));
    at += usize::from(negated);
    let mut ranges = Vec::new();
    let mut previous = None;
    let first = at;
    loop {
        let Some(&byte) = pattern.get(at) else { return never };
        at += 1;
        match byte {
            b']' if at - 1 > first => return (Token::Class(Class { negated, ranges }), at),
            b'\\' => {
                let Some(&escaped) = pattern.get(at) else { return never };
                at += 1;
                ranges.push((escaped, escaped));
                previous = Some(escaped);
            }
            b'-' if previous.is_some() && pattern.get(at).is_some_and(|next| *next != b']') => {
                let escape = usize::from(pattern[at] == b'\\');
                let Some(&end) = pattern.get(at + escape) else { return never };
                at += escape + 1;
                ranges.extend(previous.take().map(|start| (start, end)));
            }
            b'[' if pattern.get(at) == Some(&b':') => {
                let Some(length) = pattern[at + 1..].iter().position(|byte| *byte == b']') else { return never };
                let name = &pattern[at + 1..at + 1 + length];
                if let Some(name) = name.strip_suffix(b":") {
                    let Some(named) = named_class(name) else { return never };
                    ranges.extend_from_slice(named);
                    at += length + 2;
                    previous = None;
                } else {
                    ranges.push((b'[', b'['));
                    previous = Some(b'[');
                }
            }
            _ => {
                ranges.push((byte, byte));
                previous = Some(byte);
            }
        }
    }
}

fn named_class(name: &[u8]) -> Option<&'static [(u8, u8)]> {
    Some(match name {
        b"alnum" => &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')],
        b"alpha" => &[(b'A', b'Z'), (b'a', b'z')],
        b"blank" => &[(b' ', b' '), (b'\t', b'\t')],
        b"cntrl" => &[(0, 31), (127, 127)],
        b"digit" => &[(b'0', b'9')],
        b"graph" => &[(33, 126)],
        b"lower" => &[(b'a', b'z')],
        b"print" => &[(32, 126)],
        b"punct" => &[(33, 47), (58, 64), (91, 96), (123, 126)],
        b"space" => &[(b' ', b' '), (9, 13)],
        b"upper" => &[(b'A', b'Z')],
        b"xdigit" => &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')],
        _ => return None,
    })
}

impl Class {
    fn takes(&self, byte: u8, fold: bool) -> bool {
        let within = |byte: u8| self.ranges.iter().any(|(start, end)| (*start..=*end).contains(&byte));
        // As in git, a single byte of the class is compared with the lowered text, a range with either case.
        let upper = byte.to_ascii_uppercase();
        let in_range = || self.ranges.iter().any(|(start, end)| start < end && (*start..=*end).contains(&upper));
        let inside = if fold { within(byte.to_ascii_lowercase()) || in_range() } else { within(byte) };
        byte != b'/' && inside != self.negated
    }
}

/// All positions in the pattern that the text so far can have reached, moved on byte by byte.
fn run(tokens: &[Token], text: &[u8], fold: bool, steps: &mut u64) -> Option<bool> {
    let mut here = Positions::new(tokens.len());
    let mut next = Positions::new(tokens.len());
    here.entered[0] = true;
    here.settle(tokens);
    for byte in text {
        *steps = steps.checked_sub(tokens.len() as u64 + 1)?;
        next.clear();
        for (at, token) in tokens.iter().enumerate().filter(|(at, _)| here.active[*at]) {
            next.step(at, token, *byte, fold);
        }
        next.settle(tokens);
        if !next.active.contains(&true) {
            return Some(false);
        }
        std::mem::swap(&mut here, &mut next);
    }
    Some(here.active[tokens.len()])
}

struct Positions {
    active: Vec<bool>,
    /// Where a token starts, or a star may end: the positions from which a star can be passed without a byte.
    /// Within a `**/`, only a slash leads out.
    entered: Vec<bool>,
}

impl Positions {
    fn new(tokens: usize) -> Self {
        Self { active: vec![false; tokens + 1], entered: vec![false; tokens + 1] }
    }

    fn clear(&mut self) {
        self.active.fill(false);
        self.entered.fill(false);
    }

    fn step(&mut self, at: usize, token: &Token, byte: u8, fold: bool) {
        match token {
            Token::Byte(wanted) => {
                self.entered[at + 1] |= *wanted == byte || (fold && wanted.eq_ignore_ascii_case(&byte));
            }
            Token::Escaped(wanted) => {
                self.entered[at + 1] |= *wanted == if fold { byte.to_ascii_lowercase() } else { byte };
            }
            Token::Any => self.entered[at + 1] |= byte != b'/',
            Token::Class(class) => self.entered[at + 1] |= class.takes(byte, fold),
            Token::Star => self.entered[at] |= byte != b'/',
            Token::Deep => self.entered[at] = true,
            Token::DeepSlash => {
                self.active[at] = true;
                self.entered[at + 1] |= byte == b'/';
            }
            Token::Never => {}
        }
    }

    fn settle(&mut self, tokens: &[Token]) {
        for (at, token) in tokens.iter().enumerate() {
            self.entered[at + 1] |= self.entered[at] && matches!(token, Token::Star | Token::Deep | Token::DeepSlash);
        }
        for (active, entered) in self.active.iter_mut().zip(&self.entered) {
            *active |= *entered;
        }
    }
}
