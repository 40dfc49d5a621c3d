//! Finds the sections of a task document: the headings with known names and the blocks below them.

use std::collections::HashSet;
use std::ops::Range;

use super::columns;
use super::names::Row;
use super::report::Report;
use crate::diagnostic::Code;
use crate::markdown::{BlockKind, InlineKind, Markdown};

/// A section of a task document.
#[derive(Clone, Debug)]
pub(super) struct SectionBlocks {
    pub row: Row,
    /// The block of the heading.
    pub heading: usize,
    /// The blocks below the heading.
    pub blocks: Range<usize>,
}

impl SectionBlocks {
    /// The blocks of the section that are in no other block.
    pub(super) fn top_level<'m>(&self, markdown: &'m Markdown<'_>) -> impl Iterator<Item = usize> + use<'m> {
        let end = self.blocks.end;
        let next = |block: &usize| markdown.blocks.get(*block).map(|block| block.end);
        std::iter::successors(Some(self.blocks.start), next).take_while(move |block| *block < end)
    }

    /// The end of the line below which a new first line of the section is written: the heading and the hints
    /// that follow it. Indented code is left above too, because it would become part of a list item.
    pub(super) fn below_heading(&self, markdown: &Markdown<'_>) -> usize {
        let stays_above = |block: &usize| is_hint(markdown, *block) || is_indented_code(markdown, *block);
        let last = self.top_level(markdown).take_while(stays_above).last().unwrap_or(self.heading);
        end_of_last_line(markdown, last)
    }
}

/// Finds the sections, in the order of the document. Those with a row that an earlier section has are
/// reported.
pub(super) fn find(markdown: &Markdown<'_>, report: &mut Report<'_>) -> Vec<SectionBlocks> {
    let mut sections: Vec<SectionBlocks> = Vec::new();
    let mut rows = HashSet::new();
    let mut open: Option<u8> = None;
    for block in markdown.children(None) {
        let BlockKind::Heading { level } = markdown.blocks[block].kind else { continue };
        let row = Row::of_heading(markdown.content(block));
        if (row.is_some() || open.is_some_and(|open| level <= open))
            && open.take().is_some()
            && let Some(section) = sections.last_mut()
        {
            section.blocks.end = block;
        }
        let Some(row) = row else { continue };
        if !rows.insert(row) {
            let start = markdown.blocks[block].range.start;
            report.add(Code::RepeatedSection, start, repeated_message(row));
        }
        open = Some(level);
        sections.push(SectionBlocks { row, heading: block, blocks: block + 1..markdown.blocks.len() });
    }
    sections
}

fn repeated_message(row: Row) -> &'static str {
    match row {
        Row::Objective => "An earlier section is the objective. This section is not read.",
        Row::Rationale => "An earlier section is the rationale. This section is not read.",
        _ => "An earlier section has the same meaning. Both are read.",
    }
}

/// Whether a block is a paragraph that is completely in italics. Templates explain their sections so.
pub(super) fn is_hint(markdown: &Markdown<'_>, block: usize) -> bool {
    let is_paragraph = matches!(markdown.blocks[block].kind, BlockKind::Paragraph { .. });
    let first = markdown.inlines_of(block).first();
    is_paragraph
        && first.is_some_and(|inline| {
            inline.kind == InlineKind::Emphasis && inline.range == markdown.blocks[block].content
        })
}

fn is_indented_code(markdown: &Markdown<'_>, block: usize) -> bool {
    let block = &markdown.blocks[block];
    block.kind == BlockKind::Code
        && columns::width(columns::line_before(markdown.source, block.range.start)) >= 4
}

/// The offset behind the last line of a block.
pub(super) fn end_of_last_line(markdown: &Markdown<'_>, block: usize) -> usize {
    let range = &markdown.blocks[block].range;
    markdown.lines.end(range.end.saturating_sub(1).max(range.start))
}

/// Whether a block is an HTML comment.
pub(super) fn is_comment(markdown: &Markdown<'_>, block: usize) -> bool {
    let block = &markdown.blocks[block];
    block.kind == BlockKind::Html && markdown.source[block.range.clone()].starts_with("<!--")
}

/// The lines of a range of bytes, without their line ends.
pub(super) fn lines<'m>(
    markdown: &'m Markdown<'_>,
    range: Range<usize>,
) -> impl Iterator<Item = Range<usize>> + use<'m> {
    let numbers = markdown.line(range.start)..=markdown.line(range.end);
    numbers.map(move |number| {
        let line = markdown.lines.range(number);
        let (start, end) = (line.start.max(range.start), line.end.min(range.end));
        start..start + markdown.source[start..end].trim_end_matches(['\n', '\r']).len()
    })
}

/// The beginning of the line that holds this byte. A byte order mark stands before all lines.
pub(super) fn start_of_line(markdown: &Markdown<'_>, offset: usize) -> usize {
    markdown.lines.start(offset).max(markdown.body.min(offset))
}
