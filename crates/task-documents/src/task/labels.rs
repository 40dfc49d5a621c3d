//! Labels in bold, such as `**In Scope**:`, and which of them stands above a list item.

use super::columns::{self, Marker};
use super::sections::{self, SectionBlocks};
use super::spans::{ListItemSpan, ListPlace};
use crate::markdown::{BlockKind, Markdown};
use crate::text;

/// Splits a line `**Name**: value` or `**Name:** value` into the name and the rest of the line.
pub(super) fn split(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.strip_prefix("**")?.split_once("**")?;
    match name.strip_suffix(':') {
        Some(name) => Some((name.trim(), rest)),
        None => Some((name.trim(), rest.strip_prefix(':')?)),
    }
}

/// The text between the asterisks if a paragraph is nothing but a label, with or without a colon.
fn only_label(paragraph: &str) -> Option<&str> {
    let inside = paragraph.strip_prefix("**")?;
    let inside = inside.strip_suffix("**:").or_else(|| inside.strip_suffix("**"))?;
    (!inside.contains("**")).then_some(inside)
}

/// The labels of a section, while its blocks are visited in their order.
pub(super) struct Labels<'m, K> {
    markdown: &'m Markdown<'m>,
    read: fn(&str) -> Option<K>,
    first_block: usize,
    /// For each block that is a list item: the label of the innermost item around its content.
    inside: Vec<Option<K>>,
    /// The last paragraph that was a label.
    last: Option<K>,
}

impl<'m, K: Copy> Labels<'m, K> {
    /// `read` knows what a label means.
    pub(super) fn new(
        markdown: &'m Markdown<'m>,
        section: &SectionBlocks,
        read: fn(&str) -> Option<K>,
    ) -> Self {
        let inside = vec![None; section.blocks.len()];
        Self { markdown, read, first_block: section.blocks.start, inside, last: None }
    }

    /// The meaning of a paragraph that is a label.
    pub(super) fn of_paragraph(&self, paragraph: usize) -> Option<K> {
        only_label(self.markdown.content(paragraph)).and_then(self.read)
    }

    /// The meaning of a list item whose first paragraph is a label.
    pub(super) fn of_item(&self, item: usize) -> Option<K> {
        self.markdown.first_paragraph(item).and_then(|paragraph| self.of_paragraph(paragraph))
    }

    /// Takes note of the next block: a paragraph or list item outside block quotes.
    pub(super) fn visit(&mut self, block: usize) {
        match self.markdown.blocks[block].kind {
            BlockKind::Paragraph { .. } => self.last = self.of_paragraph(block).or(self.last),
            BlockKind::Item { .. } => {
                self.inside[block - self.first_block] = self.of_item(block).or_else(|| self.around(block));
            }
            _ => {}
        }
    }

    /// The label above a list item: that of an item around it, or else the last one before it.
    pub(super) fn above(&self, item: usize) -> Option<K> {
        self.around(item).or(self.last)
    }

    fn around(&self, item: usize) -> Option<K> {
        let parent = self.markdown.blocks[item].item?;
        self.inside[parent - self.first_block]
    }

    /// The label that this block is, if a new list item can be written below it, and the place for the item.
    /// Below a paragraph inside of a list item another label could be above the new item.
    pub(super) fn place(&self, block: usize) -> Option<(K, ListPlace)> {
        match self.markdown.blocks[block].kind {
            BlockKind::Item { .. } => {
                let label = self.of_item(block)?;
                let start = self.markdown.blocks[block].range.start;
                let is_too_deep = columns::is_too_deep(self.markdown.source, start);
                (!is_too_deep).then(|| (label, first_child(self.markdown, block)))
            }
            BlockKind::Paragraph { .. } if self.markdown.blocks[block].parent.is_none() => {
                let label = self.of_paragraph(block)?;
                let below = sections::end_of_last_line(self.markdown, block);
                Some((label, new_list(self.markdown, below)))
            }
            _ => None,
        }
    }
}

/// The place of the first list item below the heading of a section.
pub(super) fn below_heading(markdown: &Markdown<'_>, section: &SectionBlocks) -> ListPlace {
    new_list(markdown, section.below_heading(markdown))
}

/// The place of a list below a line.
fn new_list(markdown: &Markdown<'_>, below: usize) -> ListPlace {
    ListPlace { below, prefix: prefix_before_next(markdown, below, String::new()), is_apart: true }
}

/// The white space before the bullet of a list item that is written below a line: at least `least`. It is
/// that of the next line if that is indented a little more, because the next line would otherwise be nested
/// in the item.
fn prefix_before_next(markdown: &Markdown<'_>, below: usize, least: String) -> String {
    let next = text::lines(&markdown.source[below..]).find(|line| !line.trim().is_empty());
    let indentation = columns::indentation(next.unwrap_or_default());
    let width = columns::width(&least);
    if (width..width + 4).contains(&columns::width(indentation)) { indentation.to_owned() } else { least }
}

/// The place of the first child of a list item. It is nested in the item.
pub(super) fn first_child(markdown: &Markdown<'_>, item: usize) -> ListPlace {
    let paragraph = markdown.first_paragraph(item).unwrap_or(item);
    let below = sections::end_of_last_line(markdown, paragraph);
    let prefix = prefix_before_next(markdown, below, content_prefix(markdown, item));
    ListPlace { below, prefix, is_apart: false }
}

/// White space as wide as what stands before the content of a list item.
fn content_prefix(markdown: &Markdown<'_>, item: usize) -> String {
    let start = markdown.blocks[item].range.start;
    let before = columns::line_before(markdown.source, start);
    let marker = Marker::of(&markdown.source[start..]);
    let (marker, space) = marker.map_or(("-", " "), |marker| (marker.text, marker.space));
    let space = if space.is_empty() { " " } else { space };
    columns::blank(&[before, marker, space].concat())
}

/// Where a list item stands.
pub(super) fn list_item(markdown: &Markdown<'_>, item: usize) -> ListItemSpan {
    let range = markdown.blocks[item].range.clone();
    let is_first_in_line = columns::line_before(markdown.source, range.start).trim().is_empty();
    let end = sections::end_of_last_line(markdown, item);
    let marker = range.start;
    let lines = if is_first_in_line { sections::start_of_line(markdown, marker)..end } else { range };
    ListItemSpan { marker, lines, end }
}

/// The end of a section, where a new label can be added, and the bullet for it.
pub(super) fn new_label(
    markdown: &Markdown<'_>,
    section: &SectionBlocks,
    open_block: Option<usize>,
) -> (ListPlace, String) {
    let is_content = |block: &usize| match markdown.blocks[*block].kind {
        BlockKind::Heading { .. } | BlockKind::ThematicBreak => false,
        _ => !sections::is_hint(markdown, *block) && !sections::is_comment(markdown, *block),
    };
    let Some(last) = section.top_level(markdown).filter(is_content).last() else {
        return (below_heading(markdown, section), "- ".to_owned());
    };
    let start = markdown.blocks[last].range.start;
    if open_block.is_some_and(|open| open <= start) {
        let below = open_block.unwrap_or(start);
        return (new_list(markdown, below), "- ".to_owned());
    }
    let below = sections::end_of_last_line(markdown, last);
    match markdown.blocks[last].kind {
        BlockKind::Item { .. } => {
            let prefix = columns::blank(columns::line_before(markdown.source, start));
            let bullet = Marker::of(&markdown.source[start..]).map(Marker::of_new_sibling);
            let bullet = bullet.unwrap_or_else(|| "- ".to_owned());
            (ListPlace { below, prefix, is_apart: false }, bullet)
        }
        _ => (new_list(markdown, below), "- ".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_stands_between_asterisks_with_a_colon_inside_or_behind() {
        assert_eq!(split("**Status**: Done"), Some(("Status", " Done")));
        assert_eq!(split("**Status:** Done"), Some(("Status", " Done")));
        assert_eq!(split("**Status** Done"), None);
        assert_eq!(split("Status: Done"), None);
        assert_eq!(only_label("**In Scope**:"), Some("In Scope"));
        assert_eq!(only_label("**In Scope:**"), Some("In Scope:"));
        assert_eq!(only_label("**In Scope**"), Some("In Scope"));
        assert_eq!(only_label("**In** and **Out**"), None);
        assert_eq!(only_label("**In Scope**: text"), None);
    }
}
