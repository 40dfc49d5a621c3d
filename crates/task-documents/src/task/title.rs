//! The title of a task document.

use std::ops::Range;

use super::names::Row;
use super::report::Report;
use super::sections;
use super::spans::TitleSpan;
use crate::diagnostic::Code;
use crate::markdown::{BlockKind, Markdown};
use crate::text;

/// The title of a document that has none.
pub(super) const UNTITLED: &str = "Untitled task";

/// A title in a document.
pub(super) struct Title {
    pub text: String,
    pub span: TitleSpan,
    /// From behind the line of the title to the next heading: where field lines are read.
    pub fields: Range<usize>,
}

/// Reads the title: the first heading of level 1, else the first heading, else the first line.
pub(super) fn read(markdown: &Markdown<'_>, limit: usize, report: &mut Report<'_>) -> Title {
    let is_heading = |block: &usize| matches!(markdown.blocks[*block].kind, BlockKind::Heading { .. });
    let headings = || markdown.children(None).filter(is_heading);
    let is_first_level = |block: &usize| markdown.blocks[*block].kind == BlockKind::Heading { level: 1 };
    let source_end = markdown.source.len();
    let (line, span, fields) = match headings().find(is_first_level).or_else(|| headings().next()) {
        Some(heading) => {
            let content = markdown.blocks[heading].content.clone();
            let next = headings().find(|next| *next > heading);
            let end = next.map_or(source_end, |next| markdown.blocks[next].range.start);
            let span = match Row::of_heading(markdown.content(heading)) {
                Some(_) => TitleSpan::SectionHeading(sections::start_of_line(markdown, content.start)),
                None => TitleSpan::Heading(without_prefix(markdown.source, content.clone())),
            };
            (content, span, sections::end_of_last_line(markdown, heading)..end)
        }
        None => match first_line(markdown) {
            Some(line) => {
                let span = without_prefix(markdown.source, line.clone());
                let end = markdown.lines.end(line.start);
                let heading = replaceable(markdown, &line);
                (line.clone(), TitleSpan::Line { line, span, heading }, end..source_end)
            }
            None => (markdown.body..markdown.body, TitleSpan::Missing, markdown.body..source_end),
        },
    };
    let title = &markdown.source[without_prefix(markdown.source, line.clone())];
    if is_in_brackets(title) || title.contains("YYYY") {
        report.add(Code::Placeholder, line.start, "The title is a placeholder of a template.");
    }
    let text = cut(&text::nfc(title), limit);
    if text.len() < text::nfc(title).len() {
        let message = format!("The title is longer than {limit} characters. The rest is not read.");
        report.add(Code::TextCut, line.start, message);
    }
    let text = if text.is_empty() { UNTITLED.to_owned() } else { text };
    Title { text, span, fields }
}

/// The first line that is not blank and neither code nor HTML.
fn first_line(markdown: &Markdown<'_>) -> Option<Range<usize>> {
    let is_unread = |block: &usize| matches!(markdown.blocks[*block].kind, BlockKind::Code | BlockKind::Html);
    let mut unread = markdown.children(None).filter(is_unread).peekable();
    sections::lines(markdown, markdown.body..markdown.source.len()).find_map(|line| {
        while unread.next_if(|block| markdown.blocks[*block].range.end <= line.start).is_some() {}
        let is_unread = unread.peek().is_some_and(|block| markdown.blocks[*block].range.start < line.end);
        let text = markdown.source[line.clone()].trim_start();
        let start = line.end - text.len();
        (!text.is_empty() && !is_unread).then(|| start..start + text.trim_end().len())
    })
}

/// What a heading can replace. The rest of a paragraph must be one after a heading too.
fn replaceable(markdown: &Markdown<'_>, line: &Range<usize>) -> Option<Range<usize>> {
    let block = markdown.children(None).find(|block| markdown.blocks[*block].range.end > line.start)?;
    let block = &markdown.blocks[block];
    let BlockKind::Paragraph { underlined } = block.kind else { return None };
    let mut rest = sections::lines(markdown, line.end..block.content.end).skip(1);
    let is_plain = |line: Range<usize>| {
        let text = &markdown.source[line];
        text.starts_with(char::is_alphabetic) || text.starts_with("**")
    };
    let start = sections::start_of_line(markdown, line.start);
    match underlined {
        true => (block.content == *line).then_some(start..block.range.end),
        false => (block.range.start == line.start && rest.all(is_plain)).then_some(start..line.end),
    }
}

/// The range without a leading `TASK:` and the white space behind it.
fn without_prefix(source: &str, range: Range<usize>) -> Range<usize> {
    let text = &source[range.clone()];
    range.end - strip_prefix(text).unwrap_or(text).len()..range.end
}

/// The text behind a leading `TASK:`.
pub(super) fn strip_prefix(text: &str) -> Option<&str> {
    let prefix = text.get(..5).filter(|prefix| prefix.eq_ignore_ascii_case("task:"))?;
    Some(text[prefix.len()..].trim_start())
}

fn cut(title: &str, limit: usize) -> String {
    let end = title.char_indices().nth(limit).map_or(title.len(), |(end, _)| end);
    title[..end].trim().to_owned()
}

/// Whether a text is one group in square brackets.
pub(super) fn is_in_brackets(text: &str) -> bool {
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    inside.is_some_and(|inside| !inside.contains(']'))
}
