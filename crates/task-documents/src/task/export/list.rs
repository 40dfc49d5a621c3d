//! Writes changes of a list whose elements are list items: the checklist and the files.

use super::edits::{After, Before, Edits, end_of_line};
use crate::task::columns::{self, Marker};
use crate::task::spans::{ListItemSpan, ListPlace};
use crate::text;

/// An element of a list of siblings.
pub(super) struct Element<'a> {
    /// Where it stands if it stays there. None for an element that is written.
    pub stays: Option<&'a ListItemSpan>,
    /// Its text without a bullet.
    pub text: String,
    /// The texts of its children, if it is written.
    pub children: Vec<String>,
}

impl Element<'_> {
    /// The lines of the element. Children are indented so that they are nested.
    pub(super) fn lines(&self, prefix: &str, bullet: &str) -> String {
        let mut lines = format!("{prefix}{bullet}{}\n", self.text);
        let nested = columns::blank(bullet);
        for child in &self.children {
            lines.push_str(&format!("{prefix}{nested}- {child}\n"));
        }
        lines
    }
}

/// Writes those siblings that do not stay: after the previous sibling, else before the next one, else at the
/// place for a first element. The result is false if there is no place for them.
pub(super) fn write(edits: &mut Edits<'_>, siblings: &[Element<'_>], place: Option<&ListPlace>) -> bool {
    let mut previous: Option<(&ListItemSpan, String, String)> = None;
    let next = siblings.iter().find_map(|element| element.stays);
    for element in siblings {
        if let Some(span) = element.stays {
            let prefix = columns::blank(columns::line_before(edits.source, span.marker));
            let bullet = bullet_after(edits.source, span, &prefix);
            previous = Some((span, prefix, bullet));
        } else if let Some((span, prefix, bullet)) = &previous {
            edits.insert(span.end, &element.lines(prefix, bullet), Before::LineEnd, After::NewBlock);
        } else if let Some(next) = next {
            let prefix = columns::blank(columns::line_before(edits.source, next.marker));
            let bullet = bullet_before(edits.source, next);
            // The white space before the bullet of the next sibling is used by the new element.
            let lines = element.lines(&prefix, &bullet) + &prefix;
            edits.insert(next.marker, &lines[prefix.len()..], Before::Anything, After::Anything);
        } else if let Some(place) = place {
            let lines = element.lines(&place.prefix, "- ");
            let is_first = std::ptr::eq(element, &siblings[0]);
            insert_at(edits, place, &lines, is_first);
        } else {
            return false;
        }
    }
    true
}

/// Inserts lines at the place for first elements.
pub(super) fn insert_at(edits: &mut Edits<'_>, place: &ListPlace, lines: &str, is_first: bool) {
    if !place.is_apart {
        return edits.insert(place.below, lines, Before::LineEnd, After::NewBlock);
    }
    // A blank line that follows is the one before the list.
    let rest = &edits.source[place.below..];
    let line = end_of_line(rest);
    let is_blank = rest[..line].trim().is_empty();
    let at = place.below + if is_blank { line } else { 0 };
    let before = if is_first { Before::BlankLine } else { Before::LineEnd };
    edits.insert(at, lines, before, After::BlankLine);
}

fn bullet_before(source: &str, next: &ListItemSpan) -> String {
    Marker::of(&source[next.marker..]).map_or_else(|| "- ".to_owned(), Marker::of_new_sibling)
}

/// The bullet of a new sibling behind this one. A following list item that is no child of this one must not
/// become a child of the new one.
fn bullet_after(source: &str, previous: &ListItemSpan, prefix: &str) -> String {
    let Some(marker) = Marker::of(&source[previous.marker..]) else { return "- ".to_owned() };
    if marker.is_bullet() {
        return marker.of_new_sibling();
    }
    let next = text::lines(&source[previous.end..]).find(|line| !line.trim().is_empty()).unwrap_or_default();
    let next = columns::width(columns::indentation(next));
    let content = columns::width(&[prefix, marker.text, marker.space].concat());
    let space = (columns::width(prefix) + 2..content).contains(&next);
    if space { format!("-{}", " ".repeat(marker.text.len())) } else { "- ".to_owned() }
}
