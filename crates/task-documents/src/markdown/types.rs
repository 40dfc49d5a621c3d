//! The blocks and inlines of a Markdown document with their bytes in the source. What stands inside a line is
//! left to others: they read slices of the source.

use std::ops::Range;

use crate::text::Lines;

/// A document as a tree of blocks. All offsets are bytes of `source`.
#[derive(Clone, Debug)]
pub struct Markdown<'a> {
    pub source: &'a str,
    pub lines: Lines,
    /// Where the Markdown begins: behind a byte order mark and front matter.
    pub body: usize,
    /// All blocks, in the order of the document: a block comes before the blocks in it.
    pub blocks: Vec<Block>,
    /// Code spans, emphasis, links and so on, in the order of the document: the outer ones come first.
    pub inlines: Vec<Inline>,
}

/// A block of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub kind: BlockKind,
    /// From the first byte that is not white space, for a list item from its bullet, to behind the last byte
    /// that is not white space.
    pub range: Range<usize>,
    /// The text of a heading without `#`, of a paragraph without a line below it, and of a cell. For all
    /// other blocks the same as `range`. It begins and ends with a byte that is not white space, or is empty.
    pub content: Range<usize>,
    /// The index of the block around it in [`Markdown::blocks`].
    pub parent: Option<usize>,
    /// The innermost list item around it, which can be around its parent.
    pub item: Option<usize>,
    /// Whether it is in a block quote.
    pub in_quote: bool,
    /// The index behind its last descendant. So the descendants of block `i` are `i + 1..blocks[i].end`.
    pub end: usize,
    /// The indexes in [`Markdown::inlines`] of the inlines in it and in its descendants.
    pub inlines: Range<usize>,
}

/// The kinds of blocks. A list is no block of its own: its items are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// A heading that is written with `#`. A heading that is written by underlining is a paragraph.
    Heading {
        level: u8,
    },
    /// Also the text of a list item without blank lines.
    Paragraph {
        /// Whether a line of `=` or `-` below it makes it a heading for CommonMark.
        underlined: bool,
    },
    Item {
        ordered: bool,
    },
    Quote,
    /// A fenced or indented code block.
    Code,
    /// An HTML block or a comment.
    Html,
    ThematicBreak,
    /// Its children are rows.
    Table,
    /// Its children are cells, as many as the header has: missing cells are empty, and further ones are left
    /// out.
    Row {
        header: bool,
    },
    Cell,
}

impl BlockKind {
    /// Whether what stands in the block is never read.
    pub fn is_unread(self) -> bool {
        matches!(self, Self::Code | Self::Html)
    }
}

/// A part of a line with a meaning of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inline {
    pub kind: InlineKind,
    /// With its delimiters.
    pub range: Range<usize>,
    /// Without its delimiters: of a link or an image, the text between the brackets.
    pub content: Range<usize>,
    /// The block that it is in.
    pub block: usize,
}

/// The kinds of inlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InlineKind {
    Code,
    Emphasis,
    Strong,
    Strikethrough,
    /// `[text](target)`, `[text][name]` or `[name]`.
    Link,
    Image,
    /// `<https://example.com>`.
    Autolink,
    Html,
}

impl Inline {
    /// What stands behind the text of a link or an image: the target with its brackets. Empty for other
    /// kinds.
    pub fn target(&self) -> Range<usize> {
        match self.kind {
            InlineKind::Link | InlineKind::Image => self.range.end.min(self.content.end + 1)..self.range.end,
            _ => self.range.end..self.range.end,
        }
    }
}

impl<'a> Markdown<'a> {
    /// The content of a block as it is written.
    pub fn content(&self, block: usize) -> &'a str {
        &self.source[self.blocks[block].content.clone()]
    }

    /// The paragraph with which a list item begins. None if it begins with another block or is empty.
    pub fn first_paragraph(&self, item: usize) -> Option<usize> {
        let first = self.blocks.get(item + 1)?;
        let is_paragraph = matches!(first.kind, BlockKind::Paragraph { .. }) && first.parent == Some(item);
        is_paragraph.then_some(item + 1)
    }

    /// The children of a block, in their order; without a block, the blocks that are in no other block.
    pub fn children(&self, block: Option<usize>) -> impl Iterator<Item = usize> + '_ {
        let (first, end) = block.map_or((0, self.blocks.len()), |block| (block + 1, self.blocks[block].end));
        std::iter::successors(Some(first).filter(|first| *first < end), move |child| {
            Some(self.blocks[*child].end).filter(|next| *next < end)
        })
    }

    /// The blocks around a block, from the inside.
    pub fn ancestors(&self, block: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.blocks[block].parent, |parent| self.blocks[*parent].parent)
    }

    /// The inlines in a block and in its descendants.
    pub fn inlines_of(&self, block: usize) -> &[Inline] {
        &self.inlines[self.blocks[block].inlines.clone()]
    }

    /// The number of the line that holds this byte, counted from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.lines.number(offset)
    }

    /// For each line, whether it is in one of these ranges. The number of the first line is 1.
    pub fn lines_in(&self, ranges: impl Iterator<Item = Range<usize>>) -> Vec<bool> {
        let mut lines = vec![false; self.lines.count() + 1];
        for range in ranges.filter(|range| !range.is_empty()) {
            let (first, last) = (self.line(range.start), self.line(range.end - 1));
            lines[first..=last].fill(true);
        }
        lines
    }

    /// For each line, whether it is in a code block or an HTML block. The number of the first line is 1.
    pub fn unread_lines(&self) -> Vec<bool> {
        let unread = self.blocks.iter().filter(|block| block.kind.is_unread());
        self.lines_in(unread.map(|block| block.range.clone()))
    }
}
