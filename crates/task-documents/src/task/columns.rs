//! How lines begin: how far text is indented, with which bullet, and what a new line beside it begins with.

pub(super) use crate::indentation::{indentation, width};

/// The maximum number of bytes before a list item or a table in its line. With more of them, new lines beside
/// it would need too much memory.
const MAX_BEFORE: usize = 1_000;

/// Whether more than this stands before a byte in its line.
pub(super) fn is_too_deep(source: &str, offset: usize) -> bool {
    line_before(source, offset).len() > MAX_BEFORE
}

/// What stands before this byte in its line.
pub(super) fn line_before(source: &str, offset: usize) -> &str {
    let before = &source[..offset];
    let start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    before[start..].trim_start_matches(crate::text::BYTE_ORDER_MARK)
}

/// The white space that is as wide as this text. Tabs are kept.
pub(super) fn blank(text: &str) -> String {
    text.chars().map(|letter| if letter == '\t' { '\t' } else { ' ' }).collect()
}

/// Whether a line begins as a heading does: with one to six `#` and white space or the line end behind them.
pub(super) fn begins_heading(line: &str) -> bool {
    let rest = line.trim_start_matches('#');
    matches!(line.len() - rest.len(), 1..=6) && (rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// The bullet or the number of a list item with which a text begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker<'a> {
    /// `-`, `*`, `+`, or a number with `.` or `)`.
    pub text: &'a str,
    /// The white space behind it.
    pub space: &'a str,
}

impl<'a> Marker<'a> {
    /// Reads the bullet or number with which a text begins. White space or a line end follows it.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let length = match (digits, text.as_bytes().get(digits)?) {
            (0, b'-' | b'*' | b'+') => 1,
            (1..=9, b'.' | b')') => digits + 1,
            _ => return None,
        };
        let (marker, rest) = text.split_at(length);
        let space = indentation(rest);
        let ends = rest[space.len()..].is_empty() || rest.starts_with(['\n', '\r']);
        (ends || !space.is_empty()).then_some(Self { text: marker, space })
    }

    /// Whether it is a bullet and not a number.
    pub(super) fn is_bullet(self) -> bool {
        !self.text.starts_with(|first: char| first.is_ascii_digit())
    }

    /// What a new sibling begins with: the same bullet, or `-` after a number.
    pub(super) fn of_new_sibling(self) -> String {
        let space = if matches!(self.space.len(), 1..=4) { self.space } else { " " };
        if self.is_bullet() { format!("{}{space}", self.text) } else { "- ".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_a_bullet_or_a_number_with_white_space_behind_it() {
        let text = |text| Marker::of(text).map(|marker| (marker.text, marker.space));
        assert_eq!(text("- a"), Some(("-", " ")));
        assert_eq!(text("12)  a"), Some(("12)", "  ")));
        assert_eq!(text("*\n"), Some(("*", "")));
        assert_eq!(text("+"), Some(("+", "")));
        for other in ["-a", "**a**", "1a", "1234567890. a", "", "12"] {
            assert_eq!(text(other), None, "{other:?}");
        }
    }

    #[test]
    fn widths_count_tabs_up_to_the_next_multiple_of_four() {
        assert_eq!(["", "  ", "\t", " \t", "- \t "].map(width), [0, 2, 4, 4, 5]);
        assert_eq!(blank("1.\t"), "  \t");
        assert_eq!(line_before("a\r\n  - b", 5), "  ");
        assert_eq!(line_before("\u{feff}- b", 3), "");
    }
}
