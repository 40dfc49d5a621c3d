//! Boxes such as `[ ]` and `[x]` at the beginning of a list item.

use std::ops::Range;

use crate::markdown::{BlockKind, Markdown};

/// The variation selector that asks for a coloured symbol. It belongs to the character before it.
const VARIATION_SELECTOR: char = '\u{fe0f}';

/// A box. Offsets are bytes of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskBox {
    /// What is between the brackets.
    pub content: Range<usize>,
    /// The offset behind the closing bracket.
    pub end: usize,
    pub mark: Mark,
}

/// What is in a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Empty,
    /// `x` or `X`.
    Ticked,
    /// Any other character. The box is not ticked.
    Unknown,
}

impl TaskBox {
    /// Reads the box at the beginning of a list item's first paragraph. None if there is no box, if the first
    /// block of the item is not a paragraph, or if the item is in a block quote.
    pub fn of_item(markdown: &Markdown<'_>, item: usize) -> Option<Self> {
        if markdown.blocks[item].in_quote {
            return None;
        }
        let paragraph = &markdown.blocks[markdown.first_paragraph(item)?];
        Self::at(markdown.source, paragraph.content.start)
    }

    /// Reads the box that begins at this byte of the source.
    pub fn at(source: &str, start: usize) -> Option<Self> {
        let inside = source[start..].strip_prefix('[')?;
        let spaces = |text: &str| text.len() - text.trim_start_matches([' ', '\t']).len();
        let mut length = spaces(inside);
        let mut mark = Mark::Empty;
        if let Some(first) = inside[length..].chars().next().filter(|first| *first != ']') {
            if first.is_whitespace() {
                return None;
            }
            mark = if matches!(first, 'x' | 'X') { Mark::Ticked } else { Mark::Unknown };
            length += first.len_utf8();
            if inside[length..].starts_with(VARIATION_SELECTOR) {
                length += VARIATION_SELECTOR.len_utf8();
            }
            length += spaces(&inside[length..]);
        }
        let after = inside[length..].strip_prefix(']')?;
        let content = start + 1..start + 1 + length;
        let end = content.end + 1;
        after.chars().next().is_none_or(char::is_whitespace).then_some(Self { content, end, mark })
    }

    pub fn is_ticked(&self) -> bool {
        self.mark == Mark::Ticked
    }
}

/// What is written between the brackets: a space, or the letter of the first ticked box of the document.
pub fn content_of(ticked: bool, first_ticked: Option<&str>) -> &'static str {
    match (ticked, first_ticked.map(str::trim)) {
        (false, _) => " ",
        (true, Some("X")) => "X",
        (true, _) => "x",
    }
}

/// The list items of a document that have a box, with the index of their block.
pub fn all<'m>(markdown: &'m Markdown<'_>) -> impl Iterator<Item = (usize, TaskBox)> + 'm {
    let items = (0..markdown.blocks.len())
        .filter(|index| matches!(markdown.blocks[*index].kind, BlockKind::Item { .. }));
    items.filter_map(|item| Some((item, TaskBox::of_item(markdown, item)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_hold_at_most_one_character() {
        let cases = [
            ("[ ] a", Some((Mark::Empty, " "))),
            ("[] a", Some((Mark::Empty, ""))),
            ("[x]", Some((Mark::Ticked, "x"))),
            ("[ X\t] a", Some((Mark::Ticked, " X\t"))),
            ("[~] a", Some((Mark::Unknown, "~"))),
            ("[✅]\ta", Some((Mark::Unknown, "✅"))),
            ("[⚠️] a", Some((Mark::Unknown, "⚠️"))),
            ("[xx] a", None),
            ("[x]a", None),
            ("[x](a)", None),
            ("[\n] a", None),
            ("\\[x] a", None),
            ("[", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let found = TaskBox::at(text, 0);
            assert_eq!(found.map(|found| (found.mark, &text[found.content])), expected, "{text:?}");
        }
    }

    #[test]
    fn only_list_items_outside_quotes_have_boxes() {
        let source = "[ ] a\n\n- [ ] b\n  - [x] c\n\n1. [X] d\n\n> - [ ] e\n\n- > [ ] f\n- \\[ ] g\n\
            -\n  [ ] h\n\n    [ ] i\n";
        let markdown = Markdown::parse(source);
        let found: Vec<_> =
            all(&markdown).map(|(_, found)| source[found.end..].trim_start().chars().next()).collect();
        assert_eq!(found, [Some('b'), Some('c'), Some('d'), Some('h')]);
    }

    #[test]
    fn the_letter_of_the_first_ticked_box_is_used_again() {
        assert_eq!(content_of(false, Some("X")), " ");
        assert_eq!([None, Some("x"), Some(" X ")].map(|first| content_of(true, first)), ["x", "x", "X"]);
    }
}
