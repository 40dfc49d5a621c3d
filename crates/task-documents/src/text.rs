//! Small functions about text that both kinds of documents need: lines, line ends, and Unicode NFC.

use std::ops::Range;

use regex::Regex;
use unicode_normalization::{UnicodeNormalization, is_nfc_quick};

/// The byte order mark.
pub const BYTE_ORDER_MARK: char = '\u{feff}';

/// The beginnings of the lines of a text. A line ends with LF, CRLF or CR.
#[derive(Clone, Debug)]
pub struct Lines {
    starts: Vec<usize>,
    length: usize,
}

impl Lines {
    /// Finds the lines of a text.
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let ends = (0..bytes.len()).filter(|at| match bytes[*at] {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let starts = std::iter::once(0).chain(ends.map(|at| at + 1)).collect();
        Self { starts, length: bytes.len() }
    }

    /// The number of lines. The empty text behind the last line end counts as a line.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// The number of the line that holds this byte, counted from 1.
    pub fn number(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// The bytes of the line with this number, counted from 1, with its line end.
    pub fn range(&self, number: usize) -> Range<usize> {
        let end = self.starts.get(number).copied().unwrap_or(self.length);
        self.starts[number - 1]..end
    }

    /// The beginning of the line that holds this byte.
    pub fn start(&self, offset: usize) -> usize {
        self.range(self.number(offset)).start
    }

    /// The end of the line that holds this byte, behind its line end.
    pub fn end(&self, offset: usize) -> usize {
        self.range(self.number(offset)).end
    }
}

/// The line end of the first line: LF, CRLF or CR. LF if the text has only one line.
pub fn first_line_end(text: &str) -> &'static str {
    match text.find(['\n', '\r']).map(|at| &text.as_bytes()[at..]) {
        Some([b'\r', b'\n', ..]) => "\r\n",
        Some([b'\r', ..]) => "\r",
        _ => "\n",
    }
}

/// The text in Unicode NFC.
pub fn nfc(text: &str) -> String {
    if is_nfc_quick(text.chars()) == unicode_normalization::IsNormalized::Yes {
        return text.to_owned();
    }
    text.nfc().collect()
}

/// The lines of a text without their line ends.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = text.find(['\n', '\r']) else {
            rest = None;
            return Some(text);
        };
        let length = if text[at..].starts_with("\r\n") { 2 } else { 1 };
        rest = Some(&text[at + length..]);
        Some(&text[..at])
    })
}

/// The lines of a text, trimmed and joined by a space. Blank lines are left out.
pub fn one_line(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for line in lines(text).map(str::trim).filter(|line| !line.is_empty()) {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(line);
    }
    joined
}

/// The text with LF as the end of each line.
pub fn with_line_feeds(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}

/// The text behind symbols at its beginning: characters that are neither letters nor digits.
pub fn after_symbols(text: &str) -> &str {
    text.trim_start_matches(|char: char| !char.is_alphanumeric())
}

/// The regular expression of a constant pattern.
///
/// # Panics
///
/// If the pattern is not valid.
pub fn regex(pattern: &'static str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant")
}

/// The text, cut at a number of characters with `…` at the end if it is longer.
pub fn cut(text: &str, max_chars: usize) -> String {
    if text.len() <= max_chars || text.chars().nth(max_chars).is_none() {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(max_chars.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_line_end_ends_a_line() {
        let text = "a\nb\r\nc\rd";
        let table = Lines::new(text);
        assert_eq!(table.count(), 4);
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(|at| table.number(at)), [1, 1, 2, 2, 2, 3, 3, 4]);
        assert_eq!((table.range(2), table.start(6), table.end(6)), (2..5, 5, 7));
        assert_eq!(lines(text).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        assert_eq!(one_line(" a \r\n\r\n b\rc "), "a b c");
        assert_eq!(with_line_feeds("a\r\nb\rc\n"), "a\nb\nc\n");
    }

    #[test]
    fn the_first_line_end_is_found() {
        let cases = [("", "\n"), ("a", "\n"), ("a\r", "\r"), ("a\r\nb\n", "\r\n"), ("\nb\r\n", "\n")];
        for (text, expected) in cases {
            assert_eq!(first_line_end(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_text_is_cut_only_if_it_is_too_long() {
        assert_eq!(cut("äbc", 3), "äbc");
        assert_eq!(cut("äbcd", 3), "äb…");
        assert_eq!(nfc("e\u{301}"), "é");
    }
}
