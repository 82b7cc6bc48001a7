//! The scripts inside files that mix languages: Vue, Svelte, Astro, MDX.
//!
//! What is no script is blanked, so that lines stay where they are.

use crate::side::Side;
use memchr::memmem;
use regex::bytes::Regex;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

/// Components of one file that are sent to the browser.
const ISLANDS_MAX: usize = 200;

/// A component with a directive that sends it to the browser; between its name and that may stand attributes.
static ISLAND: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let attributes = r#"(?:[^<>{}"'`]|"[^"]*"|'[^']*'|`[^`]*`|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*?"#;
    Regex::new(&format!(r"<([A-Z][\w$]*)[\w$.]*\s{attributes}\bclient:(?:load|idle|visible|media|only)\b")).ok()
});
/// An import of something.
static IMPORT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?m)^[ \t]*import\s+(?:[^;'"(]*?\s)?from\s*["'][^"'\n]+["']"#).ok());
/// A name that stands for one of several components.
static CHOSEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?m)^[ \t]*(?:const|let|var)\s+([A-Z][\w$]*)\s*(?::[^=\n]*)?=([^;]*?)(?:;|\n\s*\n|\z)").ok()
});
/// A component's name.
static COMPONENT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b[A-Z][\w$]*").ok());

/// A script of a file, as long as the file.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Script {
    pub text: Vec<u8>,
    /// Where it runs, if the file's kind alone says so.
    pub side: Option<Side>,
    /// Whether markup around it uses what it imports.
    pub has_markup: bool,
    /// Whether what it imports and does not use is no import.
    pub elides: bool,
}

/// The scripts of the file at `path`; `has_islands` where its components are rendered on the server alone, unless a page says
/// of one that it is sent to the browser.
pub(in super::super) fn scripts(path: &str, text: &[u8], has_islands: bool) -> Vec<Script> {
    let extension = path.rsplit('.').next().unwrap_or_default();
    match extension {
        "vue" | "svelte" => tags(text, !has_islands, true),
        "astro" => {
            let mut scripts = tags(text, true, false);
            if let Some(front) = frontmatter(text) {
                scripts.extend(islands(text, &front));
                scripts.push(part(text, front, Some(Side::Server), true));
            }
            scripts
        }
        "mdx" => {
            let whole = Script { text: imports(text), ..part(text, 0..0, has_islands.then_some(Side::Server), true) };
            let islands = islands(text, &(0..text.len())).filter(|_| has_islands);
            islands.into_iter().chain([whole]).collect()
        }
        _ => vec![part(text, 0..text.len(), None, false)],
    }
}

/// The script at `range` of `text`.
fn part(text: &[u8], range: Range<usize>, side: Option<Side>, has_markup: bool) -> Script {
    let mut blank = blanked(text);
    blank[range.clone()].copy_from_slice(&text[range]);
    Script { text: blank, side, has_markup, elides: false }
}

/// What stands in `<script>`.
fn tags(text: &[u8], is_client: bool, has_markup: bool) -> Vec<Script> {
    let mut scripts = Vec::new();
    let mut from = 0;
    while let Some(tag) = memmem::find(&text[from..], b"<script").map(|at| from + at) {
        let Some(start) = memchr::memchr(b'>', &text[tag..]).map(|at| tag + at + 1) else { break };
        let end = memmem::find(&text[start..], b"</script").map_or(text.len(), |at| start + at);
        scripts.push(part(text, start..end, is_client.then_some(Side::Client), has_markup));
        from = end;
        if scripts.len() == 8 {
            break;
        }
    }
    scripts
}

/// Where the code between the fences at the start stands.
fn frontmatter(text: &[u8]) -> Option<Range<usize>> {
    let start = memmem::find(text, b"---")?;
    if !text[..start].iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    let end = memmem::find(&text[start + 3..], b"\n---").map(|at| start + 3 + at)?;
    Some(start + 3..end)
}

/// The imports in `code` of components that are sent to the browser, as a script that uses those alone.
fn islands(text: &[u8], code: &Range<usize>) -> Option<Script> {
    let found = ISLAND.as_ref()?.captures_iter(text).filter_map(|found| found.get(1)).take(ISLANDS_MAX);
    let mut names: BTreeSet<&[u8]> = found.map(|name| name.as_bytes()).collect();
    if names.is_empty() {
        return None;
    }
    for chosen in CHOSEN.as_ref()?.captures_iter(&text[code.clone()]).take(ISLANDS_MAX) {
        let (Some(name), Some(value)) = (chosen.get(1), chosen.get(2)) else { continue };
        if names.contains(name.as_bytes()) {
            names.extend(COMPONENT.as_ref()?.find_iter(value.as_bytes()).map(|name| name.as_bytes()));
        }
    }
    let mut kept = blanked(text);
    for import in IMPORT.as_ref()?.find_iter(&text[code.clone()]) {
        let range = code.start + import.start()..code.start + import.end();
        kept[range.clone()].copy_from_slice(&text[range]);
    }
    for name in names {
        kept.extend_from_slice(b"\n;");
        kept.extend_from_slice(name);
    }
    Some(Script { text: kept, side: Some(Side::Client), has_markup: false, elides: true })
}

/// The lines that import or export.
fn imports(text: &[u8]) -> Vec<u8> {
    let mut kept = blanked(text);
    let mut at = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(b"import ") || line.starts_with(b"export ") {
            kept[at..at + line.len()].copy_from_slice(line);
        }
        at += line.len();
    }
    kept
}

/// As many spaces, with the line ends left.
fn blanked(text: &[u8]) -> Vec<u8> {
    text.iter().map(|&byte| if byte == b'\n' { b'\n' } else { b' ' }).collect()
}
