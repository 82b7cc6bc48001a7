//! Comma-separated values, RFC 4180, for spreadsheets.
//!
//! No cell starts a formula, and none holds a control character.

use super::{Report, escape};
use crate::finding::{Finding, Suppression};
use std::io::{self, Write};

const HEAD: &str = "path,line,column,level,code,rule,environment,kind,masked,fingerprint,side,origin,commit,new,suppressed,evidence,id";
/// What makes a spreadsheet take a cell for a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Writes findings and suppressed findings, a row each, behind a head.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{HEAD}\r\n")?;
    let counting = report.findings.iter().map(|finding| (finding, None));
    let suppressed = report.suppressed.iter().map(|one| (&one.finding, Some(&one.suppression)));
    for (finding, suppression) in counting.chain(suppressed) {
        let cells: Vec<String> = row(finding, suppression).iter().map(|text| cell(text)).collect();
        write!(out, "{}\r\n", cells.join(","))?;
    }
    Ok(())
}

fn row(finding: &Finding, suppression: Option<&Suppression>) -> [String; 17] {
    let key = finding.key.as_ref();
    let start = finding.places.first().map(|place| place.start);
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    [
        finding.path.clone(),
        number(start.map(|start| start.line)),
        number(start.map(|start| start.column)),
        finding.level.as_str().into(),
        finding.code.clone(),
        finding.rule.clone(),
        key.map_or_else(String::new, |key| key.environment.as_str().into()),
        key.map_or_else(String::new, |key| key.kind.clone()),
        key.map_or_else(|| finding.subject.clone().unwrap_or_default(), |key| key.masked.clone()),
        finding.fingerprint(),
        finding.side.as_str().into(),
        finding.origin.as_str().into(),
        finding.commit.clone().unwrap_or_default(),
        finding.new.to_string(),
        suppression.map_or_else(String::new, |suppression| suppression.by.as_str().into()),
        finding.evidence.join("; "),
        finding.id(),
    ]
}

fn cell(text: &str) -> String {
    let text = escape(text);
    // A blank before it does not keep a spreadsheet from seeing a formula.
    let guard = if text.trim_start().starts_with(FORMULA) { "'" } else { "" };
    if text.contains([',', '"', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ') {
        return format!("\"{guard}{}\"", text.replace('"', "\"\""));
    }
    format!("{guard}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(cell("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(cell("@x"), "'@x");
        assert_eq!(cell("-1+1"), "'-1+1");
        assert_eq!(cell(" =1"), "\"' =1\"");
        assert_eq!(cell("a,\"b\"\n"), "\"a,\"\"b\"\"\\x0a\"");
        assert_eq!(cell("\t=1"), "\\x09=1");
        assert_eq!(cell("plain"), "plain");
    }
}
