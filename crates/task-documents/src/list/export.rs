//! Writes the present state of the tasks into a list document.

use crate::boxes::content_of;
use crate::list::changes::Change;
use crate::list::remove::{Kept, write};
use crate::list::tasks::behind_key;
use crate::list::types::{ListDocument, ListTask, TaskState};
use crate::text::one_line;

/// The document with the present state of each task. `state` is given the key of a task; None leaves its
/// lines out, as those of a task in the trash are.
pub fn export<'a>(
    source: &str,
    document: &ListDocument,
    state: impl Fn(&str) -> Option<TaskState<'a>>,
) -> String {
    let first_ticked = document.tasks.iter().find(|task| task.ticked);
    let first_ticked = first_ticked.map(|task| &source[task.box_content.clone()]);
    let mut changes = Vec::new();
    let mut kept = Vec::with_capacity(document.tasks.len());
    for task in &document.tasks {
        let Some(state) = state(&task.key).filter(|state| !state.in_trash) else {
            kept.push(None);
            continue;
        };
        let text = one_line(state.text);
        if state.completed != task.ticked {
            let content = content_of(state.completed, first_ticked);
            changes.push((task.box_content.clone(), content.to_owned()));
        }
        if text != task.text {
            changes.push(new_text(source, task, &text));
        }
        kept.push(Some(Kept { text, ticked: state.completed }));
    }
    write(source, document, &kept, changes)
}

/// The bytes to replace when a task gets another text, and what is written there.
fn new_text(source: &str, task: &ListTask, text: &str) -> Change {
    let (box_end, end) = (task.box_content.end + 1, task.text_span.end);
    let behind = behind_key(source, box_end, task.key_span.clone(), end);
    let before = &source[task.key_span.end..task.key_span.end + behind.new_text];
    // A line break before the text goes too: at the beginning of a line, more texts would not be plain text.
    let space = &before[before.trim_end().len()..];
    let kept = if space.contains(['\n', '\r']) { before.trim_end() } else { before };
    let start = task.key_span.end + kept.len();
    if text.is_empty() {
        return (start..end, String::new());
    }
    let space = if source[..start].ends_with(char::is_whitespace) { "" } else { " " };
    let backslash = if behind.reader.needs_backslash(text) { "\\" } else { "" };
    (start..end, format!("{space}{backslash}{text}"))
}
