//! Lines and columns, counted as the windows of a blob go by.
//!
//! Lines end at LF. Columns count UTF-16 code units; a run of bytes that is not UTF-8 counts as its replacement
//! characters would. A mark at the start of the blob has no width.

use super::text::Form;
use crate::blob::Window;
use crate::finding::Position;

/// Counts from the start of a blob to wherever it was advanced.
#[derive(Clone, Copy, Debug)]
pub struct Cursor {
    form: Form,
    /// Bytes counted so far.
    offset: u64,
    /// LFs counted so far.
    lines: u64,
    /// Code units since the last of them.
    units: u64,
}

impl Cursor {
    /// At the start of a blob of `form`.
    pub const fn new(form: Form) -> Self {
        Self { form, offset: 0, lines: 0, units: 0 }
    }

    /// At the same place, in UTF-16 or UTF-32 that has been decoded to UTF-8.
    #[must_use]
    pub fn decoded(self) -> Self {
        Self { form: Form::Utf8, ..self }
    }

    /// Where it stands.
    pub const fn position(&self) -> Position {
        Position { line: self.lines + 1, column: self.units + 1 }
    }

    /// Counts up to index `to` of `window`; what was counted already is not counted again.
    pub fn advance_to(&mut self, window: &Window<'_>, to: usize) {
        let from = usize::try_from(self.offset.saturating_sub(window.offset)).unwrap_or(usize::MAX);
        if let Some(bytes) = window.bytes.get(from..to) {
            self.advance(bytes);
        }
    }

    /// Counts what `window` owns, and the rest of a character that its end cuts.
    pub fn advance_over(&mut self, window: &Window<'_>) {
        let owned = window.owned();
        let is_continuation = |byte: &&u8| self.form == Form::Utf8 && **byte & 0xc0 == 0x80;
        let rest = window.bytes[owned..].iter().take(3).take_while(is_continuation).count();
        self.advance_to(window, owned + rest);
    }

    /// Counts `bytes`, which follow what was counted so far.
    pub fn advance(&mut self, bytes: &[u8]) {
        let mark = if self.offset == 0 { self.form.mark_len(bytes) } else { 0 };
        self.offset += bytes.len() as u64;
        match self.form {
            Form::Utf8 => self.advance_utf8(&bytes[mark..]),
            form => form
                .characters(&bytes[mark..])
                .for_each(|(character, _)| self.count(character == '\n', character.len_utf16() as u64)),
        }
    }

    fn advance_utf8(&mut self, bytes: &[u8]) {
        let newlines = memchr::memchr_iter(b'\n', bytes).count();
        let line = memchr::memrchr(b'\n', bytes).map_or(bytes, |newline| &bytes[newline + 1..]);
        if newlines > 0 {
            self.lines += newlines as u64;
            self.units = 0;
        }
        self.units += units(line);
    }

    const fn count(&mut self, is_newline: bool, units: u64) {
        if is_newline {
            self.lines += 1;
            self.units = 0;
        } else {
            self.units += units;
        }
    }
}

/// UTF-16 code units of UTF-8 bytes.
fn units(bytes: &[u8]) -> u64 {
    if bytes.is_ascii() {
        return bytes.len() as u64;
    }
    let of = |chunk: std::str::Utf8Chunk<'_>| {
        chunk.valid().encode_utf16().count() + usize::from(!chunk.invalid().is_empty())
    };
    bytes.utf8_chunks().map(of).sum::<usize>() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(form: Form, bytes: &[u8]) -> (u64, u64) {
        let mut cursor = Cursor::new(form);
        cursor.advance(bytes);
        (cursor.position().line, cursor.position().column)
    }

    #[test]
    fn columns_count_code_units() {
        assert_eq!(after(Form::Utf8, b""), (1, 1));
        assert_eq!(after(Form::Utf8, b"\xef\xbb\xbfab"), (1, 3));
        assert_eq!(after(Form::Utf8, "\t日本語 = ".as_bytes()), (1, 8));
        assert_eq!(after(Form::Utf8, "a\r\n😀".as_bytes()), (2, 3));
        assert_eq!(after(Form::Utf8, b"\xb0\xff."), (1, 4));
        assert_eq!(after(Form::Utf16Le, b"\xff\xfea\0\n\0b\0"), (2, 2));
        assert_eq!(after(Form::Utf16Be, b"\0a\0\n\0b"), (2, 2));
    }
}
