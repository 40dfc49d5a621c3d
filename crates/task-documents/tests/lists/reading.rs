//! What is read from a list document: tasks, details, phases and stories.

use task_documents::list::{ListDocument, ListTask};

fn tasks(source: &str) -> Vec<(String, String)> {
    let document = ListDocument::read(source);
    document.tasks.into_iter().map(|task| (task.key, task.text)).collect()
}

fn task(source: &str) -> ListTask {
    let mut tasks = ListDocument::read(source).tasks;
    assert_eq!(tasks.len(), 1, "{source}");
    tasks.remove(0)
}

/// The number and the title of each phase, and the keys of its tasks.
fn phases(source: &str) -> Vec<(Option<String>, String, String)> {
    let document = ListDocument::read(source);
    let phases = document.phases.iter().enumerate().map(|(index, phase)| {
        let tasks = document.tasks.iter().filter(|task| task.phase == Some(index));
        let keys: Vec<_> = tasks.map(|task| task.key.as_str()).collect();
        (phase.number.clone(), phase.title.clone(), keys.join(" "))
    });
    phases.collect()
}

fn phase(number: &str, title: &str, keys: &str) -> (Option<String>, String, String) {
    (Some(number.to_owned()).filter(|number| !number.is_empty()), title.to_owned(), keys.to_owned())
}

#[test]
fn tasks_are_list_items_with_a_box_and_a_key() {
    let source = "- [ ] T001 a\n1. [x] **T012a** [P] b\n* note\n  + [X] `T007.1`: c\n    d\n\
        - [ ] [T083-B] e\n-\n  [ ] T-5 f\n";
    let expected = [("T001", "a"), ("T012a", "b"), ("T007.1", "c d"), ("T083-B", "e"), ("T-5", "f")];
    assert_eq!(tasks(source), expected.map(|(key, text)| (key.to_owned(), text.to_owned())));
    let others = "[ ] T001 a\n\n- T002 a\n- [ ] a T003\n- [ ] T004-T006 a\n- [ ] T5~T6\n- [ ] ~~T007 a~~\n\
        - [ ] (T008) a\n\
        > - [ ] T009 a\n\n```\n- [ ] T010 a\n```\n<!--\n- [ ] T011 a\n-->\n\n    - [ ] T012 a\n\n\
        # - [ ] T013\n";
    assert_eq!(tasks(others), []);
    assert_eq!(tasks("---\n- [ ] T001 a\n---\n- [ ] T002 b\n"), [("T002".to_owned(), "b".to_owned())]);
}

#[test]
fn later_tasks_with_the_same_key_get_a_number() {
    let keys = |source: &str| tasks(source).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
    assert_eq!(
        keys("- [ ] T001 a\n- [ ] T1 b\n- [ ] T001 c\n- [ ] T001 d\n"),
        ["T001", "T1", "T001#2", "T001#3"]
    );
}

#[test]
fn the_text_is_trimmed_joined_and_normalized() {
    let found = task("- [ ] T001 [P] [US1+US2] - **e\u{301}** \n    `b`  \n  c\n\n  d\n");
    assert_eq!(found.text, "**é** `b` c");
    assert_eq!(found.marked_stories, ["US1", "US2"]);
    assert!(found.parallel);
    assert_eq!(task("- [ ] T001").text, "");
    assert_eq!(task("- [ ] T001 [P]\n").text, "");
}

#[test]
fn details_are_the_lines_below_the_text() {
    for (source, details) in [
        ("- [ ] T001 a\n", None),
        ("- [ ] T001 a\n\n\n", None),
        ("- [ ] T001 a\n  - b\n\n  c  \n\nd", Some("  - b\n\n  c  ")),
        ("- [ ] T001 a\n\n  \n      code\r\n    e\u{301}\r\n", Some("      code\r\n    é")),
        ("- [ ] T001 a\n  b\n  ---\n  c\n", Some("  c")),
        ("- [ ] T001 a\n\n  [b]: c\n", Some("  [b]: c")),
    ] {
        assert_eq!(task(source).details.as_deref(), details, "{source:?}");
    }
}

#[test]
fn the_lines_of_a_task_end_before_a_nested_task() {
    let source = "- [ ] T001 a\n  - b\n\n    - [ ] T002 c\n      d\n\n  e\n- [ ] T003 f\n\n";
    let document = ListDocument::read(source);
    let lines: Vec<_> = document.tasks.iter().map(|task| &source[task.lines.clone()]).collect();
    assert_eq!(lines, ["- [ ] T001 a\n  - b\n\n", "    - [ ] T002 c\n      d\n", "- [ ] T003 f\n"]);
    assert_eq!(document.tasks[0].details.as_deref(), Some("  - b"));
    let parts = |task: &ListTask| {
        [&task.box_content, &task.key_span, &task.text_span].map(|part| &source[part.clone()])
    };
    assert_eq!(parts(&document.tasks[1]), [" ", "T002", "c\n      d"]);
}

#[test]
fn the_innermost_phase_heading_counts() {
    let source = "# Tasks: x\n- [ ] T001 a\n## Phase 1: A\n- [ ] T002 b\n### Tests\n- [ ] T003 c\n\
        ### Phase 1.1 B\n- [ ] T004 d\n### Phase 1: more\n- [ ] T005 e\n## Phase 2\n## Other\n### C\n\
        - [ ] T006 f\n\
        ## Phase 1: again\n- [ ] T007 g\n## Phase 3: below all tasks\n";
    assert_eq!(
        phases(source),
        [
            phase("1", "A", "T002 T003 T005"),
            phase("1.1", "B", "T004"),
            phase("2", "", ""),
            phase("", "Other", "T006"),
            phase("1", "again", "T007"),
        ]
    );
    assert_eq!(ListDocument::read(source).tasks[0].phase, None);
}

#[test]
fn phases_without_tasks_are_read_only_once() {
    let source = "## Phase 1: overview\n## Phase 2: overview\n# Phase 1: A\n- [ ] T001 a\n# Phase 2\n\
        - [ ] T002 b\n# Phase 9\n";
    assert_eq!(phases(source), [phase("1", "A", "T001"), phase("2", "", "T002")]);
    assert_eq!(phases("# A\n# B\n## C\n- [ ] T001 a\n"), [phase("", "B", "T001")]);
    assert_eq!(phases("## A\n# B\n### C\n- [ ] T001 a\n"), [phase("", "C", "T001")]);
    assert_eq!(phases("- # Phase 1\n\n> # Phase 2\n\nPhase 3\n===\n\n- [ ] T001 a\n"), []);
}

#[test]
fn labels_are_read_from_paragraphs_of_the_phase() {
    let source = "## Phase 1\n**purpose**: a\nb\n**Goal:** c\n\n**Independent Test**: d **e**\n\n\
        - [ ] T001 a\n\n  **Goal**: no\n\n\
        > **Goal**: no\n\n### More\n\n**Checkpoint**: f\n---\n\n**Goal**: no\n\n## Phase 2\n\
        **Checkpoint**:\n\n- [ ] T002 b\n";
    let document = ListDocument::read(source);
    let labels = |index: usize| {
        let phase = &document.phases[index];
        [&phase.purpose, &phase.goal, &phase.independent_test, &phase.checkpoint]
            .map(|label| label.as_deref())
    };
    assert_eq!(labels(0), [Some("a b"), Some("c"), Some("d **e**"), Some("f")]);
    assert_eq!(labels(1), [None; 4]);
}

#[test]
fn a_task_belongs_to_the_stories_of_its_marks_or_of_its_phase() {
    let source = "## Phase 1: A\n- [ ] T001 [US9] a\n## Phase 2: User Story 2 - B\n- [ ] T002 b\n\
        - [ ] T003 [US1] c\n\
        ## Phase 3 (US1): C (P2)\n### Tests for User Story 3\n- [ ] T004 d\n";
    let document = ListDocument::read(source);
    let stories: Vec<_> = document.tasks.iter().map(|task| task.stories.join(" ")).collect();
    assert_eq!(stories, ["US9", "US2", "US1", "US1"]);
    let marked: Vec<_> = document.tasks.iter().map(|task| task.marked_stories.join(" ")).collect();
    assert_eq!(marked, ["US9", "", "US1", ""]);
    let stories =
        document.stories.iter().map(|story| (story.key.as_str(), story.title.as_deref(), story.phase));
    assert_eq!(
        stories.collect::<Vec<_>>(),
        [("US2", Some("B"), Some(1)), ("US1", Some("C"), Some(2)), ("US3", None, None), ("US9", None, None)]
    );
}
