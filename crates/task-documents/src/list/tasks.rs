//! Finds the tasks of a list document: list items that begin with a box and a key.

use std::collections::HashMap;
use std::ops::Range;

use crate::boxes::TaskBox;
use crate::list::keys;
use crate::list::marks::{Behind, Marks, Reader};
use crate::markdown::Markdown;
use crate::text::{cut, nfc};

/// The maximum number of characters of a title that is made from a task's text.
pub const MAX_TITLE: usize = 200;

/// A list item with a box.
#[derive(Clone, Debug)]
pub struct BoxItem {
    pub task_box: TaskBox,
    pub kind: BoxKind,
}

/// What stands behind a box.
#[derive(Clone, Debug)]
pub enum BoxKind {
    /// The index of the task in [`Tasks::tasks`].
    Task(usize),
    /// A key that is struck through, as it is written.
    Struck(Range<usize>),
    /// No key.
    Text,
}

/// A task as it is found, without its phase.
#[derive(Clone, Debug)]
pub struct FoundTask {
    /// The index of the list item in [`Markdown::blocks`].
    pub item: usize,
    pub key: String,
    /// Whether an earlier task has the same key.
    pub is_repeated: bool,
    pub text: String,
    pub details: Option<String>,
    pub ticked: bool,
    pub marks: Marks,
    pub lines: Range<usize>,
    pub box_content: Range<usize>,
    pub key_span: Range<usize>,
    pub text_span: Range<usize>,
}

/// The tasks of a document, and all its boxes.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    pub tasks: Vec<FoundTask>,
    pub boxes: Vec<BoxItem>,
}

/// The beginning of a task's first paragraph.
#[derive(Clone, Debug)]
pub struct Head {
    pub key: Range<usize>,
    pub is_struck: bool,
}

impl Head {
    /// Reads the key at the beginning of what stands behind a box. None if there is no key.
    pub fn read(source: &str, paragraph: Range<usize>) -> Option<Self> {
        let text = source[paragraph.clone()].trim_start();
        let key = text.trim_start_matches(['*', '_', '`', '[', '~']);
        let length = keys::at(key)?;
        let before = &text[..text.len() - key.len()];
        let is_struck = before.contains("~~");
        if before.contains('~') && !is_struck {
            return None;
        }
        let start = paragraph.end - key.len();
        Some(Self { key: start..start + length, is_struck })
    }
}

/// What stands behind the key of a task.
pub fn behind_key(source: &str, box_end: usize, key: Range<usize>, paragraph_end: usize) -> Behind {
    Reader::new(&source[box_end..key.start]).read(&source[key.end..paragraph_end])
}

impl FoundTask {
    /// Where the lines below the first paragraph begin.
    fn below_paragraph(&self, markdown: &Markdown<'_>) -> usize {
        // The line below a paragraph that makes it a heading belongs to the paragraph.
        markdown.lines.end(markdown.blocks[self.item + 1].range.end.saturating_sub(1))
    }

    /// The first byte of the details that is not white space.
    pub fn details_start(&self, markdown: &Markdown<'_>) -> usize {
        let start = self.below_paragraph(markdown).min(self.lines.end);
        let lines = &markdown.source[start..self.lines.end];
        start + lines.len() - lines.trim_start().len()
    }
}

impl Tasks {
    /// Finds all boxes and tasks.
    pub fn find(markdown: &Markdown<'_>) -> Self {
        let mut found = Self::default();
        for (item, task_box) in crate::boxes::all(markdown) {
            let kind = found.kind(markdown, item, &task_box);
            found.boxes.push(BoxItem { task_box, kind });
        }
        found.end_before_nested_tasks();
        found.set_details(markdown);
        found.name_repeated_keys();
        found
    }

    fn kind(&mut self, markdown: &Markdown<'_>, item: usize, task_box: &TaskBox) -> BoxKind {
        let source = markdown.source;
        // The paragraph of an item with a box is its first child.
        let paragraph_end = markdown.blocks[item + 1].content.end;
        let head = match Head::read(source, task_box.end..paragraph_end) {
            Some(Head { key, is_struck: true }) => return BoxKind::Struck(key),
            Some(head) => head,
            None => return BoxKind::Text,
        };
        let behind = behind_key(source, task_box.end, head.key.clone(), paragraph_end);
        let text = head.key.end + behind.text..paragraph_end;
        let range = &markdown.blocks[item].range;
        self.tasks.push(FoundTask {
            item,
            key: source[head.key.clone()].to_owned(),
            is_repeated: false,
            text: nfc(&behind.reader.text(&source[text.clone()])),
            details: None,
            ticked: task_box.is_ticked(),
            marks: behind.marks,
            lines: markdown.lines.start(range.start).max(markdown.body)
                ..markdown.lines.end(range.end.saturating_sub(1)),
            box_content: task_box.content.clone(),
            key_span: head.key,
            text_span: text,
        });
        BoxKind::Task(self.tasks.len() - 1)
    }

    /// The lines of a task end before the first task that is nested in it, which is the next one.
    fn end_before_nested_tasks(&mut self) {
        for next in 1..self.tasks.len() {
            let start = self.tasks[next].lines.start;
            let lines = &mut self.tasks[next - 1].lines;
            lines.end = lines.end.min(start);
        }
    }

    fn set_details(&mut self, markdown: &Markdown<'_>) {
        for task in &mut self.tasks {
            let start = task.below_paragraph(markdown);
            let details = markdown.source.get(start..task.lines.end).unwrap_or_default();
            task.details = details_of(details);
        }
    }

    fn name_repeated_keys(&mut self) {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for task in &mut self.tasks {
            let count = counts.entry(task.key.clone()).or_default();
            *count += 1;
            if *count > 1 {
                task.is_repeated = true;
                task.key = format!("{}#{count}", task.key);
            }
        }
    }
}

/// The lines without blank ones at the beginning, and without what follows the last line that is not blank.
fn details_of(lines: &str) -> Option<String> {
    let text = lines.trim_start();
    let blank = &lines[..lines.len() - text.len()];
    let start = blank.rfind(['\n', '\r']).map_or(0, |end| end + 1);
    let last = lines.trim_end().len();
    let rest = &lines[last..];
    let end = last + rest.find(['\n', '\r']).unwrap_or(rest.len());
    (!text.is_empty()).then(|| nfc(&lines[start..end]))
}

/// The title of a task: its text, cut at [`MAX_TITLE`] characters; its key when the text is empty.
pub fn title_of(key: &str, text: &str) -> String {
    cut(if text.is_empty() { key } else { text }, MAX_TITLE)
}
