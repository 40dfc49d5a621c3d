//! A real list with 70 tasks, whose own figures are wrong in places, and a real task document.

use task_documents::diagnostic::Code;
use task_documents::list::{ListDocument, TaskState, export};

pub const LIST: &str = include_str!("../data/list.md");
pub const TASK_DOCUMENT: &str = include_str!("../data/task.md");

#[test]
fn the_list_has_70_tasks_in_8_phases() {
    let document = ListDocument::read(LIST);
    assert_eq!(document.title, "JWT Authentication System (Backend Only)");
    let keys: Vec<String> = (1..=70).map(|number| format!("T{number:03}")).collect();
    assert!(document.tasks.iter().map(|task| &task.key).eq(&keys));
    let of_phase = |phase: usize| document.tasks.iter().filter(|task| task.phase == Some(phase)).count();
    let phases = document.phases.iter().enumerate().map(|(index, phase)| {
        (phase.number.as_deref().unwrap_or_default(), phase.title.as_str(), phase.priority, of_phase(index))
    });
    let phases: Vec<_> = phases.collect();
    assert_eq!(
        phases,
        [
            ("1", "Setup (Shared Infrastructure)", None, 4),
            ("2", "Foundational (Blocking Prerequisites)", None, 9),
            ("3", "User Story 1 - User Registration", Some(1), 12),
            ("4", "User Story 2 - User Login", Some(1), 9),
            ("5", "User Story 4 - Secure API Communication", Some(1), 11),
            ("6", "User Story 3 - Session Persistence", Some(2), 7),
            ("7", "User Story 5 - User Profile Access", Some(3), 9),
            ("8", "Polish & Cross-Cutting Concerns", None, 9),
        ]
    );
    assert_eq!(document.tasks.iter().filter(|task| task.ticked).count(), 13);
    assert_eq!(document.tasks.iter().filter(|task| task.parallel).count(), 33);
    let mvp: Vec<_> = document.phases.iter().filter(|phase| phase.mvp).map(|phase| &phase.title).collect();
    assert_eq!(mvp, ["User Story 1 - User Registration"]);
}

#[test]
fn the_list_has_labels_and_stories() {
    let document = ListDocument::read(LIST);
    let login = &document.phases[3];
    assert_eq!(login.purpose, None);
    assert_eq!(login.goal.as_deref(), Some("Enable existing users to authenticate with email and password"));
    assert!(
        login.independent_test.as_deref().is_some_and(|text| text.starts_with("Create test user, attempt"))
    );
    assert_eq!(
        login.checkpoint.as_deref(),
        Some("At this point, User Stories 1 AND 2 should both work independently")
    );
    let stories: Vec<_> = document
        .stories
        .iter()
        .map(|story| (story.key.as_str(), story.title.as_deref().unwrap_or_default(), story.phase))
        .collect();
    assert_eq!(
        stories,
        [
            ("US1", "User Registration", Some(2)),
            ("US2", "User Login", Some(3)),
            ("US4", "Secure API Communication", Some(4)),
            ("US3", "Session Persistence", Some(5)),
            ("US5", "User Profile Access", Some(6)),
        ]
    );
    let task = &document.tasks[13];
    assert_eq!(
        (task.key.as_str(), &task.stories[..], task.parallel),
        ("T014", &["US1".to_owned()][..], true)
    );
    assert!(
        task.text.starts_with("Unit test for password validation in backend/tests/test_password.py: valid")
    );
    assert_eq!(&LIST[task.lines.clone()], format!("- [ ] T014 [P] [US1] {}\n", task.text));
    assert!(document.tasks[..13].iter().all(|task| task.stories.is_empty()));
}

#[test]
fn two_figures_of_the_list_are_wrong_and_six_files_are_shared() {
    let document = ListDocument::read(LIST);
    let found: Vec<_> = document
        .diagnostics
        .iter()
        .map(|found| (found.code, found.line.unwrap_or_default(), found.keys.join(" "), found.numbers))
        .collect();
    let shared = |line: usize, keys: &str| (Code::SameFileParallel, line, keys.to_owned(), None);
    let wrong = |line: usize, numbers| (Code::CountMismatch, line, String::new(), Some(numbers));
    assert_eq!(
        found,
        [
            shared(71, "T015 T016 T017 T018"),
            shared(98, "T026 T027 T028 T029"),
            shared(123, "T035 T036"),
            shared(125, "T037 T038 T039 T040"),
            shared(150, "T046 T047 T048"),
            shared(173, "T053 T054 T055 T056"),
            wrong(345, (36, 33)),
            wrong(348, (54, 45)),
        ]
    );
    assert_eq!(
        document.diagnostics[6].message,
        "The line states 36 tasks with the mark [P], but 33 were counted."
    );
}

/// The other figures are compared too: each is reported when it is changed.
#[test]
fn each_figure_of_the_list_is_compared() {
    for (right, wrong, numbers) in [
        ("**Total Tasks**: 70", "**Total Tasks**: 71", (71, 70)),
        ("- Phase 1 (Setup): 4 tasks", "- Phase 1 (Setup): 5 tasks", (5, 4)),
        ("- Phase 3 (US1 - Registration): 12", "- Phase 3 (US1 - Registration): 13", (13, 12)),
        ("- US5 (Profile Access): 9", "- US5 (Profile Access): 8", (8, 9)),
        ("Phases 1-3 only (25", "Phases 1-3 only (26", (26, 25)),
    ] {
        let source = LIST.replacen(right, wrong, 1);
        let found = ListDocument::read(&source).diagnostics;
        assert!(found.iter().any(|found| found.numbers == Some(numbers)), "{wrong}");
        assert_eq!(found.len(), 9, "{wrong}");
    }
}

#[test]
fn a_tick_uses_the_letter_of_the_list() {
    let document = ListDocument::read(LIST);
    let text = |key: &str| document.tasks.iter().find(|task| task.key == key).map(|task| task.text.as_str());
    let state = |key: &str| {
        let completed = key <= "T014";
        text(key).map(|text| TaskState { text, completed, in_trash: false })
    };
    let expected = LIST.replace("- [ ] T014", "- [X] T014");
    assert!(export(LIST, &document, state) == expected);
}

#[test]
fn a_task_document_is_a_list_without_tasks() {
    let document = ListDocument::read(TASK_DOCUMENT);
    assert!(document.tasks.is_empty());
    assert_eq!(document.diagnostics[0].code, Code::NoTasks);
    assert_eq!(document.diagnostics[0].line, None);
    assert!(document.diagnostics[1..].iter().all(|found| found.code == Code::UnkeyedBox));
    assert_eq!(document.diagnostics.len(), 1 + TASK_DOCUMENT.matches("- [ ]").count());
    let nothing = |_: &str| -> Option<TaskState<'_>> { None };
    assert_eq!(export(TASK_DOCUMENT, &document, nothing), TASK_DOCUMENT);
}
