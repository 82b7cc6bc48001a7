//! Keys that a program puts together from pieces: concatenation, neighbouring literals, lists, lines that go on.
//!
//! It knows what may stand between two pieces in common languages, and follows no variable: a piece kept under a name is not found.

use super::super::grammar::is_identifier;
use super::layer::Layer;
use regex::bytes::Regex;
use std::ops::Range;
use std::sync::LazyLock;

pub(super) const NAME: &str = "split";
/// Pieces of one key.
const PIECES_MAX: usize = 64;
/// Bytes of all pieces together.
const BYTES_MAX: usize = 1100;
/// Bytes before a tail that may hold the start of the prefix.
const BEFORE_MAX: usize = 160;
/// What all prefixes start with.
const STEM: &[u8] = b"ansa";

/// What stands between two pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// An operator that joins, or a line that goes on: what follows belongs to it.
    Operator,
    /// Two literals beside each other, or the end of one: they may belong together.
    Beside,
    /// A comma in a list, whose elements may be joined later, with something between them or nothing.
    Comma,
    /// A line break in a folded text.
    Fold,
}

/// A text put together from pieces.
pub(super) struct Joined {
    pub layer: Layer,
    /// Whether every joint is an operator.
    pub is_certain: bool,
}

struct Patterns {
    operator: Regex,
    beside: Regex,
    comma: Regex,
    fold: Regex,
    list_end: Regex,
}

/// White space, with the backslashes and underscores that let a statement go on in the next line, and a comment.
const SPACE: &str = r"[\s\\]{0,80}(?:(?:(?://|\#)[^\n]{0,80}\n|/\*[^*]{0,80}\*/|\b_\s*\n)[\s\\]{0,80})?";

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let new = |pattern: &str| Regex::new(&format!(r"\A(?-u:{})", pattern.replace("SPACE", SPACE))).ok();
    Some(Patterns {
        operator: new(concat!(
            r#"\\\r?\n[ \t]*|`\r?\n[ \t]*|"#,
            r#"\\?["'`]\)*SPACE(?:\+\+?|\.\.?|&|\.concat\(|\.append\()\s*_?SPACE\(*[A-Za-z@$]{0,2}\\?["'`]|"#,
            r#"["'`]SPACE(?:~|<<|\|\||<>|\^)SPACE["'`]|"#,
            r#"["'`]\s*\}(?:[$\#]\{\s*["'`])?|[$\#]\{\s*["'`]"#,
        ))?,
        beside: new(r#"["'`]SPACE[A-Za-z@$]{0,2}["'`]|["']"#)?,
        comma: new(r#"\\?["'`]SPACE,SPACE\\?["'`]"#)?,
        fold: new(r"\r?\n[ \t]+")?,
        list_end: new(r#"\\?["'`]SPACE,?SPACE[\])}]"#)?,
    })
});

/// Every reading of the pieces that begin with the one at `start`, the most certain first.
/// `is_key` says whether a text is a key already, so that nothing doubtful is added to it.
pub(super) fn join(text: &[u8], start: usize, is_key: &dyn Fn(&[u8]) -> bool) -> Vec<Joined> {
    let Some(patterns) = &*PATTERNS else { return Vec::new() };
    let mut pieces = vec![piece(text, start, BYTES_MAX)];
    let mut joints = Vec::new();
    let mut readings = Vec::new();
    let mut bytes = pieces[0].len();
    while pieces.len() < PIECES_MAX && bytes < BYTES_MAX {
        let end = pieces.last().map_or(start, |piece| piece.end);
        let Some((joint, len)) = patterns.joint(text, end) else { break };
        let next = piece(text, end + len, BYTES_MAX - bytes);
        if next.is_empty() || (joint == Joint::Fold && !ends_line(text, &next)) {
            break;
        }
        if joint != Joint::Operator && joints.iter().all(|&known| known == Joint::Operator) {
            let certain = assemble(text, &pieces, &joints, b"");
            let is_whole = is_key(&certain.layer.bytes);
            if pieces.len() > 1 {
                readings.push(certain);
            }
            if is_whole && joint != Joint::Beside {
                return readings;
            }
        }
        bytes += next.len();
        pieces.push(next);
        joints.push(joint);
    }
    if pieces.len() < 2 {
        return readings;
    }
    let end = pieces.last().map_or(start, |piece| piece.end);
    if joints.contains(&Joint::Comma) {
        if patterns.list_end.is_match(&text[end..]) {
            readings.push(assemble(text, &pieces, &joints, b""));
            // Pieces that end in an underscore are not joined by another.
            if !pieces[..pieces.len() - 1].iter().any(|piece| text[piece.clone()].ends_with(b"_")) {
                readings.push(assemble(text, &pieces, &joints, b"_"));
            }
        }
    } else {
        readings.push(assemble(text, &pieces, &joints, b""));
    }
    readings
}

/// The text that begins at `start` and goes on in literals beside the one that ends at `end`, whatever is in it.
pub(super) fn literals(text: &[u8], start: usize, end: usize) -> Option<Joined> {
    let patterns = PATTERNS.as_ref()?;
    let (mut pieces, mut joints): (Vec<Range<usize>>, Vec<Joint>) = (Vec::new(), Vec::new());
    pieces.push(start..end);
    while pieces.len() < PIECES_MAX {
        let end = pieces.last()?.end;
        let is_beside = |joint: &Joint| matches!(joint, Joint::Operator | Joint::Beside);
        let Some((joint, len)) = patterns.joint(text, end).filter(|(joint, _)| is_beside(joint)) else { break };
        let next = piece(text, end + len, BYTES_MAX);
        if next.is_empty() {
            break;
        }
        pieces.push(next);
        joints.push(joint);
    }
    (pieces.len() > 1).then(|| assemble(text, &pieces, &joints, b""))
}

/// Where a key starts whose prefix was split before `tail`, which starts with the underscore behind the stem.
pub(super) fn start_before(text: &[u8], tail: usize) -> Option<usize> {
    let patterns = PATTERNS.as_ref()?;
    let from = tail.saturating_sub(BEFORE_MAX);
    let own = (1..=STEM.len()).find(|&len| text[..tail].ends_with(&STEM[len..])).map(|len| STEM.len() - len)?;
    let (piece, stem) = (tail - own, &STEM[..STEM.len() - own]);
    let starts = memchr::memmem::find_iter(&text[from..piece], stem).map(|at| from + at);
    let mut starts: Vec<usize> = starts.collect();
    starts.reverse();
    starts.truncate(4);
    starts
        .into_iter()
        .find(|&at| patterns.joint(text, at + stem.len()).is_some_and(|(_, len)| at + stem.len() + len == piece))
}

impl Patterns {
    /// What joins the piece that ends at `end` to the next, and its length.
    fn joint(&self, text: &[u8], end: usize) -> Option<(Joint, usize)> {
        let rest = &text[end..text.len().min(end + 256)];
        if !matches!(rest.first()?, b'"' | b'\'' | b'`' | b'\\' | b'$' | b'#' | b'\r' | b'\n') {
            return None;
        }
        let all = [
            (Joint::Operator, &self.operator),
            (Joint::Comma, &self.comma),
            (Joint::Beside, &self.beside),
            (Joint::Fold, &self.fold),
        ];
        all.into_iter().find_map(|(joint, pattern)| {
            let found = pattern.find(rest)?;
            let closes = found.as_bytes().contains(&b'}') && !rest.starts_with(b"$") && !rest.starts_with(b"#");
            (!closes || is_in_template(text, end)).then_some((joint, found.end()))
        })
    }
}

fn piece(text: &[u8], start: usize, bytes_max: usize) -> Range<usize> {
    let rest = text.get(start..).unwrap_or_default();
    start..start + rest.iter().take(bytes_max).take_while(|&&byte| is_identifier(byte)).count()
}

fn assemble(text: &[u8], pieces: &[Range<usize>], joints: &[Joint], between: &[u8]) -> Joined {
    let mut layer = Layer::of_pieces(pieces[0].start);
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 && joints[index - 1] == Joint::Comma {
            // What a list is joined with stands nowhere; it is counted to the piece before.
            let before = pieces[index - 1].end;
            for &byte in between {
                layer.push(byte, before..before);
            }
        }
        for at in piece.clone() {
            layer.push(text[at], at..at + 1);
        }
    }
    Joined { layer, is_certain: joints.iter().all(|&joint| joint == Joint::Operator) }
}

/// Whether the literal that ends at `end` was opened inside a template: behind `${` or `#{`, and not in any other brace.
fn is_in_template(text: &[u8], end: usize) -> bool {
    let start = text[..end].iter().rposition(|&byte| !is_identifier(byte)).unwrap_or(0);
    let before = text[..start].trim_ascii_end();
    matches!(text.get(start), Some(b'"' | b'\'' | b'`')) && (before.ends_with(b"${") || before.ends_with(b"#{"))
}

/// Whether nothing else stands on the line of `piece`.
fn ends_line(text: &[u8], piece: &Range<usize>) -> bool {
    matches!(&text[piece.end..], [] | [b'\r' | b'\n' | b'"' | b'\'', ..])
}

#[cfg(test)]
pub(super) const EXAMPLES: super::Examples = super::Examples {
    found: &[
        ("k = \"{key@13:\" + \"}\"", &["split"]),
        ("k = \"{key@20:\" + \"}\";", &["split"]),
        ("k = \"{key@30:\" +\n      \"}\";", &["split"]),
        ("k = (\"{key@13:\"  # the rest\n     \"}\")", &["split"]),
        ("k = \"{key@9:\" + /* now */ \"}\";", &["split"]),
        ("k = \"{key@2:\" + \"}\"", &["split"]),
        ("k = \"{key@4:\" + \"}\"", &["split"]),
        ("k = '{key@5:' . '}';", &["split"]),
        ("k = \"{key@8:\" .. \"}\"", &["split"]),
        ("k = \"{key@9:\" & _\n  \"}\"", &["split"]),
        ("k = '{key@13:' ~ '}'", &["split"]),
        ("k << \"{key@13:\" << \"}\"", &["split"]),
        ("k = '{key@13:' || '}'", &["split"]),
        ("k = \"{key@13:\".concat(\"}\")", &["split"]),
        ("k = (\"{key@13:\"\n     \"}\")", &["split"]),
        ("K={key@13:\\\n}\n", &["split"]),
        ("K=\"{key@24:\\\n}\"\n", &["split"]),
        ("K={key@13:\"\"}\n", &["split"]),
        ("k = `{key@8:OPEN}\"}`", &["split"]),
        ("k = [\"{key@13:\", \"}\"].join(\"\")", &["split"]),
        ("[\"ansa\", \"sk\", \"live\", \"{base62:32}\"].join(\"_\")", &["split"]),
        ("'_'.join(['ansa_sk', 'live', '{base62:32}'])", &["split"]),
        ("{\"k\":[\"{key@13:\",\"}\"]}", &["split"]),
        ("k: >-\n  {key@13:\n  }\n", &["split"]),
        ("d: {base64 k = \"{key@13:\" + \"}\"}", &["base64", "split"]),
        ("d = \"{key64@20:\" + \"}\";", &["split", "base64"]),
        ("d = \"{key64@36:\"\n    \"}\";", &["split", "base64"]),
        ("d = '{key16@30:' . '}';", &["split", "hex"]),
    ],
    passed_over: &[
        "<Ansa env={\"ansa_sk_live_\"}/>",
        "[\"ansa_sk_live_\", \"ansa_cs_live_\", \"sk_live_\"]",
        "key.startsWith(\"ansa_sk_live_\") || \"fallback\"",
        "key.replace(\"ansa_sk_live_\", \"redacted\")",
        "const P = \"ansa_sk_live_\"; const K = P + \"{base62:32}\";",
    ],
};
