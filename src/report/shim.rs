//! shim
use super::Report;
use crate::rule::Rules;
use std::io::{self, Write};
/// shim
pub struct TextStyle { /// c
 pub colour: bool, /// q
 pub quiet: bool }
/// shim
pub fn escape(text: &str) -> String { text.into() }
/// shim
pub fn text(r: &Report, _: &Rules, _: TextStyle, out: &mut dyn Write) -> io::Result<()> { json(r, out) }
/// shim
pub fn sarif(r: &Report, _: &Rules, out: &mut dyn Write) -> io::Result<()> { json(r, out) }
/// shim
pub fn json(r: &Report, out: &mut dyn Write) -> io::Result<()> {
    let findings: Vec<_> = r.findings.iter().map(|f| { let k = f.key.as_ref().unwrap(); serde_json::json!({"code": f.code, "path": f.path, "level": f.level.as_str(), "side": f.side.as_str(), "evidence": f.evidence,
       "key": {"fingerprint": k.fingerprint, "masked": k.masked}, "places": f.places.iter().map(|p| (p.start.line, p.start.column, p.end.column, p.encoding.clone())).collect::<Vec<_>>(), "ex": f.excerpt.as_ref().map(|e| e.text.clone())})}).collect();
    let left: Vec<_> = r.coverage.left_out.iter().map(|l| (l.path.clone(), l.reason.clone())).collect();
    let v = serde_json::json!({"complete": r.complete(), "files": r.coverage.files, "bytes": r.coverage.bytes, "left_out": left, "skipped": r.coverage.skipped, "ignored": r.ignored_by_class, "findings": findings});
    writeln!(out, "{}", serde_json::to_string_pretty(&v)?)
}
