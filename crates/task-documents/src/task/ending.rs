//! The end of a document, where new sections are written. Code and comments without an end hide what follows
//! them.

use super::columns;
use super::names::Row;
use super::sections::{self, SectionBlocks};
use crate::markdown::{BlockKind, Markdown};

/// Code or HTML at the end of a document that has no end of its own.
#[derive(Clone, Debug)]
pub(super) struct OpenBlock {
    /// The beginning of its first line.
    pub start: usize,
    /// The line that ends it.
    closing: String,
}

/// Where new sections are written.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    /// Behind the document.
    End,
    /// Behind the document and this line.
    Closing(String),
    /// Before the heading of a section whose text has no end.
    BeforeSection(usize),
}

/// The HTML blocks that a blank line does not end: what they begin with, and what ends them.
const HTML_BLOCKS: [(&str, &str); 8] = [
    ("<!--", "-->"),
    ("<![CDATA[", "]]>"),
    ("<!", ">"),
    ("<?", "?>"),
    ("<script", "</script>"),
    ("<pre", "</pre>"),
    ("<style", "</style>"),
    ("<textarea", "</textarea>"),
];

impl OpenBlock {
    /// The last block of the document if a heading behind the document would be read as a part of it.
    pub(super) fn of(markdown: &Markdown<'_>) -> Option<Self> {
        let last = markdown.children(None).last()?;
        let block = &markdown.blocks[last];
        let text = &markdown.source[block.range.clone()];
        let end = match block.kind {
            BlockKind::Code => fence(text)?,
            BlockKind::Html => html_end(text)?.to_owned(),
            _ => return None,
        };
        // A new list before the block can make it a part of a list item.
        let closing = columns::line_before(markdown.source, block.range.start).to_owned() + &end;
        let start = sections::start_of_line(markdown, block.range.start);
        // The line end keeps a first line `---` from being read as front matter.
        let continued = format!("\n{}\n\n# Heading\n", &markdown.source[start..]);
        let continued = Markdown::parse(&continued);
        let end = continued.children(None).last()?;
        let is_open = !matches!(continued.blocks[end].kind, BlockKind::Heading { .. });
        is_open.then_some(Self { start, closing })
    }

    /// Where new sections are written.
    pub(super) fn ending(self, markdown: &Markdown<'_>, sections: &[SectionBlocks]) -> Ending {
        let is_last = |section: &&SectionBlocks| {
            section.blocks.end == markdown.blocks.len()
                && matches!(section.row, Row::Objective | Row::Rationale)
        };
        match sections.last().filter(is_last) {
            Some(section) => {
                let heading = markdown.blocks[section.heading].range.start;
                Ending::BeforeSection(sections::start_of_line(markdown, heading))
            }
            None => Ending::Closing(self.closing),
        }
    }
}

/// The backticks or tildes with which a fenced code block begins.
fn fence(code: &str) -> Option<String> {
    let first = code.chars().next().filter(|first| matches!(first, '`' | '~'))?;
    Some(code.chars().take_while(|letter| *letter == first).collect())
}

fn html_end(html: &str) -> Option<&'static str> {
    let begins = |start: &str| html.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start));
    HTML_BLOCKS.iter().find(|(start, _)| begins(start)).map(|(_, end)| *end)
}
