//! What an export changes in a document, and what stays.

use task_documents::task::{
    File, FileKind, Priority, Risk, RiskLevel, Section, Status, TaskDocument, TaskValues, export,
    match_files, match_items, match_risks,
};

use crate::support::{LIMITS, changed, item, read, remove_items};

#[track_caller]
fn expect(source: &str, change: impl FnOnce(&mut TaskValues), expected: &str) {
    assert_eq!(changed(source, change), expected);
}

#[test]
fn a_tick_changes_what_is_between_the_brackets() {
    let source = "# T\r\n## Plan\r\n* [X] a\r\n* [] b\r\n* [⚠️] c\r\n";
    expect(source, |now| now.items[1].done = true, &source.replace("[] b", "[X] b"));
    expect(source, |now| now.items[2].done = true, &source.replace("[⚠️]", "[X]"));
    expect(source, |now| now.items[0].done = false, &source.replace("[X]", "[ ]"));
}

#[test]
fn a_new_text_replaces_the_old_one_on_one_line() {
    let source = "# T\n## Plan\n- [ ] a\n  more\n- [ ] b\n";
    expect(source, |now| now.items[0].text = "new".into(), "# T\n## Plan\n- [ ] new\n- [ ] b\n");
    let document = TaskDocument::read(source, &LIMITS);
    let mut now = document.values.clone();
    now.items[0].text = "a\r\nmore".into();
    assert_eq!(export(source, &document, &now), source);
}

#[test]
fn a_value_that_is_changed_back_has_the_bytes_of_the_source() {
    let source = "# T\n**Status**:   🟡 in_progress (soon)\\\n## Plan\n- [✅] a\n";
    let document = TaskDocument::read(source, &LIMITS);
    let mut now = document.values.clone();
    now.status = Status::Blocked;
    assert_eq!(export(source, &document, &now), source.replace("🟡 in_progress (soon)", "Blocked"));
    now.status = Status::InProgress;
    assert_eq!(export(source, &document, &now), source);
}

#[test]
fn new_field_lines_follow_the_last_one() {
    let add = |now: &mut TaskValues| {
        now.priority = Priority::High;
        now.date = chrono::NaiveDate::from_ymd_opt(2026, 1, 2);
    };
    expect(
        "# T\n- **Status**: Done\n- x\n",
        add,
        "# T\n- **Status**: Done\n- **Date**: 2026-01-02\n- **Priority**: High\n- x\n",
    );
    expect("# T\r\ntext", add, "# T\r\n\r\n**Date**: 2026-01-02\r\n**Priority**: High\r\n\r\ntext");
    expect("# T", add, "# T\n\n**Date**: 2026-01-02\n**Priority**: High\n");
    expect("# T\n**Date**:\\\n**Priority**:", add, "# T\n**Date**: 2026-01-02\\\n**Priority**: High");
}

#[test]
fn new_items_stand_beside_their_siblings() {
    let source = "# T\n## Plan\n1. [ ] a\n2. [ ] b\n   * [ ] c\n\ntext\n";
    let add = |at: usize, parent: Option<usize>| {
        move |now: &mut TaskValues| {
            for item in &mut now.items {
                item.parent = item.parent.map(|parent| parent + usize::from(parent >= at));
            }
            now.items.insert(at, item(Section::Action, "new", parent));
        }
    };
    expect(source, add(1, None), &source.replace("2. [", "- [ ] new\n2. ["));
    expect(source, add(0, None), &source.replace("1. [", "- [ ] new\n1. ["));
    expect(source, add(3, None), &source.replace("c\n", "c\n- [ ] new\n"));
    expect(source, add(3, Some(1)), &source.replace("c\n", "c\n   * [ ] new\n"));
    expect(source, add(1, Some(0)), &source.replace("a\n", "a\n   - [ ] new\n"));
}

#[test]
fn a_moved_item_is_removed_and_added_with_its_children() {
    let source = "# T\n## Plan\n- [ ] a\n  - [x] b\n- [ ] c\n- [ ] d\n";
    let document = TaskDocument::read(source, &LIMITS);
    let mut now = document.values.clone();
    now.items.rotate_left(2);
    now.items[3].parent = Some(2);
    assert_eq!(export(source, &document, &now), "# T\n## Plan\n- [ ] c\n- [ ] d\n- [ ] a\n  - [x] b\n");
}

#[test]
fn removed_parts_leave_no_lines() {
    let source = "# T\n## Plan\n- [ ] a\n  - [ ] b\n\n  text\n- [ ] c\n";
    expect(source, |now| remove_items(now, |item| item.text == "a"), "# T\n## Plan\n- [ ] c\n");
    expect(
        "# T\n## Plan\n- [ ] p\n  1. [ ] a\n  2. [ ] b\n",
        |now| remove_items(now, |item| item.text == "a"),
        "# T\n## Plan\n- [ ] p\n\n  2. [ ] b\n",
    );
}

#[test]
fn values_without_a_section_get_the_section_of_the_template() {
    let change = |now: &mut TaskValues| {
        now.objective = Some("# One".into());
        now.items.push(item(Section::OutOfScope, "b", None));
        now.files.push(File { origin: None, kind: FileKind::Modified, path: "c`d".into() });
    };
    let expected = "Title\n\n## 1. Objective\n\n\\# One\n\n## 3. Scope & Deliverables\n\n\
        - **In Scope**:\n- **Out of Scope**:\n  - [ ] b\n\
        - **Deliverables**:\n\n## 7. Files to Modify\n\n- **Created**:\n- **Modified**:\n  - ``c`d``\n\
        - **Deleted**:\n";
    expect("# Title\n", change, &format!("# {expected}"));
    expect("Title", change, &format!("# {expected}"));
}

#[test]
fn a_section_gets_the_label_that_it_lacks() {
    let source = "# T\n## Scope\n- **In Scope**:\n  - [ ] a\n\n---\n";
    let expected = source.replace("a\n", "a\n- **Deliverables**:\n  - [ ] new\n");
    expect(source, |now| now.items.push(item(Section::Deliverable, "new", None)), &expected);
}

#[test]
fn risks_are_written_into_their_table() {
    let source = "# T\n## Risks\nRisk | Impact | Note | Likelihood\n--|--|--|--\na | low | x | **High**\n";
    expect(source, |now| now.risks[0].impact = RiskLevel::Medium, &source.replace("low", "Medium"));
    expect(
        source,
        |now| now.risks[0].description = "- b | c".into(),
        &source.replace("a |", "| - b \\| c |"),
    );
    let (likelihood, impact) = (RiskLevel::Low, RiskLevel::High);
    let new = Risk { origin: None, description: "new".into(), likelihood, impact, mitigation: None };
    expect(source, |now| now.risks.push(new.clone()), &format!("{source}| new | High | | Low |\n"));
    let expected = "# T\n## Risks\nRisk | Impact | Note | Likelihood | Mitigation Plan\n\
        --|--|--|-- |---\na | low | x | **High** | plan\n";
    expect(source, |now| now.risks[0].mitigation = Some("plan".into()), expected);
    let empty = "# T\n## Risks\n*hint*\n## Files\n";
    let table =
        "\n| Risk | Likelihood | Impact | Mitigation Plan |\n|---|---|---|---|\n| new | Low | High | |\n\n";
    expect(empty, |now| now.risks.push(new), &empty.replace("*hint*\n", &format!("*hint*\n{table}")));
}

#[test]
fn a_section_that_is_the_title_stays_a_section() {
    let source = "# Tasks\n- [ ] a\n";
    expect(
        source,
        |now| now.title = "Plan".into(),
        &format!("# TASK: Plan\n\n**Status**: Pending\n**Priority**: Medium\n\n{source}"),
    );
    expect(source, |now| now.items[0].done = true, "# Tasks\n- [x] a\n");
    let source = "## Plan\n**Status**: Done\n- [ ] a\n";
    expect(source, |now| now.items[0].done = true, &source.replace("[ ]", "[x]"));
}

#[test]
fn new_sections_follow_code_without_an_end() {
    let change = |now: &mut TaskValues| now.objective = Some("One".into());
    expect("# T\n```\ncode", change, "# T\n```\ncode\n```\n\n## 1. Objective\n\nOne\n");
    expect("# T\n<!--\n", change, "# T\n<!--\n-->\n\n## 1. Objective\n\nOne\n");
}

#[test]
fn a_box_behind_very_many_bullets_is_text() {
    let source = format!("# T\n## Plan\n{}[ ] a\n", "- ".repeat(600));
    let expected = source.replace("Plan\n", "Plan\n\n- [ ] new\n\n");
    expect(&source, |now| now.items.push(item(Section::Action, "new", None)), &expected);
}

#[test]
fn parts_keep_their_identity_when_a_document_is_replaced() {
    let old = read("# T\n## Plan\n- [ ] a\n- [ ] a\n- [ ] b\n## Files\n**New**\n- x\n- y\n");
    let new = read(
        "# T\n## Plan\n- [ ] b\n- [x] a\n  - [ ] a\n- [ ] a\n## Steps\n## Done\n## Files\n**Deleted**\n\
            - x\n\n**New**\n- y\n",
    );
    assert_eq!(match_items(&old.items, &new.items), [Some(2), Some(0), Some(1), None]);
    assert_eq!(match_files(&old.files, &new.files), [None, Some(1)]);
    assert_eq!(match_risks(&old.risks, &new.risks), []);
}
