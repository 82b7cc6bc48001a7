//! Sides explained, for people.

use super::escape;
use crate::side::{Account, Section, Side};
use std::io::{self, Write};

/// Writes the account of the file at `path`: its side first, then every piece of evidence with its weight, then its parts.
pub fn write(path: &str, account: &Account, out: &mut dyn Write) -> io::Result<()> {
    let side = account.side.map_or("each variable has a side of its own", Side::as_str);
    writeln!(out, "{}: {side}", escape(path))?;
    for piece in &account.pieces {
        let is_against = account.side.is_some_and(|side| side != piece.side);
        let mark = if is_against { "against" } else { "for" };
        writeln!(out, "  {:>3}  {mark} {}: {}", piece.weight, piece.side.as_str(), escape(&piece.why))?;
    }
    if account.side.is_some() && account.pieces.is_empty() {
        writeln!(out, "       nothing in the file or around it says where it runs")?;
    }
    for place in &account.places {
        self::place(place, out)?;
    }
    account.cut.map_or(Ok(()), |cut| writeln!(out, "  {cut}"))
}

fn place(place: &Section, out: &mut dyn Write) -> io::Result<()> {
    let variable = place.variable.as_deref().map_or_else(String::new, |name| format!(", `{}`", escape(name)));
    let lines = if place.end > place.line {
        format!("lines {} to {}", place.line, place.end)
    } else {
        format!("line {}", place.line)
    };
    writeln!(out, "  {lines}{variable}: {}", place.side.as_str())?;
    place.evidence.iter().try_for_each(|why| writeln!(out, "       {}", escape(why)))
}
