//! Prepares a text for pulldown-cmark: cuts off what it must not read, and bounds what would make it slow.

use std::borrow::Cow;

use crate::text::{BYTE_ORDER_MARK, Lines};

/// Where a list item or a block quote cannot begin any more, so that blocks are not nested more deeply than
/// this. The time of pulldown-cmark for a blank line grows with the number of list items around it.
const MAX_COLUMN: usize = 200;

/// The text as pulldown-cmark can read it well, with the same offsets:
///
/// - Each CR that ends a line is an LF. In some blocks, the library takes a CR for a part of the line.
/// - A bullet or a `>` at [`MAX_COLUMN`] or behind it is a letter.
pub fn readable(text: &str) -> Cow<'_, str> {
    let mut changed: Vec<(usize, u8)> = Vec::new();
    let bytes = text.as_bytes();
    let mut start = 0;
    while start < bytes.len() {
        changed.extend(first_deep_bullet(&bytes[start..]).map(|at| (start + at, b'x')));
        let Some(length) = bytes[start..].iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            break;
        };
        start += length + 1;
        if bytes[start - 1] == b'\r' && bytes.get(start) != Some(&b'\n') {
            changed.push((start - 1, b'\n'));
        }
    }
    if changed.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut bytes = bytes.to_vec();
    for (at, byte) in changed {
        bytes[at] = byte;
    }
    // Only bytes of ASCII have been replaced by others, so the text stays valid.
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The first bullet or `>` of a line before which only others and white space stand, and whose column is at
/// least [`MAX_COLUMN`].
fn first_deep_bullet(line: &[u8]) -> Option<usize> {
    let (mut at, mut column) = (0, 0);
    loop {
        let spaces = line[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
        let (count, width) = spaces
            .fold((0, 0), |(count, width), byte| (count + 1, width + if *byte == b'\t' { 4 } else { 1 }));
        (at, column) = (at + count, column + width);
        let digits = line[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let length = match (line.get(at)?, line.get(at + digits)) {
            (b'>' | b'-' | b'*' | b'+', _) => 1,
            (b'0'..=b'9', Some(b'.' | b')')) => digits + 1,
            _ => return None,
        };
        let is_followed_by_text = !matches!(line.get(at + length), None | Some(b' ' | b'\t' | b'\r' | b'\n'));
        if line[at] != b'>' && is_followed_by_text {
            return None;
        }
        if column >= MAX_COLUMN {
            return Some(at);
        }
        (at, column) = (at + length, column + length);
    }
}

/// The offset behind the byte order mark and the front matter: a first line `---`, and everything up to the
/// next line `---` if no line in between begins with `##`.
pub fn body_start(source: &str) -> usize {
    let start = if source.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
    if !source[start..].starts_with("---") {
        return start;
    }
    let body = &source[start..];
    let lines = Lines::new(body);
    for number in 1..=lines.count() {
        let line = &body[lines.range(number)];
        match (number, line.trim_end() == "---") {
            (1, true) => {}
            (1, false) => return start,
            (_, true) => return start + lines.range(number).end,
            (_, false) if line.starts_with("##") => return start,
            (_, false) => {}
        }
    }
    start
}
