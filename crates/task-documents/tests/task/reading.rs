//! What is read from documents in various styles.

use task_documents::task::{Priority, Section, Status, write};

use crate::support::{items, read};

#[test]
fn the_first_heading_of_the_first_level_is_the_title() {
    let cases = [
        ("# TASK: Move", "Move"),
        ("# task:Move #", "Move"),
        ("## Second\n\n# First", "First"),
        ("## Second\n\n### Third", "Second"),
        ("---\na: b\n---\n\n  Words here  \nmore", "Words here"),
        ("\u{feff}# A\u{301}", "Á"),
        ("Title\n=====\n\n## Objective\n", "Objective"),
        ("<!-- comment -->\n\n```\ncode\n```\n\nText", "Text"),
        ("# \n\ntext", "Untitled task"),
        ("", "Untitled task"),
    ];
    for (source, title) in cases {
        assert_eq!(read(source).title, title, "{source:?}");
    }
    assert_eq!(read(&format!("# {}", "ä".repeat(300))).title, "ä".repeat(200));
}

#[test]
fn field_lines_are_read_between_the_title_and_the_next_heading() {
    let source = "# T\n- **Status:** ✅ Done\n- **priority**: URGENT\n\n**Created**: 2026-02-28\\\n\
                  **Assigned To**: Ann \\\n**Owner**: Ben\n\n## More\n**Date**: 2026-01-01\n";
    let values = read(source);
    assert_eq!((values.status, values.priority), (Status::Completed, Priority::Critical));
    assert_eq!(values.date.map(|date| date.to_string()).as_deref(), Some("2026-02-28"));
    assert_eq!(values.owner.as_deref(), Some("Ann"));
    let unread =
        read("# T\n```\n**Status**: Done\n```\n> **Priority**: High\n\n<!--\n**Date**: 2026-01-01\n-->\n");
    assert_eq!((unread.status, unread.priority, unread.date), (Status::Pending, Priority::Medium, None));
}

#[test]
fn a_text_is_read_without_hints_rules_and_headings_at_its_ends() {
    let objective = |body: &str| read(&format!("# T\n## Objective\n{body}\n## Next\nother")).objective;
    for (body, expected) in [
        ("*hint*\n\nOne\r\n- two\r\n\n---\n", Some("One\n- two")),
        ("### Sub\n\nOne\n\n### Sub\n\ntwo\n\n*hint*", Some("One\n\n### Sub\n\ntwo")),
        ("*one* and *two*", Some("*one* and *two*")),
        ("**Example**: an example", Some("an example")),
        ("**Example**: an example\n\nOne", Some("One")),
        ("\\# One\n\\## two\n\n```\n\\# code\n```", Some("# One\n## two\n\n```\n\\# code\n```")),
        ("One\n---\n", Some("One")),
        ("<!-- comment -->\n\nOne\n", Some("One")),
        ("*hint*\n\n---", None),
        ("", None),
    ] {
        assert_eq!(objective(body).as_deref(), expected, "{body:?}");
    }
}

#[test]
fn checklists_are_read_from_headings_in_various_styles() {
    let source = "# T\n## 🎯 In Scope\n* [✅] a\n* [X] b\n## Non-Goals:\n+ [] c\n## **Deliverables**\n\
        1. [x] d\n   more\n\
                  ## 4) Steps\n1. [x] e\n   - [~] f\n     - [ ] g\n2) [ ] h\n- i\n\
                  ## Definition of Done\n- [ ] j\n  - [ ] k\n- [ ]\n";
    let values = read(source);
    let texts = |section| items(&values, section);
    assert_eq!(texts(Section::InScope), ["a", "x b"]);
    assert_eq!(texts(Section::OutOfScope), ["c"]);
    assert_eq!(texts(Section::Deliverable), ["x d more"]);
    assert_eq!(texts(Section::Action), ["x e", "> f", "h"]);
    assert_eq!(texts(Section::Acceptance), ["j"]);
}

#[test]
fn labels_decide_about_the_items_of_a_scope_section() {
    let source = "# T\n## Scope & Deliverables\n- [ ] none\n- **In Scope**\n  - group\n    - [ ] a\n\n\
        **Out of Scope**:\n\n\
                  - [ ] b\n- **Deliverables:**\n- [ ] c\n\
                  - **In Scope**:\n  - **Out of Scope**:\n    - [ ] d\n  - [ ] e\n";
    let values = read(source);
    assert_eq!(items(&values, Section::InScope), ["a", "e"]);
    assert_eq!(items(&values, Section::OutOfScope), ["b", "d"]);
    assert_eq!(items(&values, Section::Deliverable), ["c"]);
}

#[test]
fn boxes_in_quotes_code_and_other_sections_are_text() {
    let source = "# T\n## Plan\n> - [ ] a\n\n```\n- [ ] b\n```\n\n    - [ ] c\n\n<!--\n- [ ] d\n-->\n\n\
        ## Notes\n- [ ] e\n";
    assert_eq!(read(source).items, []);
}

#[test]
fn risks_are_read_from_the_first_complete_table() {
    let source = "# T\n## Risks\n| a | b |\n|---|---|\n| 1 | 2 |\n\n\
                  Probability | Severity | Risk | Mitigations\n--|--|--|--\n🔴 High | **Med** | a \\| b |\n\
                  Low | Low | c | d | e\n\
                  | Low | ? | f | g |\n| Low | Low | | h |\n";
    let values = read(source);
    let risks: Vec<_> =
        values.risks.iter().map(|risk| (risk.description.as_str(), risk.mitigation.as_deref())).collect();
    assert_eq!(risks, [("a | b", None), ("c", Some("d"))]);
}

#[test]
fn files_are_read_below_their_labels() {
    let source = "# T\n## Files Affected\n- none\n\n**New**\n\n* `a.rs` - text `b.rs`\n\
        * [ ] c d\n  - a note\n\n- **Changed**:\n  1. ``d`e``\n- **Removed**\n";
    let values = read(source);
    let files: Vec<_> = values.files.iter().map(|file| (file.kind as u8, file.path.as_str())).collect();
    assert_eq!(files, [(0, "a.rs"), (0, "c d"), (1, "d`e")]);
}

#[test]
fn a_new_document_has_the_form_of_the_template() {
    let mut values = read("");
    values.title = "Title".into();
    let expected = "# TASK: Title\n\n**Status**: Pending\n**Priority**: Medium\n\n---\n\n## 1. Objective\n\n\
        ## 2. Problem Statement & Rationale\n\n## 3. Scope & Deliverables\n\n\
        - **In Scope**:\n- **Out of Scope**:\n\
        - **Deliverables**:\n\n## 4. Implementation Plan / Action Items\n\n\
        ## 5. Success & Acceptance Criteria\n\n\
        ## 6. Risks & Mitigation\n\n| Risk | Likelihood | Impact | Mitigation Plan |\n|---|---|---|---|\n\n\
        ## 7. Files to Modify\n\n- **Created**:\n- **Modified**:\n- **Deleted**:\n";
    assert_eq!(write(&values), expected);
}
