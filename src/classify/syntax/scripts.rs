//! The scripts inside files that mix languages: Vue, Svelte, Astro, MDX.
//!
//! What is no script is blanked, so that lines stay where they are.

use crate::side::Side;
use memchr::memmem;

/// A script of a file, as long as the file.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Script {
    pub text: Vec<u8>,
    /// Where it runs, if the file's kind alone says so.
    pub side: Option<Side>,
    /// Whether markup around it uses what it imports.
    pub has_markup: bool,
}

/// The scripts of the file at `path`.
pub(in super::super) fn scripts(path: &str, text: &[u8]) -> Vec<Script> {
    let extension = path.rsplit('.').next().unwrap_or_default();
    match extension {
        "vue" | "svelte" => tags(text, true),
        "astro" => {
            let mut scripts = tags(text, false);
            scripts.extend(frontmatter(text));
            scripts
        }
        "mdx" => vec![Script { text: imports(text), side: None, has_markup: true }],
        _ => vec![Script { text: text.to_vec(), side: None, has_markup: false }],
    }
}

/// What stands in `<script>`.
fn tags(text: &[u8], has_markup: bool) -> Vec<Script> {
    let mut scripts = Vec::new();
    let mut from = 0;
    while let Some(tag) = memmem::find(&text[from..], b"<script").map(|at| from + at) {
        let Some(start) = memchr::memchr(b'>', &text[tag..]).map(|at| tag + at + 1) else { break };
        let end = memmem::find(&text[start..], b"</script").map_or(text.len(), |at| start + at);
        let mut blank = blanked(text);
        blank[start..end].copy_from_slice(&text[start..end]);
        scripts.push(Script { text: blank, side: Some(Side::Client), has_markup });
        from = end;
        if scripts.len() == 8 {
            break;
        }
    }
    scripts
}

/// What stands between the fences at the start.
fn frontmatter(text: &[u8]) -> Option<Script> {
    let start = memmem::find(text, b"---")?;
    if !text[..start].iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    let end = memmem::find(&text[start + 3..], b"\n---").map(|at| start + 3 + at)?;
    let mut blank = blanked(text);
    blank[start + 3..end].copy_from_slice(&text[start + 3..end]);
    Some(Script { text: blank, side: Some(Side::Server), has_markup: true })
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
