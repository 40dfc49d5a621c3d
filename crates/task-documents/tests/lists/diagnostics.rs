//! The diagnostics of list documents.

use task_documents::diagnostic::{Code, Diagnostic, MAX_DIAGNOSTICS};
use task_documents::list::ListDocument;

fn diagnostics(source: &str) -> Vec<Diagnostic> {
    ListDocument::read(source).diagnostics
}

/// Code, line and keys of each diagnostic. The line 0 stands for the whole document.
fn found(source: &str) -> Vec<(Code, usize, String)> {
    let diagnostics = diagnostics(source).into_iter();
    diagnostics.map(|found| (found.code, found.line.unwrap_or(0), found.keys.join(" "))).collect()
}

fn entry(code: Code, line: usize, keys: &str) -> (Code, usize, String) {
    (code, line, keys.to_owned())
}

#[test]
fn each_code_is_reported_with_its_line_and_keys() {
    let cases = [
        ("# A\n", vec![entry(Code::NoTasks, 0, "")]),
        ("- [ ] T001 a\n- [ ] T001 b\n", vec![entry(Code::DuplicateKey, 2, "T001#2")]),
        ("## Phase 1\n- [ ] T001 a\n## Phase 1\n- [ ] T002 a\n", vec![entry(Code::DuplicatePhase, 3, "")]),
        (
            "- [ ] T001 a\n- [ ] b\n- [ ] T2-T3 c\n",
            vec![entry(Code::UnkeyedBox, 2, ""), entry(Code::UnkeyedBox, 3, "")],
        ),
        ("- [ ] T001 a\n- [ ] ~~T002~~ b\n", vec![entry(Code::StruckTask, 2, "T002")]),
        ("- [~] T001 a\n", vec![entry(Code::UnknownMark, 1, "T001")]),
        ("- [ ] T001 [P] [QA] a\n", vec![entry(Code::UnknownTag, 1, "T001")]),
        (
            "## Phase 1 (US1)\n- [ ] T001 [US2] a\n- [ ] T002 [US2+US1] b\n- [ ] T003 c\n## US2\n",
            vec![entry(Code::StoryMismatch, 2, "T001")],
        ),
        ("## A\n- [ ] T001 [US9] a\n- [ ] T002 [US9] b\n", vec![entry(Code::UnknownStory, 2, "T001")]),
        (
            "- [ ] T001 TXXX\n`TXXX` [Title] TXXX\n# A\n\n    TXXX\n\n`[FEATURE NAME]`\n<!-- TXXX -->\n",
            vec![entry(Code::Placeholder, 1, ""), entry(Code::Placeholder, 2, "")],
        ),
        ("- [ ] T001 a\n\nTotal tasks: 2\n", vec![entry(Code::CountMismatch, 3, "")]),
    ];
    for (source, expected) in cases {
        assert_eq!(found(source), expected, "{source}");
    }
}

#[test]
fn a_key_outside_tasks_is_reported_unless_a_task_has_it() {
    let source = "- [ ] T001 a\n  - T099 detail\n\n# T002: a\n\n**T003** b\nT004 c\n\n- [US1] T005\n\
        - [x]T006\n> - [ ] T007 d\n\n\
        - T001 is first\n- ~~T008~~\n- ~~[P] T009~~\n- T010-T012\n- a T013\n- [aa] [b] T014\n\
        - ✅ _[P]_ T015\n";
    let unread = |line: usize, key: &str| entry(Code::UnreadTask, line, key);
    assert_eq!(
        found(source),
        [
            unread(4, "T002"),
            unread(6, "T003"),
            unread(9, "T005"),
            unread(10, "T006"),
            unread(11, "T007"),
            unread(19, "T015")
        ]
    );
}

#[test]
fn neighbours_that_are_parallel_and_name_the_same_file_are_reported() {
    let source = "## Phase 1\n- [ ] T001 [P] a.rs, src/, b.rs\n- [ ] T002 [P] b.rs src/\n\
        - [ ] T003 [P] a.rs\n  - b.rs\n\
        - [ ] T004 a.rs\n- [ ] T005 [P] a.rs a.rs\n## Phase 2\n- [ ] T006 [P] a.rs\n";
    assert_eq!(
        found(source),
        [entry(Code::SameFileParallel, 2, "T001 T003"), entry(Code::SameFileParallel, 2, "T001 T002 T003")]
    );
}

#[test]
fn numbers_are_compared_outside_tasks_code_and_html_only() {
    let wrong = "Total tasks: 7";
    let source = format!(
        "- [ ] T001 {wrong}\n  {wrong}\n\n  - {wrong}\n\n{wrong}\n\n> {wrong}\n\n| {wrong} |\n|---|\n\
        | {wrong} |\n\n\
         ```\n{wrong}\n```\n<!-- \n{wrong}\n-->\n\n    {wrong}\n"
    );
    let lines: Vec<_> = diagnostics(&source).iter().map(|found| (found.line, found.numbers)).collect();
    assert_eq!(lines, [6, 8, 10, 12].map(|line| (Some(line), Some((7, 1)))));
}

#[test]
fn front_matter_is_not_diagnosed() {
    assert_eq!(found("---\ntitle: TXXX\nTotal tasks: 7\n---\n- [ ] T001 a\n"), []);
}

#[test]
fn diagnostics_are_ordered_by_line_and_limited() {
    let source = "TXXX\n- [ ] a\n".repeat(MAX_DIAGNOSTICS / 2);
    let diagnostics = diagnostics(&source);
    assert_eq!(diagnostics.len(), MAX_DIAGNOSTICS);
    assert_eq!(diagnostics[0].code, Code::NoTasks);
    assert_eq!(diagnostics[MAX_DIAGNOSTICS - 1].code, Code::More);
    assert!(diagnostics[..MAX_DIAGNOSTICS - 1].is_sorted_by_key(|found| found.line));
    let limit = "- [ ] T001 a\n".to_owned() + &"- [ ] a\n".repeat(MAX_DIAGNOSTICS);
    assert!(found(&limit).iter().all(|(code, ..)| *code == Code::UnkeyedBox));
    assert_eq!(found(&limit).len(), MAX_DIAGNOSTICS);
}

#[test]
fn messages_are_sentences() {
    let source = "- [~] T001 [QA] [US9] a\n- [ ] T001\n- [ ] ~~T002~~\n- [ ] b\n\nT003\n\n\
        TXXX, total tasks: 9\n## Phase 1\n";
    for found in diagnostics(source) {
        let message = &found.message;
        assert!(message.ends_with('.') && message.starts_with(char::is_uppercase), "{message}");
        assert!(found.keys.iter().all(|key| message.contains(key)), "{message}");
    }
}
