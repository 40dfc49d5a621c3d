//! Reads a text as Markdown. This is the only file that uses pulldown-cmark, which decides what is code,
//! HTML, a block quote, a list item, a heading or a table.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, OffsetIter, Options, Parser, Tag, TagEnd};

use crate::markdown::prepare::{body_start, readable};
use crate::markdown::types::{Block, BlockKind, Inline, InlineKind, Markdown};
use crate::text::Lines;

impl<'a> Markdown<'a> {
    /// Reads a document. Every text is a document.
    pub fn parse(source: &'a str) -> Self {
        let lines = Lines::new(source);
        let body = body_start(source);
        let mut builder = Builder { source, body, ..Builder::default() };
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
        let readable = readable(&source[body..]);
        builder.read(Parser::new_ext(&readable, options).into_offset_iter());
        Self { source, lines, body, blocks: builder.blocks, inlines: builder.inlines }
    }
}

/// The state of reading.
#[derive(Default)]
struct Builder<'a> {
    source: &'a str,
    body: usize,
    blocks: Vec<Block>,
    inlines: Vec<Inline>,
    /// The blocks that have begun and not ended.
    open: Vec<usize>,
    /// The inlines that have begun and not ended.
    open_inlines: Vec<usize>,
    /// For each list that has begun, whether it is ordered.
    lists: Vec<bool>,
    /// Whether the innermost open block is a paragraph that pulldown-cmark does not report, as it does not
    /// for the text of list items without blank lines.
    in_unreported_paragraph: bool,
}

impl Builder<'_> {
    fn read(&mut self, events: OffsetIter<'_>) {
        for (event, range) in events {
            let range = range.start + self.body..range.end + self.body;
            match event {
                Event::Start(Tag::List(first)) => {
                    self.end_unreported_paragraph();
                    self.lists.push(first.is_some());
                }
                Event::End(TagEnd::List(_)) => {
                    self.lists.pop();
                }
                Event::Start(tag) => match self.block_kind(&tag, &range) {
                    Some(kind) => {
                        self.end_unreported_paragraph();
                        self.begin_block(kind, range);
                    }
                    None => self.begin_inline(&tag, range),
                },
                Event::End(tag) if is_inline(tag) => self.end_inline(),
                Event::End(_) => {
                    self.end_unreported_paragraph();
                    self.end_block();
                }
                Event::Rule => {
                    self.end_unreported_paragraph();
                    self.begin_block(BlockKind::ThematicBreak, range);
                    self.end_block();
                }
                Event::Code(_) => self.add_inline(InlineKind::Code, range),
                Event::InlineHtml(_) => self.add_inline(InlineKind::Html, range),
                _ => self.reach(range),
            }
        }
    }

    fn block_kind(&self, tag: &Tag<'_>, range: &Range<usize>) -> Option<BlockKind> {
        Some(match tag {
            Tag::Paragraph => BlockKind::Paragraph { underlined: false },
            Tag::Heading { level, .. } if is_written_with_number_signs(&self.source[range.clone()]) => {
                BlockKind::Heading { level: *level as u8 }
            }
            Tag::Heading { .. } => BlockKind::Paragraph { underlined: true },
            Tag::BlockQuote(_) => BlockKind::Quote,
            Tag::CodeBlock(_) => BlockKind::Code,
            Tag::HtmlBlock => BlockKind::Html,
            Tag::Item => BlockKind::Item { ordered: self.lists.last().is_some_and(|ordered| *ordered) },
            Tag::Table(_) => BlockKind::Table,
            Tag::TableHead => BlockKind::Row { header: true },
            Tag::TableRow => BlockKind::Row { header: false },
            Tag::TableCell => BlockKind::Cell,
            _ => return None,
        })
    }

    fn begin_block(&mut self, kind: BlockKind, range: Range<usize>) {
        let range = trimmed(self.source, range);
        let parent = self.open.last().copied();
        let of_parent = parent.map(|parent| &self.blocks[parent]);
        let is_item = |block: &&Block| matches!(block.kind, BlockKind::Item { .. });
        let item = of_parent.and_then(|block| if is_item(&block) { parent } else { block.item });
        let in_quote = of_parent.is_some_and(|block| block.in_quote || block.kind == BlockKind::Quote);
        let inlines = self.inlines.len()..self.inlines.len();
        let content = content_of(self.source, kind, range.clone());
        self.open.push(self.blocks.len());
        self.blocks.push(Block { kind, range, content, parent, item, in_quote, end: 0, inlines });
    }

    fn end_block(&mut self) {
        if let Some(block) = self.open.pop() {
            self.blocks[block].end = self.blocks.len();
            self.blocks[block].inlines.end = self.inlines.len();
        }
    }

    /// Begins a paragraph if the text at `start` is directly in a list item. A `\` before the first character
    /// is part of the paragraph, although pulldown-cmark reports the text without it.
    fn begin_unreported_paragraph(&mut self, start: usize) {
        let is_item = |block: &usize| matches!(self.blocks[*block].kind, BlockKind::Item { .. });
        if self.in_unreported_paragraph || !self.open.last().is_some_and(is_item) {
            return;
        }
        let start = start - usize::from(self.source[..start].ends_with('\\'));
        self.begin_block(BlockKind::Paragraph { underlined: false }, start..start);
        self.in_unreported_paragraph = true;
    }

    fn end_unreported_paragraph(&mut self) {
        if std::mem::take(&mut self.in_unreported_paragraph) {
            if let Some(block) = self.open.last() {
                let block = &mut self.blocks[*block];
                let rest = &self.source[block.range.end..];
                let end = block.range.end + rest.find(['\n', '\r']).unwrap_or(rest.len());
                block.range = trimmed(self.source, block.range.start..end);
                block.content = block.range.clone();
            }
            self.end_block();
        }
    }

    /// Extends the unreported paragraph and the innermost inline to what they contain.
    fn reach(&mut self, range: Range<usize>) {
        self.begin_unreported_paragraph(range.start);
        if self.in_unreported_paragraph
            && let Some(block) = self.open.last()
        {
            let end = &mut self.blocks[*block].range.end;
            *end = range.end.max(*end);
        }
        if let Some(inline) = self.open_inlines.last() {
            let end = &mut self.inlines[*inline].content.end;
            *end = range.end.max(*end);
        }
    }

    fn begin_inline(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        self.reach(range.clone());
        let (kind, delimiter) = match tag {
            Tag::Emphasis => (InlineKind::Emphasis, 1),
            Tag::Strong => (InlineKind::Strong, 2),
            Tag::Strikethrough if self.source[range.start..].starts_with("~~") => {
                (InlineKind::Strikethrough, 2)
            }
            Tag::Strikethrough => (InlineKind::Strikethrough, 1),
            Tag::Link { link_type: LinkType::Autolink | LinkType::Email, .. } => (InlineKind::Autolink, 1),
            Tag::Image { .. } => (InlineKind::Image, 2),
            _ => (InlineKind::Link, 1),
        };
        let start = range.end.min(range.start + delimiter);
        let end = match kind {
            // The text ends where the last event in it ends.
            InlineKind::Link | InlineKind::Image => start,
            _ => start.max(range.end - delimiter),
        };
        self.open_inlines.push(self.inlines.len());
        let block = self.open.last().copied().unwrap_or_default();
        self.inlines.push(Inline { kind, range, content: start..end, block });
    }

    fn end_inline(&mut self) {
        if let Some(inline) = self.open_inlines.pop() {
            let inline = &mut self.inlines[inline];
            if matches!(inline.kind, InlineKind::Link | InlineKind::Image) {
                let rest = &self.source[inline.content.end..inline.range.end];
                inline.content.end += rest.find(']').unwrap_or(rest.len());
            } else {
                // Events inside cannot reach beyond the closing delimiter.
                let delimiter = inline.content.start - inline.range.start;
                inline.content.end = inline.content.start.max(inline.range.end - delimiter);
            }
        }
    }

    fn add_inline(&mut self, kind: InlineKind, range: Range<usize>) {
        self.reach(range.clone());
        let text = &self.source[range.clone()];
        let delimiter = match kind {
            InlineKind::Code => text.len() - text.trim_start_matches('`').len(),
            _ => 0,
        };
        let start = range.end.min(range.start + delimiter);
        let content = start..start.max(range.end - delimiter);
        let block = self.open.last().copied().unwrap_or_default();
        self.inlines.push(Inline { kind, range, content, block });
    }
}

fn is_inline(tag: TagEnd) -> bool {
    matches!(tag, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image)
}

/// Whether a heading is written with `#`: then it is on one line.
fn is_written_with_number_signs(heading: &str) -> bool {
    let heading = heading.trim();
    heading.starts_with('#') && !heading.contains(['\n', '\r'])
}

fn trimmed(source: &str, range: Range<usize>) -> Range<usize> {
    let text = source[range.clone()].trim_start();
    let start = range.end - text.len();
    start..start + text.trim_end().len()
}

fn content_of(source: &str, kind: BlockKind, range: Range<usize>) -> Range<usize> {
    let text = &source[range.clone()];
    match kind {
        BlockKind::Heading { .. } => {
            let opened = text.trim_start_matches('#');
            // A closing sequence is a group of `#` after white space. `# #` has one and no content.
            let closed = opened.trim_end_matches('#');
            let end = if closed.ends_with([' ', '\t']) { closed.trim_end() } else { opened };
            let start = range.end - opened.len();
            trimmed(source, start..start + end.len())
        }
        BlockKind::Paragraph { underlined: true } => {
            let last = text.rfind(['\n', '\r']).unwrap_or(text.len());
            trimmed(source, range.start..range.start + last)
        }
        _ => range,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each block with its depth, its kind and its content.
    fn tree(source: &str) -> Vec<String> {
        let markdown = Markdown::parse(source);
        let line = |(index, block): (usize, &Block)| {
            let depth = markdown.ancestors(index).count();
            format!("{}{:?} {}", "  ".repeat(depth), block.kind, markdown.content(index))
        };
        markdown.blocks.iter().enumerate().map(line).collect()
    }

    fn inlines(source: &str) -> Vec<(InlineKind, String, String)> {
        let markdown = Markdown::parse(source);
        let parts = |inline: &Inline| {
            let [content, target] =
                [inline.content.clone(), inline.target()].map(|part| source[part].to_owned());
            (inline.kind, content, target)
        };
        markdown.inlines.iter().map(parts).collect()
    }

    #[test]
    fn the_text_of_list_items_is_a_paragraph_with_and_without_blank_lines() {
        let tight = "- \\[a\n  b*c*\n  - d\n    ```\n    e\n    ```\n    f  \n1. g\n";
        assert_eq!(
            tree(tight),
            [
                "Item { ordered: false } - \\[a\n  b*c*\n  - d\n    ```\n    e\n    ```\n    f",
                "  Paragraph { underlined: false } \\[a\n  b*c*",
                "  Item { ordered: false } - d\n    ```\n    e\n    ```\n    f",
                "    Paragraph { underlined: false } d",
                "    Code ```\n    e\n    ```",
                "    Paragraph { underlined: false } f",
                "Item { ordered: true } 1. g",
                "  Paragraph { underlined: false } g",
            ]
        );
        let loose = "-\n  a\n\n  b\n\n- > c\n";
        assert_eq!(
            tree(loose),
            [
                "Item { ordered: false } -\n  a\n\n  b",
                "  Paragraph { underlined: false } a",
                "  Paragraph { underlined: false } b",
                "Item { ordered: false } - > c",
                "  Quote > c",
                "    Paragraph { underlined: false } c",
            ]
        );
        let markdown = Markdown::parse(loose);
        assert_eq!((markdown.first_paragraph(0), markdown.first_paragraph(3)), (Some(1), None));
        assert_eq!(markdown.children(None).collect::<Vec<_>>(), [0, 3]);
        assert_eq!(markdown.children(Some(0)).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((markdown.blocks[5].item, markdown.blocks[5].in_quote), (Some(3), true));
    }

    #[test]
    fn only_headings_with_number_signs_are_headings() {
        let source =
            "## A *b* ##\n#\n###### c#\n#d\n---\n**Checkpoint**: e\nf\n===\n\n---\n[g]: h\n    # i\n---\n";
        assert_eq!(
            tree(source),
            [
                "Heading { level: 2 } A *b*",
                "Heading { level: 1 } ",
                "Heading { level: 6 } c#",
                "Paragraph { underlined: true } #d",
                "Paragraph { underlined: true } **Checkpoint**: e\nf",
                "ThematicBreak ---",
                "Paragraph { underlined: true } # i",
            ]
        );
    }

    #[test]
    fn tables_have_cells() {
        assert_eq!(
            tree("| a | b\\|c |\n|---|---|\n| `x` |\n"),
            [
                "Table | a | b\\|c |\n|---|---|\n| `x` |",
                "  Row { header: true } | a | b\\|c |",
                "    Cell a",
                "    Cell b\\|c",
                "  Row { header: false } | `x` |",
                "    Cell `x`",
                "    Cell ",
            ]
        );
    }

    #[test]
    fn front_matter_is_not_read() {
        for (source, body) in [
            ("---\na: b\n---\n# c", 13),
            ("\u{feff}---\r\n--- \r\n# c", 14),
            ("---\n## Phase 1\n---\n", 0),
            ("---\na: b\n", 0),
            ("---a\n---\n", 0),
            ("\n---\n---\n", 0),
            ("\u{feff}# c", 3),
        ] {
            let markdown = Markdown::parse(source);
            assert_eq!(markdown.body, body, "{source:?}");
            assert!(markdown.blocks.iter().all(|block| block.range.start >= body), "{source:?}");
        }
        assert_eq!(tree("---\n# a: b\n---\n# c"), ["Heading { level: 1 } c"]);
        assert_eq!(tree("\u{feff}# c"), ["Heading { level: 1 } c"]);
    }

    #[test]
    fn inlines_have_a_content_and_links_a_target() {
        let expected = [
            (InlineKind::Code, "a `b`", ""),
            (InlineKind::Strong, "c *d*", ""),
            (InlineKind::Emphasis, "d", ""),
            (InlineKind::Strikethrough, "e", ""),
            (InlineKind::Strikethrough, "f", ""),
            (InlineKind::Link, "g\\]`h`", "(i \"j\")"),
            (InlineKind::Code, "h", ""),
            (InlineKind::Image, "k", "(l)"),
            (InlineKind::Link, "m", "[n]"),
            (InlineKind::Link, "n", ""),
            (InlineKind::Link, "", "(o)"),
            (InlineKind::Autolink, "pp:q", ""),
            (InlineKind::Html, "<r>", ""),
        ];
        let source = "``a `b` `` **c *d*** ~~e~~ ~f~ [g\\]`h`](i \"j\") ![k](l) [m][n] [n] [](o) <pp:q> <r>\n\n\
            [n]: s\n";
        let found = inlines(source);
        let found: Vec<_> = found
            .iter()
            .map(|(kind, content, target)| (*kind, content.trim_end_matches(' '), target.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn line_ends_of_every_kind_end_blocks() {
        let expected = ["Code a", "Item { ordered: false } - b", "  Paragraph { underlined: false } b"];
        for line_end in ["\n", "\r\n", "\r"] {
            assert_eq!(tree(&format!("    a{line_end}- b{line_end}")), expected, "{line_end:?}");
        }
    }

    #[test]
    fn blocks_are_nested_to_a_limit_only() {
        for bullet in ["- ", ">", "1. "] {
            let source = format!("{}a\n{}", bullet.repeat(1_000), "\n".repeat(1_000));
            let depth = Markdown::parse(&source).blocks.len();
            assert!((50..=201).contains(&depth), "{bullet}: {depth}");
        }
    }
}
