//! The exact entry that would allow a finding, for whoever has to write it.

use super::Suppressions;
use crate::finding::Finding;
use crate::settings::{DAYS, FILE_NAME};
use std::fmt::Write as _;

/// What to add, and where, so that `finding` may stay until it is mended.
pub fn entry_for(finding: &Finding, terms: &Suppressions, revision: &str) -> String {
    let path = terms.anchor.below_root(&finding.path).unwrap_or_else(|| finding.path.clone());
    let mut text = format!(
        "to allow it for a while, this has to be in {FILE_NAME} of {revision} first, through a change of its own:\n\n[[allow]]\n"
    );
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "fingerprint = \"{}\"", finding.fingerprint());
    let _ = writeln!(text, "path = {}", quoted(&path));
    let _ = writeln!(text, "reason = \"why it may stay\"\nowner = \"who answers for it\"");
    let _ = writeln!(text, "expires = {}\n", terms.today.plus_days(DAYS));
    if let Some(commit) = &finding.commit {
        let _ = writeln!(text, "the key is held by commit {commit}");
    }
    let _ = write!(text, "or allow it from outside: --allow {}", finding.fingerprint());
    text
}

/// `text` as a string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for one in text.chars() {
        match one {
            '"' | '\\' => quoted.extend(['\\', one]),
            _ if one.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(one));
            }
            _ => quoted.push(one),
        }
    }
    quoted + "\""
}
