//! What is reported about task documents.

use task_documents::diagnostic::{Code, MAX_DIAGNOSTICS};
use task_documents::task::{Limits, TaskDocument};

use crate::support::{LIMITS, codes};

#[track_caller]
fn expect(source: &str, expected: &[(Code, usize)]) {
    let expected: Vec<_> = expected.iter().map(|(code, line)| (*code, Some(*line))).collect();
    assert_eq!(codes(source), expected, "{source}");
}

#[test]
fn placeholders_of_the_template_are_reported() {
    expect(
        "# [Title]\n**Owner**: [You]\n**Date**: YYYY-MM-DD\n**Status**: Todo | Done\n",
        &[(Code::Placeholder, 1), (Code::Placeholder, 2), (Code::Placeholder, 3), (Code::Placeholder, 4)],
    );
    expect("# [A](b)\n**Owner**: [a] and [b]\n", &[]);
}

#[test]
fn values_that_cannot_be_used_are_reported() {
    expect(
        "# T\n**Date**: 2026-02-30\n**Status**: Later\n**Priority**: P1\n**Owner**:\n**Status**: Never\n",
        &[(Code::UnreadableValue, 2), (Code::UnreadableValue, 3), (Code::UnreadableValue, 4)],
    );
    let table = "# T\n## Risks\n| Risk | Impact | Likelihood |\n|---|---|---|\n| a | ? | Low |\n| | | |\n";
    expect(table, &[(Code::UnreadableValue, 5)]);
    expect("# T\n## Risks\n| Risk | Impact |\n|---|---|\n| a | Low |\n", &[(Code::UnreadableValue, 3)]);
}

#[test]
fn boxes_that_are_not_read_as_they_look_are_reported() {
    expect(
        "# T\n## Plan\n- [~] a\n  - [✅] b\n    - [ ] c\n      - [ ] d\n- [ ] e\n",
        &[(Code::UnknownMark, 3), (Code::UnknownMark, 4), (Code::BoxTooDeep, 5), (Code::BoxTooDeep, 6)],
    );
    expect("# T\n## Acceptance Criteria\n- [ ] a\n  - [ ] b\n", &[(Code::BoxTooDeep, 4)]);
    expect("# T\n## Notes\n- [~] a\n", &[]);
}

#[test]
fn the_first_item_without_a_box_is_reported_in_each_section() {
    let source = "# T\n## Plan\n- a\n- b\n## Scope\n- **In Scope**\n  - [ ] c\n  - d\n## Steps\n> - e\n";
    expect(source, &[(Code::ItemWithoutBox, 3), (Code::ItemWithoutBox, 8), (Code::RepeatedSection, 9)]);
}

#[test]
fn sections_with_the_same_meaning_are_reported() {
    expect(
        "# T\n## Goals\n## Objective\n## Scope\n### In Scope\n## Non-Goals\n## Risks\n## Risk Assessment\n",
        &[(Code::RepeatedSection, 3), (Code::RepeatedSection, 8)],
    );
}

#[test]
fn texts_that_are_too_long_are_cut_and_reported() {
    let limits =
        Limits { title: 3, owner: 3, objective: 3, item: 3, risk: 3, mitigation: 3, path: 3, ..LIMITS };
    let source = "# Title\n**Owner**: Annie\n## Objective\nText\n## Plan\n- [ ] item\n- [ ] one\n\
                  ## Risks\n| Risk | Impact | Likelihood | Mitigation |\n|---|---|---|---|\n\
                  | risk | Low | Low | long |\n\
                  ## Files\n- **New**\n  - `path`\n";
    let found = TaskDocument::read(source, &limits);
    let lines: Vec<_> = found.diagnostics.iter().map(|found| (found.code, found.line)).collect();
    assert_eq!(lines, [1, 2, 3, 6, 11, 11, 14].map(|line| (Code::TextCut, Some(line))));
    let values = found.values;
    assert_eq!((values.title.as_str(), values.owner.as_deref()), ("Tit", Some("An…")));
    assert_eq!((values.items[0].text.as_str(), values.items[1].text.as_str()), ("it…", "one"));
    assert_eq!(values.risks[0].mitigation.as_deref(), Some("lo…"));
}

#[test]
fn what_exceeds_the_numbers_of_parts_is_reported_once() {
    let limits = Limits { items: 2, risks: 1, files: 1, ..LIMITS };
    let source = "# T\n## Plan\n- [ ] a\n- [ ] b\n- [ ] c\n  - [ ] d\n- [ ] e\n\
                  ## Risks\n| Risk | Impact | Likelihood |\n|---|---|---|\n| a | Low | Low |\n\
                  | b | Low | Low |\n| c | Low | Low |\n\
                  ## Files\n**New**\n- a\n- b\n- c\n";
    let found = TaskDocument::read(source, &limits);
    let lines: Vec<_> = found.diagnostics.iter().map(|found| (found.code, found.line)).collect();
    assert_eq!(lines, [5, 12, 17].map(|line| (Code::TooMany, Some(line))));
    assert_eq!((found.values.items.len(), found.values.risks.len(), found.values.files.len()), (2, 1, 1));
}

#[test]
fn at_most_1000_diagnostics_are_listed() {
    let boxes =
        |number: usize| format!("# T\n## Plan\n- [ ] a\n  - [ ] b\n{}", "    - [ ] c\n".repeat(number));
    assert!(codes(&boxes(MAX_DIAGNOSTICS)).iter().all(|(code, _)| *code == Code::BoxTooDeep));
    let more = codes(&boxes(MAX_DIAGNOSTICS + 1));
    assert_eq!((more.len(), more[MAX_DIAGNOSTICS - 2].0), (MAX_DIAGNOSTICS, Code::BoxTooDeep));
    assert_eq!(more[MAX_DIAGNOSTICS - 1], (Code::More, None));
}
