//! Finds the dependency sections of a list document, and the statements in them.

use std::ops::Range;

use crate::list::outline::Outline;
use crate::list::statements::{Sentence, sentences};
use crate::list::tasks::Tasks;
use crate::markdown::{BlockKind, Markdown};

/// What the heading of a dependency section contains, in lower case.
const IN_HEADING: &str = "dependenc";

/// The statements of a document, each with the place of its line in the source.
pub fn statements(markdown: &Markdown<'_>, outline: &Outline, found: &Tasks) -> Vec<(usize, Sentence)> {
    let sections = sections(outline);
    let mut statements = Vec::new();
    for (index, block) in markdown.blocks.iter().enumerate() {
        let start = block.range.start;
        let is_read = matches!(block.kind, BlockKind::Paragraph { .. })
            && !block.in_quote
            && last_from(&sections, |section| section.start, start)
                .is_some_and(|section| section.end > start)
            && last_from(&found.tasks, |task| task.lines.start, start)
                .is_none_or(|task| task.lines.end <= start);
        if is_read {
            let (text, starts) = plain(markdown, index);
            statements.extend(sentences(text).into_iter().map(|sentence| {
                let line = starts.partition_point(|(start, _)| *start <= sentence.start).saturating_sub(1);
                (starts[line].1, sentence)
            }));
        }
    }
    statements
}

/// The last part that starts at an offset or before it.
fn last_from<T>(parts: &[T], start: impl Fn(&T) -> usize, offset: usize) -> Option<&T> {
    parts.partition_point(|part| start(part) <= offset).checked_sub(1).map(|last| &parts[last])
}

/// The dependency sections. A section in another one is a part of it.
fn sections(outline: &Outline) -> Vec<Range<usize>> {
    let mut sections: Vec<Range<usize>> = Vec::new();
    // The level of the heading of the present section.
    let mut level = None;
    for heading in &outline.headings {
        match sections.last_mut() {
            Some(section) if level.is_some_and(|level| heading.level > level) => {
                section.end = heading.section.end;
            }
            _ => {
                level = None;
                if heading.text.to_lowercase().contains(IN_HEADING) {
                    level = Some(heading.level);
                    sections.push(heading.section.clone());
                }
            }
        }
    }
    sections
}

/// The text of a paragraph in one line, without emphasis, code spans and white space but single spaces. For each
/// line of the source, it says where the line begins in the text, and in the source.
fn plain(markdown: &Markdown<'_>, block: usize) -> (String, Vec<(usize, usize)>) {
    let content = &markdown.blocks[block].content;
    let (mut text, mut starts) = (String::new(), Vec::new());
    for number in markdown.line(content.start)..=markdown.line(content.end) {
        let line = markdown.lines.range(number);
        let (start, end) = (line.start.max(content.start), line.end.min(content.end));
        starts.push((text.len(), start));
        let chars = markdown.source.get(start..end).unwrap_or_default().chars();
        for char in chars.filter(|char| !matches!(char, '*' | '`')) {
            if !char.is_whitespace() {
                text.push(char);
            } else if !text.is_empty() && !text.ends_with(' ') {
                text.push(' ');
            }
        }
    }
    text.truncate(text.trim_end().len());
    (text, starts)
}
