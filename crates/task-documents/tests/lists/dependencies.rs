//! The dependencies that a list document states, and what its tasks wait for because of them.

use task_documents::diagnostic::Code;
use task_documents::list::{ListDocument, ListNow, ListTask, TaskNow, Waiting};

use super::seeds::LIST;

fn waiting(document: &ListDocument, is_marked: bool) -> Waiting {
    let now = |task: &ListTask| (task.text.clone(), task.ticked);
    let texts: Vec<_> = document.tasks.iter().map(now).collect();
    let tasks = texts.iter().map(|(text, ticked)| Some(TaskNow { text, is_completed: *ticked }));
    Waiting::new(&[ListNow { document, is_marked, tasks: tasks.collect() }], &[], &[])
}

/// For each task that has dependencies of its own, its key and theirs.
fn blocked_by(source: &str) -> Vec<String> {
    let document = ListDocument::read(source);
    let waiting = waiting(&document, false);
    let line = |(index, task): (usize, &ListTask)| {
        let on: Vec<_> =
            waiting.blocked_by(index).iter().map(|on| document.tasks[*on].key.as_str()).collect();
        (!on.is_empty()).then(|| format!("{} < {}", task.key, on.join(" ")))
    };
    document.tasks.iter().enumerate().filter_map(line).collect()
}

/// For each task that waits, its key and those of the tasks for which it waits.
fn waits_for(source: &str, is_marked: bool) -> Vec<String> {
    let document = ListDocument::read(source);
    let waiting = waiting(&document, is_marked);
    let line = |(index, task): (usize, &ListTask)| {
        let on = waiting.waits_for(index, 20);
        let on: Vec<_> = on.iter().map(|on| document.tasks[*on].key.as_str()).collect();
        (!on.is_empty()).then(|| format!("{} < {}", task.key, on.join(" ")))
    };
    document.tasks.iter().enumerate().filter_map(line).collect()
}

/// Five phases with one task each, of which two have stories, and a section with these lines.
fn phases_and(section: &str) -> String {
    let headings = ["1: Setup", "2: Foundational", "3: User Story 1", "4: User Story 2", "5: Polish"];
    let phase = |(index, heading): (usize, &str)| format!("## Phase {heading}\n- [ ] T{} a\n", index + 1);
    let phases: String = headings.into_iter().enumerate().map(phase).collect();
    format!("{phases}## Dependencies\n{section}")
}

/// The phases on which each phase depends.
fn phases(section: &str) -> Vec<Vec<usize>> {
    ListDocument::read(&phases_and(section)).statements.phases
}

#[test]
fn tasks_depend_on_what_their_own_lines_name() {
    let cases: [(&str, &[&str]); 8] = [
        (
            "- [ ] T001 a\n- [ ] T002 b (depends on T001)\n- [ ] T003 c, blocked by `T001`, `T002`\n",
            &["T002 < T001", "T003 < T001 T002"],
        ),
        (
            "- [ ] T001 a\n- [ ] T002 depends on\n      T001\n  - requires T003\n- [ ] T003 c\n",
            &["T002 < T001 T003"],
        ),
        (
            "- [ ] T001 a\n- [ ] T012a b\n- [ ] T012.1 c\n- [ ] T013 d (depends on T001-T012a)\n",
            &["T013 < T001 T012a T012.1"],
        ),
        ("- [ ] T003 a (depends on T001–T003)\n- [ ] T001 b\n- [ ] T2 c\n", &["T003 < T001 T2"]),
        ("- [ ] T005 a (depends on T003-T001)\n- [ ] T001 b\n- [ ] T003 c\n", &["T005 < T001 T003"]),
        ("- [ ] T005 a (depends on T001-T009)\n- [ ] T001 b\n", &[]),
        ("- [ ] T001 a\n- [ ] T001 b\n- [ ] T002 c (depends on T001; requires T001)\n", &["T002 < T001"]),
        (
            "- [ ] T001 a (depends on T002)\n- [ ] T002 b (depends on T003)\n- [ ] T003 c (depends on T001)\n",
            &["T001 < T002", "T002 < T003"],
        ),
    ];
    for (source, expected) in cases {
        assert_eq!(blocked_by(source), expected, "{source}");
    }
}

#[test]
fn statements_are_read_in_sections_about_dependencies_only() {
    let tasks = "- [ ] T1 a\n- [ ] T2 b\n- [ ] T3 c\n";
    for (section, expected) in [
        ("## Dependencies\n- T2 depends on T1\n", true),
        ("# Phase DEPENDENCY order\n\nT2 depends on T1.\n", true),
        ("## Dependencies\n### More\n1. **T2**:\n   depends on `T1`\n", true),
        ("## Dependencies\n- a\n\n  T2 depends on T1\n", true),
        ("## Dependencies\nText. T2 depends on T1; more\n", true),
        ("## Notes\nT2 depends on T1\n", false),
        ("## Dependencies\n## Notes\nT2 depends on T1\n", false),
        ("### Dependencies\n## Notes\nT2 depends on T1\n", false),
        ("## Dependencies\n> T2 depends on T1\n", false),
        ("## Dependencies\n```\nT2 depends on T1\n```\n", false),
        ("## Dependencies\n- [ ] T4 d\n\n  T2: needs T1\n", false),
        ("## Dependencies\n| T2 depends on T1 |\n|---|\n| T2 depends on T1 |\n", false),
        ("## Dependencies\n# T2 depends on T1\n", false),
        ("> ## Dependencies\n\nT2 depends on T1\n", false),
    ] {
        let expected: &[&str] = if expected { &["T2 < T1"] } else { &[] };
        assert_eq!(blocked_by(&format!("{tasks}{section}")), expected, "{section}");
    }
}

#[test]
fn dependencies_are_in_the_order_of_the_document() {
    let tasks = "# A\n- [ ] T1 a (depends on T4, T3)\n- [ ] T2 b\n- [ ] T3 c\n- [ ] T4 d\n# Dependencies\n";
    assert_eq!(
        blocked_by(&format!("{tasks}T1 depends on T2 and T4. T1 and T2 depend on T3-T4")),
        ["T1 < T4 T3 T2", "T2 < T3 T4"]
    );
    let before = "# Dependencies\n- T1 depends on T2\n- T2 depends on T3\n\n# A\n- [ ] T1 a (requires T3)\n- [ ] T2 b\n\
        - [ ] T3 c (depends on T1)\n";
    assert_eq!(blocked_by(before), ["T1 < T2 T3", "T2 < T3"]);
}

#[test]
fn phases_depend_on_earlier_ones_by_default() {
    assert_eq!(phases(""), [vec![], vec![0], vec![1], vec![1], vec![1, 2, 3]]);
    let source = "## Phase 1\n- [ ] T1 a\n## Phase 2\n- [ ] T2 b\n## Phase 3\n- [ ] T3 c\n";
    assert_eq!(ListDocument::read(source).statements.phases, [vec![], vec![0], vec![1]]);
    let source =
        "- [ ] T1 a\n## US1\n- [ ] T2 a\n## US2\n- [ ] T3 b\n## Polish\n- [ ] T4 c\n## US3\n- [ ] T5 d\n";
    assert_eq!(ListDocument::read(source).statements.phases, [vec![], vec![], vec![0, 1], vec![2]]);
    assert_eq!(ListDocument::read("- [ ] T1 a\n").statements.phases, [[0; 0]; 0]);
}

#[test]
fn what_a_document_states_about_phases_replaces_the_default() {
    let default = [vec![], vec![0], vec![1], vec![1], vec![1, 2, 3]];
    let with = |phase: usize, on: Vec<usize>| {
        let mut phases = default.clone();
        phases[phase] = on;
        phases
    };
    for (section, expected) in [
        ("- **Phase 4 (US2)**: Can start after Phase 3", with(3, vec![2])),
        ("- Polish (Phase 5): depends on Phases 3 and 1", with(4, vec![2, 0])),
        ("- Phase 5 depends on Phase 3+", with(4, vec![2, 3])),
        ("- Phase 5 depends on Phase 2+", with(4, vec![1, 2, 3])),
        ("- Phase 5 depends on Phases 2-4", with(4, vec![1, 2, 3])),
        ("- Phase 5 depends on Phase 1, T3 and US1", with(4, vec![0])),
        ("- Phase 5 depends on Phase 1\n- Phase 5: needs Phase 1, Phase 2", with(4, vec![0, 1])),
        ("- Phase 4 depends on US1", default.clone()),
        ("- Phase 4 depends on Phase 9", default.clone()),
        ("- Phase 4 depends on Phases 1-9", default.clone()),
        ("- Phase 4 depends on Phase 4", default.clone()),
        ("- Phase 1 depends on Phase 2", default.clone()),
        ("- Phase 3 depends on Phase 4\n- Phase 4 depends on Phase 3", with(2, vec![3])),
    ] {
        assert_eq!(phases(section), expected, "{section}");
    }
}

#[test]
fn stories_depend_on_what_the_document_states() {
    let stories = |section: &str| ListDocument::read(&phases_and(section)).statements.stories;
    assert_eq!(stories("- User Story 2 (P2): Can start after US1 - Extends it"), [vec![], vec![0]]);
    assert_eq!(stories("- US1 depends on Story 2. US2 depends on US1"), [vec![1], vec![]]);
    assert_eq!(stories("- US1-US2 depend on US1-US2"), [vec![1], vec![]]);
    assert_eq!(stories("- US2 depends on US9 and Phase 2"), [vec![], vec![]]);
}

#[test]
fn tasks_wait_for_phases_stories_and_statements() {
    for (section, expected) in [
        ("", ["T2 < T1", "T3 < T2", "T4 < T2", "T5 < T2 T3 T4"]),
        ("US2: needs US1", ["T2 < T1", "T3 < T2", "T4 < T2 T3", "T5 < T2 T3 T4"]),
        ("US1 can start after Setup (Phase 1)", ["T2 < T1", "T3 < T1 T2", "T4 < T2", "T5 < T2 T3 T4"]),
        ("T5 depends on Phase 1", ["T2 < T1", "T3 < T2", "T4 < T2", "T5 < T1 T2 T3 T4"]),
        ("Phase 4 and T5 depend on T1", ["T2 < T1", "T3 < T2", "T4 < T1 T2", "T5 < T1 T2 T3 T4"]),
        ("Phase 4 depends on US1", ["T2 < T1", "T3 < T2", "T4 < T2 T3", "T5 < T2 T3 T4"]),
    ] {
        assert_eq!(waits_for(&phases_and(section), false), expected, "{section}");
    }
}

#[test]
fn the_order_of_a_phase_counts_if_it_is_marked() {
    let source = "- [ ] T1 a\n- [x] T2 b\n- [ ] T3 c\n## Phase 1\n- [ ] T4 [P] a\n- [ ] T5 b\n- [ ] T6 [P] c\n\
        - [ ] T7 [P] d\n- [ ] T8 e\n";
    assert_eq!(waits_for(source, true), ["T3 < T1", "T5 < T4", "T6 < T5", "T7 < T5", "T8 < T4 T5 T6 T7"]);
    assert_eq!(waits_for(source, false), [""; 0]);
}

#[test]
fn in_a_cycle_only_dependencies_of_tasks_count() {
    // T2 and T3 are in the phase 2, and T3 has to come before T2 in spite of the order.
    let source = "## Phase 1\n- [ ] T1 a\n## Phase 2\n- [ ] T2 b (depends on T3)\n- [ ] T3 c\n- [ ] T4 d\n";
    assert_eq!(waits_for(source, true), ["T2 < T1 T3", "T3 < T1", "T4 < T1 T2 T3"]);
    // The phases wait in one direction, the stories in the other one.
    let source = phases_and("Phase 4 depends on Phase 3. US1 depends on US2");
    assert_eq!(waits_for(&source, false), ["T2 < T1", "T3 < T2", "T5 < T2 T3 T4"]);
    // A task of a phase on which its own phase depends, and a task that names its own phase.
    let source = phases_and("T1 depends on T3. T2 depends on Phase 2");
    assert_eq!(waits_for(&source, false), ["T1 < T3", "T4 < T2", "T5 < T2 T3 T4"]);
}

#[test]
fn dependencies_lead_through_several_lists_and_the_trash() {
    let first = ListDocument::read("- [ ] T1 a (depends on T2)\n- [ ] T2 b\n");
    let second = ListDocument::read("- [ ] T1 a\n- [ ] T2 b (depends on T1)\n");
    let task = |text| Some(TaskNow { text, is_completed: false });
    let lists = |second_of_first| {
        let first = ListNow {
            document: &first,
            is_marked: false,
            tasks: vec![task("a (depends on T2)"), second_of_first],
        };
        let second =
            ListNow { document: &second, is_marked: true, tasks: vec![task("a"), task("b (depends on T1)")] };
        [first, second]
    };
    // The numbers: 0 and 1 in the first list, 2 and 3 in the second, 4 outside of lists.
    let waiting = Waiting::new(&lists(task("b")), &[false], &[(1, 3), (2, 4), (4, 4), (1, 3), (0, 1)]);
    assert_eq!([0, 1, 2].map(|list| waiting.first(list)), [0, 2, 4]);
    assert_eq!([0, 1, 2, 3, 4].map(|task| waiting.blocked_by(task)), [&[1][..], &[3], &[4], &[2], &[]]);
    assert_eq!(waiting.blocks(4), [2]);
    // With another dependency there is a cycle, so those that were added do not count.
    let waiting = Waiting::new(&lists(task("b")), &[false], &[(1, 3), (2, 0), (2, 4)]);
    assert_eq!([0, 1, 2, 3].map(|task| waiting.blocked_by(task)), [&[1][..], &[], &[4], &[2]]);
    // What is in the trash blocks no task.
    let waiting = Waiting::new(&lists(None), &[false], &[(1, 3), (2, 4)]);
    assert_eq!([0, 1, 2].map(|task| waiting.blocked_by(task)), [&[][..], &[], &[4]]);
    assert!(!waiting.is_waiting(0) && !waiting.is_waiting(1));
    // A changed text counts in place of that of the document.
    let waiting = Waiting::new(&lists(task("b — after T1")), &[], &[]);
    assert_eq!([0, 1].map(|task| waiting.blocked_by(task)), [&[1][..], &[]]);
}

#[test]
fn the_real_list_says_what_waits_for_what() {
    let document = ListDocument::read(LIST);
    let statements = &document.statements;
    assert_eq!(
        statements.phases,
        [vec![], vec![0], vec![1], vec![1], vec![1], vec![3], vec![4], vec![1, 2, 3, 4, 5, 6]]
    );
    // The stories are US1, US2, US4, US3 and US5.
    assert_eq!(statements.stories, [vec![], vec![], vec![], vec![1, 2], vec![2]]);
    assert_eq!((statements.tasks.len(), statements.others.len()), (0, 3));
    let waits_for = waits_for(LIST, true);
    let ready: Vec<_> = document.tasks[13..]
        .iter()
        .filter(|task| !waits_for.iter().any(|line| line.starts_with(&task.key)))
        .map(|task| task.key.as_str())
        .collect();
    assert_eq!(ready.join(" "), "T014 T015 T016 T017 T018 T026 T027 T028 T029 T035 T036 T037 T038 T039 T040");
    let of = |key: &str| waits_for.iter().find(|line| line.starts_with(key)).unwrap().as_str();
    assert_eq!(of("T020"), "T020 < T014 T015 T016 T017 T018 T019");
    assert_eq!(of("T053"), "T053 < T035 T036 T037 T038 T039 T040 T041 T042 T043 T044 T045");
    assert!(of("T046").starts_with("T046 < T026 T027"));
    let of_dependencies = [Code::UnknownReference, Code::DependencyCycle, Code::DoneEarly];
    assert!(!document.diagnostics.iter().any(|found| of_dependencies.contains(&found.code)));
}
