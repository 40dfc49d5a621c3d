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
        (
            "- [ ] T001 a (depends on T009 and T002)\n  - b\n  - requires T001-T008\n- [ ] ~~T002~~ b\n",
            vec![
                entry(Code::UnknownReference, 1, "T001"),
                entry(Code::UnknownReference, 3, "T001"),
                entry(Code::StruckTask, 4, "T002"),
            ],
        ),
        (
            "## A\n- [ ] T001 a\n## Dependencies\nText.\nT001 depends on T009,\nPhase 1 and US1.\nT007\n\
            depends on T001\n",
            vec![
                entry(Code::UnknownReference, 5, "T001"),
                entry(Code::UnknownReference, 5, "T001"),
                entry(Code::UnknownReference, 5, "T001"),
                entry(Code::UnknownReference, 7, ""),
            ],
        ),
        (
            "- [ ] T001 a\n  - depends on T002\n- [x] T002 b (depends on T001)\n- [x] T003 c (depends on T001)\n",
            vec![entry(Code::DependencyCycle, 3, "T001 T002"), entry(Code::DoneEarly, 4, "T003 T001")],
        ),
        (
            "# A\n- [x] T001 a\n- [ ] T002 b\n# Dependencies\n- T001 depends on T002\n- T002 depends on T001\n",
            vec![entry(Code::DoneEarly, 2, "T001 T002"), entry(Code::DependencyCycle, 6, "T001 T002")],
        ),
        (
            "# Phase 1 (US1)\n- [ ] T001 a\n# Phase 2 (US2)\n- [ ] T002 b\n# Dependencies\n\
            - US1 depends on US2\n- US2 depends on US1\n- Phase 1 depends on Phase 2\n- Phase 2 depends on Phase 1\n",
            vec![entry(Code::DependencyCycle, 7, ""), entry(Code::DependencyCycle, 9, "")],
        ),
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

#[test]
fn too_many_dependencies_are_reported() {
    let tasks: String = (1..=300).map(|number| format!("- [ ] T{number} a\n")).collect();
    let too_many = |source: &str| {
        let found = diagnostics(source).into_iter().filter(|found| found.code == Code::UnknownReference);
        found.map(|found| (found.line, found.message)).collect::<Vec<_>>()
    };
    let of_tasks =
        "The document states more than 50000 dependencies of tasks. Further ones are ignored.".to_owned();
    let statement = format!("{tasks}# Dependencies\nT1-T300 depend on T1-T300\n");
    assert_eq!(too_many(&statement), [(Some(302), of_tasks.clone())]);
    let own = format!("{tasks}- [ ] T301 depends on T1{}\n", ", T1-T300".repeat(167));
    assert_eq!(too_many(&own), [(Some(301), of_tasks)]);
    let phases: String = (1..=300).map(|number| format!("# Phase {number}\n- [ ] T{number} a\n")).collect();
    let of_groups =
        "The statements of the document name more than 50000 tasks, phases and stories. Further ones are \
        ignored."
            .to_owned();
    let statement =
        format!("{phases}# Dependencies\nPhases 1-300 depend on Phases 1-300\nT1 depends on T999\n");
    assert_eq!(too_many(&statement), [(Some(602), of_groups)]);
}
