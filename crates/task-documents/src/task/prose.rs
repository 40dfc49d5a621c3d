//! The objective and the rationale: the text of a section without hints and examples.

use std::ops::Range;

use super::columns;
use super::labels;
use super::sections::{self, SectionBlocks};
use super::spans::ProseSpan;
use crate::markdown::{BlockKind, Markdown};
use crate::text;

/// What a block of the section is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// A hint, a heading, a thematic break or a comment, which is left out at either end.
    LeftOut,
    /// An example, with the offset of its text behind the label.
    Example(usize),
    Text,
}

/// Reads the text of a section. It has LF as line ends, and can be longer than its field allows.
pub(super) fn read(markdown: &Markdown<'_>, section: Option<&SectionBlocks>) -> (Option<String>, ProseSpan) {
    let Some(section) = section else { return (None, ProseSpan::NoSection) };
    let parts: Vec<_> = section.top_level(markdown).map(|block| (block, part(markdown, block))).collect();
    let texts: Vec<usize> = blocks(&parts, |part| part == Part::Text);
    let examples: Vec<usize> = blocks(&parts, |part| matches!(part, Part::Example(_)));
    let counted = if texts.is_empty() { &examples } else { &texts };
    let empty = || (None, ProseSpan::Empty { below: section.below_heading(markdown) });
    let (Some(first), Some(last)) = (counted.first(), counted.last()) else { return empty() };
    let line_start = sections::start_of_line(markdown, markdown.blocks[*first].range.start);
    let span = line_start..markdown.blocks[*last].content.end;
    let start = match part(markdown, *first) {
        Part::Example(start) => start,
        _ => span.start,
    };
    let value = without_escapes(markdown, *first..*last + 1, start..span.end);
    let value = text::nfc(text::with_line_feeds(&value).trim());
    if value.is_empty() {
        return empty();
    }
    // Examples that are not counted now would be the text afterwards.
    let outside = examples.iter().filter(|example| !(first..=last).contains(example));
    let outside = outside.map(|example| markdown.blocks[*example].range.clone());
    let cleared = std::iter::once(line_start..markdown.blocks[*last].range.end).chain(outside).collect();
    let is_underlined = markdown.blocks[*last].kind == BlockKind::Paragraph { underlined: true };
    (Some(value), ProseSpan::Text { span, is_underlined, cleared })
}

fn blocks(parts: &[(usize, Part)], is_wanted: impl Fn(Part) -> bool) -> Vec<usize> {
    parts.iter().filter(|(_, part)| is_wanted(*part)).map(|(block, _)| *block).collect()
}

fn part(markdown: &Markdown<'_>, block: usize) -> Part {
    match markdown.blocks[block].kind {
        BlockKind::Heading { .. } | BlockKind::ThematicBreak => return Part::LeftOut,
        BlockKind::Html if sections::is_comment(markdown, block) => return Part::LeftOut,
        BlockKind::Paragraph { .. } => {}
        _ => return Part::Text,
    }
    let content = markdown.blocks[block].content.clone();
    match labels::split(&markdown.source[content.clone()]) {
        _ if sections::is_hint(markdown, block) => Part::LeftOut,
        Some((name, rest)) if name.eq_ignore_ascii_case("example") => Part::Example(content.end - rest.len()),
        _ => Part::Text,
    }
}

/// The source without each `\` before a `#` that would otherwise begin a heading.
fn without_escapes(markdown: &Markdown<'_>, blocks: Range<usize>, range: Range<usize>) -> String {
    let mut text = String::with_capacity(range.len());
    let mut copied = range.start;
    for escape in escapes(markdown, blocks).filter(|escape| range.contains(escape)) {
        text.push_str(&markdown.source[copied..escape]);
        copied = escape + 1;
    }
    text.push_str(&markdown.source[copied..range.end]);
    text
}

/// The offset of each first `\` in lines of paragraphs that would begin a heading without it.
fn escapes<'m>(markdown: &'m Markdown<'_>, blocks: Range<usize>) -> impl Iterator<Item = usize> + use<'m> {
    let is_paragraph = |block: &usize| {
        let block = &markdown.blocks[*block];
        matches!(block.kind, BlockKind::Paragraph { .. }) && block.parent.is_none()
    };
    let lines = blocks
        .filter(is_paragraph)
        .flat_map(|block| sections::lines(markdown, markdown.blocks[block].content.clone()));
    lines.filter_map(|line| {
        let text = &markdown.source[line.clone()];
        let unindented = text.trim_start_matches(' ');
        let indentation = text.len() - unindented.len();
        let heading = unindented.trim_start_matches('\\');
        let is_escaped = heading.len() < unindented.len() && columns::begins_heading(heading);
        (indentation < 4 && is_escaped).then_some(line.start + indentation)
    })
}

/// The text with a `\` before each line that would begin a heading. Reading drops it again.
pub(super) fn with_escapes(value: &str) -> String {
    if !value.contains('#') {
        return value.to_owned();
    }
    // The line end keeps a first line `---` from being read as front matter.
    let document = format!("\n{value}");
    let markdown = Markdown::parse(&document);
    let is_heading = |block: &usize| matches!(markdown.blocks[*block].kind, BlockKind::Heading { .. });
    let headings = markdown.children(None).filter(is_heading).map(|block| markdown.blocks[block].range.start);
    let mut places: Vec<usize> = headings.chain(escapes(&markdown, 0..markdown.blocks.len())).collect();
    places.sort_unstable();
    let mut text = String::with_capacity(value.len() + places.len());
    let mut copied = 1;
    for place in places {
        text.push_str(&document[copied..place]);
        text.push('\\');
        copied = place;
    }
    text.push_str(&document[copied..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_would_begin_a_heading_are_escaped() {
        for (value, expected) in [
            ("a # b\n#c", "a # b\n#c"),
            ("# a\n  ## b", "\\# a\n  \\## b"),
            ("\\# a", "\\\\# a"),
            ("```\n# a\n```\n#", "```\n# a\n```\n\\#"),
            ("- # a\n\n> # b", "- # a\n\n> # b"),
            ("a\n    # b", "a\n    # b"),
            ("---\n# a\n---", "---\n\\# a\n---"),
        ] {
            assert_eq!(with_escapes(value), expected, "{value:?}");
        }
    }
}
