//! What holds for every Markdown document, whether it is read as a task list or as a task document. The generated
//! documents have all kinds of blocks, containers, line ends and letters.

mod limits;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use task_documents::list::{self, ListDocument, ListTask, TaskState};
use task_documents::merge::{Decisions, Merge, ServerTask, merge};
use task_documents::task::{self, TaskDocument, TaskValues};

use limits::LIMITS;

/// What stands before a line: indentation, quotes and bullets of all kinds.
#[rustfmt::skip]
const CONTAINERS: [&str; 26] = [
    "", "", "", "", "", " ", "  ", "   ", "    ", "      ", "\t", " \t", "- ", "* ", "+ ", "1. ", "2) ", "10. ", "-\t",
    "-   ", "-     ", "- - ", "1. - ", "> ", ">", "  > ",
];

#[rustfmt::skip]
const BOXES: [&str; 12] = [
    "[ ] ", "[ ] ", "[ ] ", "[x] ", "[X] ", "[] ", "[~] ", "[ x ] ", "[✅] ", "[⚠️] ", "\\[ ] ", "[ ]",
];

#[rustfmt::skip]
const KEYS: [&str; 18] = [
    "T001", "T001", "T002", "T003", "T1.2", "T012a", "T083-B", "**T004**", "`T005`", "[T006]", "~~T007~~", "T008:",
    "T009 -", "T010-T012", "T013~T014", "**T015 [P]**", "__T016__", "",
];

#[rustfmt::skip]
const MARKS: [&str; 12] = [
    "", "", "", " [P]", " [US1]", " [P] [US1+US2]", " [QA]", "[P][US2]", " [a](b)", " \\[P]", " **[P]**", " [",
];

#[rustfmt::skip]
const TEXTS: [&str; 20] = [
    "", "a", "e\u{301}", "A\u{30a} b  ", "src/a.rs", "`code`", "``", "*a* **b", "<b>", "<!-- a -->", "a\\", "| b |", "&amp;",
    "\u{a0}", "\u{2028}", "\u{c}", "👩‍👩‍👧", "https://example.com/a", "[a]: b", "Depends on T001",
];

#[rustfmt::skip]
const LINES: [&str; 66] = [
    "", "", "", "", "", "", "text", "more", "# Tasks: a", "# TASK: a", "## Phase 1: a (P1)", "### Phase 1", "## Phase 2",
    "## User Story 1 - a", "##", "#### a ####", "#a", "## Objective", "## 2. Background", "## Scope & Deliverables", "### In Scope",
    "## Plan", "## Plan", "## Acceptance Criteria", "## Risks", "## Files", "Title", "===", "---", "***", "```", "```rust",
    "~~~", "````", "<!--", "-->", "<!-- a -->", "<div>", "</div>", "<script>", "<?", "<a href", "| a | b |", "|---|---|",
    "| Risk | Likelihood | Impact |", "|---|---|---|", "| a | Low | High |", "| b \\| c | med | LOW |", "**Goal**: a",
    "**In Scope**", "**Out of Scope**:", "**Created**", "**Status**: Done", "**Owner**: a\\", "**Date**: 2026-01-02",
    "**Total Tasks**: 3", "[a]: b", "[a]: <", "*a hint*", "**Example**: a", "-", "1.", "*", "* * *", "\\# a", "---\na: b",
];

/// A line with its line end.
fn line() -> impl Strategy<Value = String> {
    let item = (select(&BOXES[..]), select(&KEYS[..]), select(&MARKS[..]), select(&TEXTS[..]));
    let item = item.prop_map(|(task_box, key, marks, text)| format!("{task_box}{key}{marks} {text}"));
    let content = prop_oneof![
        8 => (select(&["- ", "- ", "* ", "1. "][..]), item.clone()).prop_map(|(bullet, item)| format!("{bullet}{item}")),
        2 => item,
        8 => select(&LINES[..]).prop_map(str::to_owned),
        1 => "[^\0\n\r]{0,12}",
    ];
    (select(&CONTAINERS[..]), content, select(&["\n", "\n", "\n", "\r\n", "\r"][..]))
        .prop_map(|(container, content, end)| format!("{container}{content}{end}"))
}

/// A document, mostly with one kind of line ends, with or without a last line end.
fn documents() -> impl Strategy<Value = String> {
    let start =
        select(&["", "", "", "", "\u{feff}", "---\na: b\n---\n", "\u{feff}---\n- [ ] T001 a\n---\n"][..]);
    let one_end = select(&[None, Some("\n"), Some("\r\n"), Some("\r")][..]);
    (start, prop::collection::vec(line(), 0..30), one_end, any::<bool>()).prop_map(
        |(start, lines, one_end, is_complete)| {
            let mut text = format!("{start}{}", lines.concat());
            if let Some(end) = one_end {
                text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', end);
            }
            if !is_complete {
                text.truncate(text.trim_end_matches(['\n', '\r']).len());
            }
            text
        },
    )
}

/// The export of a list in which the task `changed` has the other box.
fn with_other_box(source: &str, document: &ListDocument, changed: Option<usize>) -> String {
    let changed = changed.map(|index| document.tasks[index].key.as_str());
    list::export(source, document, |key| {
        let task = document.tasks.iter().find(|task| task.key == key)?;
        let completed = task.ticked != (changed == Some(key));
        Some(TaskState { text: &task.text, completed, in_trash: false })
    })
}

/// What a task says, without the places in the document.
fn said(task: &ListTask) -> impl PartialEq + std::fmt::Debug + use<> {
    let task = task.clone();
    (task.key, task.text, task.details, task.parallel, task.stories, task.phase)
}

/// The part of a text that another text has not: what is between the characters with which both begin and end.
fn difference<'a>(old: &'a str, new: &str) -> (&'a str, &'a str, &'a str) {
    let same = |(old, new): &(char, char)| old == new;
    let length = |chars: &mut dyn Iterator<Item = (char, char)>| -> usize {
        chars.take_while(same).map(|(old, _)| old.len_utf8()).sum()
    };
    let start = length(&mut old.chars().zip(new.chars()));
    let end = length(&mut old[start..].chars().rev().zip(new[start..].chars().rev()));
    (&old[..start], &old[start..old.len() - end], &old[old.len() - end..])
}

/// The task of a list that says what the document says.
fn server_task(task: &ListTask) -> ServerTask<'_> {
    let ListTask { key, text, ticked, .. } = task;
    ServerTask { key, text, completed: *ticked, in_trash: false, in_base: true, is_changed: false }
}

fn export_task(source: &str, change: impl FnOnce(&mut TaskValues)) -> (String, TaskValues) {
    let document = TaskDocument::read(source, &LIMITS);
    let mut values = document.values.clone();
    change(&mut values);
    (task::export(source, &document, &values), values)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_unchanged_document_is_returned_byte_for_byte(source in documents()) {
        let document = ListDocument::read(&source);
        prop_assert_eq!(&with_other_box(&source, &document, None), &source);
        prop_assert_eq!(&export_task(&source, |_| {}).0, &source);
    }

    #[test]
    fn the_lines_of_tasks_are_complete_lines_in_order(source in documents()) {
        let mut end = 0;
        let document = ListDocument::read(&source);
        for task in &document.tasks {
            prop_assert!(end <= task.lines.start && task.lines.start < task.lines.end);
            let (before, lines) = (&source[..task.lines.start], &source[task.lines.clone()]);
            let begins_line = before.is_empty() || before.ends_with(['\n', '\r', '\u{feff}']);
            prop_assert!(begins_line);
            prop_assert!(task.lines.end == source.len() || lines.ends_with(['\n', '\r']));
            prop_assert!(!before.ends_with('\r') || !lines.starts_with('\n'));
            end = task.lines.end;
        }
        let places: Vec<_> = document.diagnostics.iter().map(|found| found.line).collect();
        prop_assert!(places.is_sorted());
    }

    #[test]
    fn a_tick_changes_one_box_of_a_list_and_nothing_else(source in documents(), at in any::<Index>()) {
        let document = ListDocument::read(&source);
        if document.tasks.is_empty() {
            return Ok(());
        }
        let chosen = at.index(document.tasks.len());
        let task = &document.tasks[chosen];
        let changed = with_other_box(&source, &document, Some(chosen));
        let content = &source[task.box_content.clone()];
        let (before, different, _) = difference(&source, &changed);
        prop_assert!(before.len() >= task.box_content.start);
        prop_assert!(before.len() + different.len() <= task.box_content.end);
        prop_assert_eq!(changed.len() + content.len(), source.len() + 1);

        let read = ListDocument::read(&changed);
        let (old, new): (Vec<_>, Vec<_>) =
            (document.tasks.iter().map(said).collect(), read.tasks.iter().map(said).collect());
        prop_assert_eq!(old, new);
        for (index, (old, new)) in document.tasks.iter().zip(&read.tasks).enumerate() {
            prop_assert_eq!(old.ticked != new.ticked, index == chosen);
        }
        if content == " " {
            prop_assert_eq!(with_other_box(&changed, &read, Some(chosen)), source);
        }
    }

    #[test]
    fn a_tick_changes_one_box_of_a_task_document_and_nothing_else(source in documents(), at in any::<Index>()) {
        let old = TaskDocument::read(&source, &LIMITS).values;
        if old.items.is_empty() {
            return Ok(());
        }
        let chosen = at.index(old.items.len());
        let tick = |values: &mut TaskValues| values.items[chosen].done ^= true;
        let (changed, values) = export_task(&source, tick);
        let (before, different, behind) = difference(&source, &changed);
        let is_box = before.trim_end().ends_with('[') && behind.trim_start().starts_with(']');
        prop_assert!(is_box, "{}", changed);
        prop_assert!(!different.contains(['[', ']', '\n', '\r']));
        let read = TaskDocument::read(&changed, &LIMITS).values;
        prop_assert_eq!((&read.items, &read.risks, &read.files), (&values.items, &values.risks, &values.files));
        if different == " " {
            prop_assert_eq!(export_task(&changed, tick).0, source);
        }
    }

    #[test]
    fn a_list_merged_with_itself_stays_as_it_is(source in documents(), from_current: bool) {
        let document = ListDocument::read(&source);
        let tasks: Vec<ServerTask<'_>> = document.tasks.iter().map(server_task).collect();
        let (of_list, decisions) = ((source.as_str(), &document), Decisions::default());
        let merged = merge(Merge { source: of_list, tasks: &tasks, file: of_list, from_current, decisions: &decisions });
        let merged = merged.unwrap();
        prop_assert_eq!(&merged.source, &source);
        prop_assert!(merged.changes.is_empty() && merged.conflicts.is_empty());
    }
}
