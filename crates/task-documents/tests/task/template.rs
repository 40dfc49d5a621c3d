//! The template of a task document, in which everything is still to be filled in.

use task_documents::diagnostic::Code;
use task_documents::task::{File, FileKind, Priority, Risk, RiskLevel, Section, Status, TaskValues};

use crate::support::{changed, codes, item, items, read, remove_items};

const TEMPLATE: &str = include_str!("../data/task.md");

#[test]
fn the_values_of_the_template_are_read() {
    let values = read(TEMPLATE);
    assert_eq!(values.title, "[Task Title]");
    assert_eq!((values.date, values.status, values.priority), (None, Status::Pending, Priority::Medium));
    assert_eq!(values.owner.as_deref(), Some("[Your Name/Team]"));
    let objective = "To refactor the authentication module to use JWT instead of session cookies.";
    assert_eq!(values.objective.as_deref(), Some(objective));
    let rationale = values.rationale.as_deref().unwrap();
    assert!(rationale.starts_with("The current session-based") && rationale.ends_with("solve these issues."));
}

#[test]
fn the_lists_of_the_template_are_read() {
    let values = read(TEMPLATE);
    let count = |section| items(&values, section).len();
    assert_eq!(count(Section::InScope), 3);
    assert_eq!(count(Section::OutOfScope), 2);
    assert_eq!(count(Section::Deliverable), 3);
    assert_eq!(items(&values, Section::Deliverable)[0], "A new `jwt_service.py` module.");
    let actions = items(&values, Section::Action);
    assert_eq!((actions.len(), actions.iter().filter(|text| text.starts_with("> ")).count()), (10, 7));
    assert_eq!(
        actions[4..6],
        ["**Phase 2: Frontend Integration**", "> Update the login form to store the JWT in local storage."]
    );
    assert_eq!(count(Section::Acceptance), 4);
    let risk = &values.risks[1];
    assert_eq!(
        (risk.description.as_str(), risk.likelihood, risk.impact),
        ("Replay attacks", RiskLevel::Medium, RiskLevel::Medium)
    );
    assert!(risk.mitigation.as_deref().unwrap().starts_with("Keep token"));
    assert_eq!((values.risks.len(), values.risks[0].impact), (2, RiskLevel::High));
    let files: Vec<_> = values.files.iter().map(|file| (file.kind, file.path.as_str())).collect();
    assert_eq!(files.len(), 6);
    assert_eq!(files[1], (FileKind::Created, "tests/test_jwt_service.py"));
    assert_eq!(files[5], (FileKind::Deleted, "src/services/session_manager.py"));
}

#[test]
fn the_placeholders_of_the_template_are_reported() {
    let expected = [1, 3, 4, 5, 6].map(|line| (Code::Placeholder, Some(line)));
    assert_eq!(codes(TEMPLATE), expected);
}

/// The lines that differ: those that are only in the first text, and those that are only in the second.
fn difference<'a>(old: &'a str, new: &'a str) -> (Vec<&'a str>, Vec<&'a str>) {
    let only = |text: &'a str, other: &str| {
        text.lines().filter(|line| !other.lines().any(|other| other == *line)).collect()
    };
    (only(old, new), only(new, old))
}

#[track_caller]
fn expect(change: impl FnOnce(&mut TaskValues), removed: &[&str], added: &[&str]) {
    let exported = changed(TEMPLATE, change);
    let (old, new) = difference(TEMPLATE, &exported);
    assert_eq!((old.as_slice(), new.as_slice()), (removed, added), "{exported}");
}

#[test]
fn a_changed_value_of_the_template_changes_its_own_line() {
    expect(|now| now.title = "Move".into(), &["# TASK: [Task Title]"], &["# TASK: Move"]);
    expect(
        |now| now.status = Status::InProgress,
        &["**Status**: Pending | In Progress | Blocked | Completed"],
        &["**Status**: In Progress"],
    );
    expect(|now| now.owner = None, &["**Owner**: [Your Name/Team]"], &["**Owner**: "]);
    expect(
        |now| now.date = chrono::NaiveDate::from_ymd_opt(2026, 11, 21),
        &["**Date**: YYYY-MM-DD"],
        &["**Date**: 2026-11-21"],
    );
    expect(
        |now| now.objective = Some("# One\nTwo".into()),
        &["**Example**: To refactor the authentication module to use JWT instead of session cookies."],
        &["\\# One", "Two"],
    );
    expect(
        |now| now.items[4].done = true,
        &["  - [ ] Two-factor authentication."],
        &["  - [x] Two-factor authentication."],
    );
    expect(
        |now| now.risks[1].impact = RiskLevel::Low,
        &["| Replay attacks | Medium | Medium | Keep token expiration times short (e.g., 15 minutes) \
                and implement a token blocklist for logout. |"],
        &["| Replay attacks | Medium | Low | Keep token expiration times short (e.g., 15 minutes) and \
                implement a token blocklist for logout. |"],
    );
}

#[test]
fn parts_are_added_to_the_template_and_removed_from_it() {
    expect(
        |now| {
            let parent = now.items.iter().position(|item| item.text.contains("Phase 3"));
            now.items.push(item(Section::Action, "Roll out", parent));
        },
        &[],
        &["  - [ ] Roll out"],
    );
    expect(
        |now| now.files.push(File { origin: None, kind: FileKind::Deleted, path: "a b".into() }),
        &[],
        &["  - `a b`"],
    );
    expect(
        |now| {
            let (likelihood, impact) = (RiskLevel::High, RiskLevel::Low);
            let description = "a | b".into();
            now.risks.insert(1, Risk { origin: None, description, likelihood, impact, mitigation: None });
        },
        &[],
        &["| a \\| b | High | Low | |"],
    );
    expect(
        |now| remove_items(now, |item| item.section == Section::OutOfScope),
        &["  - [ ] Refresh token implementation.", "  - [ ] Two-factor authentication."],
        &[],
    );
}
