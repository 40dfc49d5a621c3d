//! Reads the checklist items of a task document.

use std::ops::Range;

use super::columns;
use super::labels::{self, Labels};
use super::names::{self, Row};
use super::report::Report;
use super::sections::SectionBlocks;
use super::spans::{ItemSpan, Places};
use super::values::{Item, Limits, Section};
use crate::boxes::{Mark, TaskBox};
use crate::diagnostic::Code;
use crate::markdown::{BlockKind, Markdown};
use crate::text;

/// The checklist items of a document.
#[derive(Default)]
pub(super) struct Checklist {
    pub items: Vec<Item>,
    pub spans: Vec<ItemSpan>,
    pub places: Places<Section>,
    /// What is between the brackets of the first ticked box.
    pub first_tick: Option<Range<usize>>,
    has_too_many: bool,
}

/// What a list item is nested in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    NoItem,
    /// The index of a checklist item.
    Item(usize),
    /// A box that is text, because it is nested too deeply or there are too many.
    UnreadBox,
}

/// Reads the checklist items of all sections.
pub(super) fn read<'m>(
    markdown: &'m Markdown<'m>,
    sections: &[SectionBlocks],
    limits: &Limits,
    open_block: Option<usize>,
    report: &mut Report<'_>,
) -> Checklist {
    let mut checklist = Checklist::default();
    for section in sections {
        match section.row {
            Row::Scope if checklist.places.new_label.is_none() => {
                checklist.places.new_label = Some(labels::new_label(markdown, section, open_block));
            }
            Row::Scope => {}
            Row::Checklist(of) => checklist.places.add(of, || labels::below_heading(markdown, section)),
            _ => continue,
        }
        Reader {
            markdown,
            labels: Labels::new(markdown, section, names::section_of_label),
            around: vec![Around::NoItem; section.blocks.len()],
            section,
            limits,
            report,
            has_reported_item: false,
        }
        .read(&mut checklist);
    }
    checklist
}

/// The state while one section is read.
struct Reader<'r, 'm, 'l> {
    markdown: &'m Markdown<'m>,
    section: &'r SectionBlocks,
    labels: Labels<'m, Section>,
    /// For each block that is a list item: what its content is nested in.
    around: Vec<Around>,
    limits: &'r Limits,
    report: &'r mut Report<'l>,
    /// Whether an item without a box has been reported.
    has_reported_item: bool,
}

impl Reader<'_, '_, '_> {
    fn read(mut self, checklist: &mut Checklist) {
        for block in self.section.blocks.clone().filter(|block| !self.markdown.blocks[*block].in_quote) {
            let around = self.around(block);
            if around == Around::NoItem
                && self.section.row == Row::Scope
                && let Some((label, place)) = self.labels.place(block)
            {
                checklist.places.add(label, || place);
            }
            if matches!(self.markdown.blocks[block].kind, BlockKind::Item { .. }) {
                let inside = self.read_item(block, around, checklist);
                self.around[block - self.section.blocks.start] = inside;
            }
            self.labels.visit(block);
        }
    }

    fn around(&self, block: usize) -> Around {
        let parent = self.markdown.blocks[block].item;
        parent.map_or(Around::NoItem, |parent| self.around[parent - self.section.blocks.start])
    }

    /// Reads a list item, and returns what its content is nested in.
    fn read_item(&mut self, block: usize, around: Around, checklist: &mut Checklist) -> Around {
        let Some(task_box) = TaskBox::of_item(self.markdown, block) else {
            self.report_item_without_box(block);
            return around;
        };
        let Some(section) = self.section_of(block) else { return around };
        let paragraph = self.markdown.first_paragraph(block).unwrap_or(block);
        let end = self.markdown.blocks[paragraph].content.end;
        let text = self.markdown.source[task_box.end..end].trim_start();
        if text.is_empty() {
            return around;
        }
        let span = end - text.len()..end;
        let is_too_deep = columns::is_too_deep(self.markdown.source, task_box.content.start);
        let parent = match around {
            _ if is_too_deep => return self.report_too_deep(&task_box, checklist),
            Around::NoItem => None,
            Around::Item(parent) if can_be_child(section, &checklist.items[parent]) => Some(parent),
            _ => return self.report_too_deep(&task_box, checklist),
        };
        if checklist.items.len() == self.limits.items {
            self.report_too_many(task_box.content.start, checklist);
            return Around::UnreadBox;
        }
        if task_box.mark == Mark::Unknown {
            let message = "The box has another character than x. It is read as not ticked.";
            self.report.add(Code::UnknownMark, task_box.content.start, message);
        }
        let index = checklist.items.len();
        let text =
            self.report.cut(&text::nfc(&text::one_line(text)), self.limits.item, span.start, "The item");
        checklist.items.push(Item { origin: Some(index), section, text, done: task_box.is_ticked(), parent });
        checklist.add_span(self.markdown, block, task_box, span);
        Around::Item(index)
    }

    fn section_of(&self, item: usize) -> Option<Section> {
        match self.section.row {
            Row::Checklist(section) => Some(section),
            _ => self.labels.above(item),
        }
    }

    fn report_item_without_box(&mut self, item: usize) {
        let is_label = self.section.row == Row::Scope && self.labels.of_item(item).is_some();
        if self.has_reported_item || is_label || self.markdown.first_paragraph(item).is_none() {
            return;
        }
        self.has_reported_item = true;
        let message = "The list item has no box such as [ ]. It is not read as a checklist item.";
        self.report.add(Code::ItemWithoutBox, self.markdown.blocks[item].range.start, message);
    }

    fn report_too_deep(&mut self, task_box: &TaskBox, checklist: &Checklist) -> Around {
        if !checklist.has_too_many {
            let message = "The box is nested too deeply. It is read as text.";
            self.report.add(Code::BoxTooDeep, task_box.content.start, message);
        }
        Around::UnreadBox
    }

    fn report_too_many(&mut self, offset: usize, checklist: &mut Checklist) {
        if !std::mem::replace(&mut checklist.has_too_many, true) {
            let limit = self.limits.items;
            let message = format!("A task has at most {limit} checklist items. The rest is read as text.");
            self.report.add(Code::TooMany, offset, message);
        }
    }
}

impl Checklist {
    fn add_span(&mut self, markdown: &Markdown<'_>, item: usize, task_box: TaskBox, text: Range<usize>) {
        if task_box.is_ticked() && self.first_tick.is_none() {
            self.first_tick = Some(task_box.content.clone());
        }
        self.spans.push(ItemSpan {
            list_item: labels::list_item(markdown, item),
            box_content: task_box.content,
            text,
            first_child: labels::first_child(markdown, item),
        });
    }
}

/// Whether an item of this section can be a child of the other: steps of a phase can.
fn can_be_child(section: Section, parent: &Item) -> bool {
    section == Section::Action && parent.section == Section::Action && parent.parent.is_none()
}
