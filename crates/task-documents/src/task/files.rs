//! Reads the files of a task document.

use std::ops::Range;

use super::columns;
use super::labels::{self, Labels};
use super::names::{self, Row};
use super::report::Report;
use super::sections::SectionBlocks;
use super::spans::{FileSpan, Places};
use super::values::{File, FileKind, Limits};
use crate::boxes::TaskBox;
use crate::diagnostic::Code;
use crate::markdown::{BlockKind, InlineKind, Markdown};
use crate::text;

/// The files of a document.
#[derive(Default)]
pub(super) struct Files {
    pub files: Vec<File>,
    pub spans: Vec<FileSpan>,
    pub places: Places<FileKind>,
    has_too_many: bool,
}

/// Reads the files of all sections.
pub(super) fn read(
    markdown: &Markdown<'_>,
    sections: &[SectionBlocks],
    limits: &Limits,
    open_block: Option<usize>,
    report: &mut Report<'_>,
) -> Files {
    let mut files = Files::default();
    for section in sections.iter().filter(|section| section.row == Row::Files) {
        if files.places.new_label.is_none() {
            files.places.new_label = Some(labels::new_label(markdown, section, open_block));
        }
        files.read(markdown, section, limits, report);
    }
    files
}

impl Files {
    fn read(
        &mut self,
        markdown: &Markdown<'_>,
        section: &SectionBlocks,
        limits: &Limits,
        report: &mut Report<'_>,
    ) {
        let mut labels = Labels::new(markdown, section, names::kind_of_label);
        // What is nested in the item of a file is a note about the file.
        let mut notes = 0..0;
        for block in section.blocks.clone().filter(|block| !markdown.blocks[*block].in_quote) {
            if notes.contains(&block) {
                continue;
            }
            if let Some((label, place)) = labels.place(block) {
                self.places.add(label, || place);
            } else if matches!(markdown.blocks[block].kind, BlockKind::Item { .. })
                && let Some(kind) = labels.above(block)
                && let Some((path, span)) = path(markdown, block)
            {
                self.add(markdown, block, kind, (&path, span), limits, report);
                notes = block + 1..markdown.blocks[block].end;
            }
            labels.visit(block);
        }
    }

    fn add(
        &mut self,
        markdown: &Markdown<'_>,
        item: usize,
        kind: FileKind,
        (path, span): (&str, Range<usize>),
        limits: &Limits,
        report: &mut Report<'_>,
    ) {
        if self.files.len() == limits.files {
            if !std::mem::replace(&mut self.has_too_many, true) {
                let message = format!("A task has at most {} files. The rest is read as text.", limits.files);
                report.add(Code::TooMany, span.start, message);
            }
            return;
        }
        let path = report.cut(path, limits.path, span.start, "The path");
        self.files.push(File { origin: Some(self.files.len()), kind, path });
        self.spans.push(FileSpan { list_item: labels::list_item(markdown, item), path: span });
    }
}

/// The first code span of a list item; without one, its text without a box. The span has the delimiters.
fn path(markdown: &Markdown<'_>, item: usize) -> Option<(String, Range<usize>)> {
    let paragraph = markdown.first_paragraph(item)?;
    if columns::is_too_deep(markdown.source, markdown.blocks[item].range.start) {
        return None;
    }
    let code = markdown.inlines_of(paragraph).iter().find(|inline| inline.kind == InlineKind::Code);
    if let Some(code) = code {
        let path = text::nfc(&text::one_line(&markdown.source[code.content.clone()]));
        return (!path.is_empty()).then(|| (path, code.range.clone()));
    }
    let content = markdown.blocks[paragraph].content.clone();
    let start = TaskBox::of_item(markdown, item).map_or(content.start, |task_box| task_box.end);
    let path = markdown.source[start..content.end].trim_start();
    (!path.is_empty()).then(|| (text::nfc(&text::one_line(path)), content.end - path.len()..content.end))
}
