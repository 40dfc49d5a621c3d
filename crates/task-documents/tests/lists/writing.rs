//! Exports of list documents, and new lines in them.

use std::collections::HashMap;

use task_documents::list::{ListDocument, NewLine, Place, TaskState, export, insert, title_of};

/// The export when these tasks have another text, another box, or are in the trash.
fn exported(source: &str, changes: &[(&str, Change)]) -> String {
    let document = ListDocument::read(source);
    let changes: HashMap<_, _> = changes.iter().copied().collect();
    let tasks: HashMap<_, _> = document.tasks.iter().map(|task| (task.key.as_str(), task)).collect();
    let state = |key: &str| {
        let task = tasks.get(key)?;
        let unchanged = TaskState { text: &task.text, completed: task.ticked, in_trash: false };
        match changes.get(key).copied() {
            None => Some(unchanged),
            Some(Change::Completed(completed)) => Some(TaskState { completed, ..unchanged }),
            Some(Change::Text(text)) => Some(TaskState { text, ..unchanged }),
            Some(Change::Trash) => Some(TaskState { in_trash: true, ..unchanged }),
            Some(Change::Purged) => None,
        }
    };
    export(source, &document, state)
}

#[derive(Clone, Copy)]
enum Change {
    Completed(bool),
    Text(&'static str),
    Trash,
    Purged,
}

#[test]
fn a_tick_replaces_what_is_between_the_brackets() {
    for (source, key, completed, expected) in [
        ("- [ ] T001 a\n", "T001", true, "- [x] T001 a\n"),
        ("- [] T001 a", "T001", true, "- [x] T001 a"),
        ("- [~] T001 a\n- [ X ] T002", "T001", true, "- [X] T001 a\n- [ X ] T002"),
        ("- [x] T001 a\r\n", "T001", false, "- [ ] T001 a\r\n"),
        ("- [~] T001 a", "T001", false, "- [~] T001 a"),
        ("- [ x ] T001 a", "T001", true, "- [ x ] T001 a"),
        ("- [ ] T001 a\n- [ ] T001 b", "T001#2", true, "- [ ] T001 a\n- [x] T001 b"),
    ] {
        assert_eq!(exported(source, &[(key, Change::Completed(completed))]), expected, "{source}");
    }
}

#[test]
fn a_new_text_replaces_the_old_one_on_one_line() {
    for (source, text, expected) in [
        ("- [ ] T001 a\n", "b", "- [ ] T001 b\n"),
        ("- [ ] T001 [P] - a\n  c\n  - d\n", "b", "- [ ] T001 [P] - b\n  - d\n"),
        ("- [ ] T001: a", "b\r\n c", "- [ ] T001: b c"),
        ("- [ ] T001 a", "[P] b", "- [ ] T001 \\[P] b"),
        ("- [ ] T001 a", "T002 b", "- [ ] T001 \\T002 b"),
        ("- [ ] T001 a", "- b", "- [ ] T001 \\- b"),
        ("- [ ] T001 a", "\\[b]", "- [ ] T001 \\\\[b]"),
        ("- [ ] T001 \\[a]", "b", "- [ ] T001 b"),
        ("- [ ] T001", "b", "- [ ] T001 b"),
        ("- [ ] T001:a", "b", "- [ ] T001: b"),
        ("- [ ] T001\n  a", "b", "- [ ] T001 b"),
        ("- [ ] T001. [a] b", "c", "- [ ] T001 c"),
        ("- [ ] **T001** a", "~~b~~", "- [ ] **T001** ~~b~~"),
        ("- [ ] T001 a", "", "- [ ] T001 "),
        ("- [ ] T001 e\u{301}", "é", "- [ ] T001 e\u{301}"),
    ] {
        assert_eq!(exported(source, &[("T001", Change::Text(text))]), expected, "{source}");
    }
}

#[test]
fn a_task_in_the_trash_is_left_out_with_its_lines() {
    let source = "# A\n- [ ] T001 a\n\n  more\n- [ ] T002 b\n- [ ] T003 c";
    assert_eq!(exported(source, &[("T001", Change::Trash)]), "# A\n- [ ] T002 b\n- [ ] T003 c");
    assert_eq!(exported(source, &[("T003", Change::Purged)]), "# A\n- [ ] T001 a\n\n  more\n- [ ] T002 b\n");
}

#[test]
fn nested_tasks_remain_and_move_only_if_they_must() {
    for (source, expected) in [
        ("- [ ] T001 a\n  - [ ] T002 b\n", "  - [ ] T002 b\n"),
        ("- [ ] T001 a\n    - [ ] T002 b\n      c\n", "- [ ] T002 b\n  c\n"),
        ("- [ ] T000 a\n- [ ] T001 a\n    - [ ] T002 b\n", "- [ ] T000 a\n    - [ ] T002 b\n"),
        ("- [ ] T001 a\n\t- [ ] T002 b\n\t\t- c\n", "- [ ] T002 b\n    - c\n"),
        ("- [ ] T001 a\n  - note\n    - [ ] T002 b\n  - [ ] T003 c\n", "- [ ] T002 b\n- [ ] T003 c\n"),
        ("10. - [ ] T001 a\n    - [ ] T002 b\n", "- [ ] T002 b\n"),
        ("Text\n1. [ ] T001 a\n2. [ ] T002 b\n", "Text\n\n2. [ ] T002 b\n"),
        ("- [ ] T001 a\n---\n- [ ] T002 b\n---\n", "\n---\n- [ ] T002 b\n---\n"),
        ("\u{feff}- [ ] T001 a\r\n    - [ ] T002 b", "\u{feff}- [ ] T002 b"),
    ] {
        assert_eq!(exported(source, &[("T001", Change::Trash)]), expected, "{source:?}");
    }
}

#[test]
fn a_title_is_the_text_cut_at_200_characters() {
    assert_eq!(title_of("T001", "a"), "a");
    assert_eq!(title_of("T001", ""), "T001");
    assert_eq!(title_of("T001", &"é".repeat(200)), "é".repeat(200));
    assert_eq!(title_of("T001", &"é".repeat(201)), "é".repeat(199) + "…");
}

fn inserted(source: &str, place: Place) -> (String, usize) {
    let stories = ["US1".to_owned(), "US2".to_owned()];
    let new = NewLine { key: "T9", parallel: true, stories: &stories, title: "new" };
    let (text, index) = insert(source, &ListDocument::read(source), place, new);
    (text.replace("T9 [P] [US1+US2] new", "T9"), index)
}

#[test]
fn a_new_line_stands_behind_the_task_before_it() {
    for (source, after, expected) in [
        ("- [ ] T1 a\n- [ ] T2 b\n", 0, "- [ ] T1 a\n- [ ] T9\n- [ ] T2 b\n"),
        ("- [ ] T1 a\n\n  more\n\ntext\n", 0, "- [ ] T1 a\n\n  more\n- [ ] T9\n\ntext\n"),
        ("* [x] T1 a\r\n  * [ ] T2 b", 1, "* [x] T1 a\r\n  * [ ] T2 b\r\n  * [ ] T9\r\n"),
        ("1. [ ] T1 a\n2. [ ] T2 b\n", 0, "1. [ ] T1 a\n- [ ] T9\n2. [ ] T2 b\n"),
        (
            "\t- [ ] T1 a\n- [ ] T2 a\n\t- [ ] T3 b\n",
            1,
            "\t- [ ] T1 a\n- [ ] T2 a\n\t- [ ] T3 b\n\t- [ ] T9\n",
        ),
        ("1. - [ ] T1 a\n", 0, "1. - [ ] T1 a\n   - [ ] T9\n"),
        ("- [ ] T1 a\n  - [ ] T2 b\n", 0, "- [ ] T1 a\n- [ ] T9\n  - [ ] T2 b\n"),
        ("1000. [ ] T1 a\n      - [ ] T2 b\n", 0, "1000. [ ] T1 a\n-    [ ] T9\n      - [ ] T2 b\n"),
    ] {
        assert_eq!(inserted(source, Place::After(after)), (expected.to_owned(), after + 1), "{source:?}");
    }
}

#[test]
fn a_new_line_stands_at_the_end_of_its_phase() {
    let source = "# Tasks\n## Phase 1\n- [ ] T1 a\n  - [ ] T2 b\n\ntext\n## Phase 2\n\n**Goal**: b\n\n\
        ---\n\n## Phase 3\n- [ ] T3 c\n";
    let (first, index) = inserted(source, Place::EndOfPhase(0));
    assert_eq!((first, index), (source.replace("T2 b\n", "T2 b\n  - [ ] T9\n"), 2));
    let (second, index) = inserted(source, Place::EndOfPhase(1));
    assert_eq!((second, index), (source.replace(": b\n", ": b\n- [ ] T9\n"), 2));
    let (third, index) = inserted(source, Place::EndOfPhase(2));
    assert_eq!((third, index), (format!("{source}- [ ] T9\n"), 3));
}

#[test]
fn a_new_line_of_a_document_without_phases_stands_at_its_end() {
    for (source, expected) in [
        ("", "- [ ] T9\n"),
        ("text", "text\n- [ ] T9\n"),
        ("---\na: b\n---\n", "---\na: b\n---\n- [ ] T9\n"),
        ("- [ ] T1 a\n\ntext\n", "- [ ] T1 a\n- [ ] T9\n\ntext\n"),
        ("text\n\n```\ncode\n", "text\n\n- [ ] T9\n```\ncode\n"),
        ("<div>\n", "<div>\n\n- [ ] T9\n"),
    ] {
        assert_eq!(inserted(source, Place::EndOfDocument).0, expected, "{source:?}");
    }
}

#[test]
fn the_title_of_a_new_line_is_read_as_it_is() {
    for title in ["[P] a", "T001 a", ": a", "\\[a]", "a\nb"] {
        for (parallel, stories) in [(false, vec![]), (true, vec!["US1".to_owned()])] {
            let new = NewLine { key: "T001", parallel, stories: &stories, title };
            let (text, index) = insert("", &ListDocument::read(""), Place::EndOfDocument, new);
            let task = &ListDocument::read(&text).tasks[index];
            assert_eq!(
                (&task.text, task.parallel, &task.marked_stories),
                (&title.replace('\n', " "), parallel, &stories)
            );
        }
    }
}

#[test]
fn code_behind_a_task_in_the_trash_does_not_become_a_part_of_the_task_before() {
    let source = "- [ ] T001 a\n1. [ ] T002 b\n  ```\n  code\n```\n- [ ] T003 c\n";
    let expected = source.replace("1. [ ] T002 b", "<!-- -->");
    assert_eq!(exported(source, &[("T002", Change::Trash)]), expected);
}
