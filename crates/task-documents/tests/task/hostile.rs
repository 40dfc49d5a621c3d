//! Documents that are made to take long. Each is read and exported in time that grows with its size.

use std::time::{Duration, Instant};

use task_documents::task::{Section, TaskDocument, export};

use crate::support::{LIMITS, item};

/// The documents: their repeated parts and the number of repetitions.
const REPEATED: [(&str, &str, usize); 23] = [
    ("# T\n## Plan\n", "- [ ] a\n", 20_000),
    ("# T\n## Plan\n", "- ", 10_000),
    ("# T\n## Scope\n- **In Scope**\n", "- ", 10_000),
    ("# T\n## Plan\n", "> ", 10_000),
    ("# T\n", "## Objective\ntext\n", 5_000),
    ("# T\n", "## Scope\n**In Scope**\n- [x] a\n", 3_000),
    ("# T\n## Risks\n| Risk | Likelihood | Impact |\n|---|---|---|\n", "| a | Low | High |\n", 5_000),
    ("# T\n## Risks\n", "| Risk | Likelihood | Impact |\n|---|---|---|\n\n", 3_000),
    ("# T\n## Risks\n| Risk | Likelihood | Impact |\n|---|---|---|\n|", " a |", 50_000),
    ("# T\n## Files\n**New**\n", "- `a`\n", 20_000),
    ("# T\n## Files\n**New**\n- ", "`a", 50_000),
    ("# T\n## Files\n**New**\n- ", "*_", 50_000),
    ("# T\n## Objective\n", "*hint*\n\n", 10_000),
    ("# T\n## Objective\n", "\\# a\n", 20_000),
    ("# T\n", "**Status**: Pending | Done / ", 10_000),
    ("# T\n", "**Owner**: a\n", 20_000),
    ("# T\n## Plan\n- [ ] a\n", "\n", 100_000),
    ("# ", "[", 50_000),
    ("", "<!--", 50_000),
    ("# T\n## Plan\n", "- [ ] a\n<!--\n", 5_000),
    ("", "```\n", 20_000),
    ("---\n", "a: b\n", 50_000),
    ("# ", "#", 100_000),
];

/// A list in which each item is nested in the one before.
fn nested(depth: usize) -> String {
    let items = (0..depth).map(|depth| format!("{}- [ ] a\n", "  ".repeat(depth)));
    format!("# T\n## Plan\n{}", items.collect::<String>())
}

#[test]
fn hostile_documents_are_read_and_exported_in_linear_time() {
    let repeated = REPEATED.iter().map(|(start, part, times)| format!("{start}{}", part.repeat(*times)));
    for source in repeated.chain([nested(300)]) {
        let start = Instant::now();
        let document = TaskDocument::read(&source, &LIMITS);
        assert_eq!(export(&source, &document, &document.values), source);
        let mut now = document.values.clone();
        now.title = "New".into();
        now.items.retain(|item| item.parent.is_none());
        now.items.insert(0, item(Section::Action, "new", None));
        now.items.push(item(Section::Deliverable, "new", None));
        now.objective = Some("# New".into());
        now.files.reverse();
        now.risks.reverse();
        let exported = export(&source, &document, &now);
        TaskDocument::read(&exported, &LIMITS);
        let taken = start.elapsed();
        let name = &source[..source.len().min(60)];
        assert!(taken < Duration::from_secs(5), "{name:?} took {taken:?}");
    }
}
