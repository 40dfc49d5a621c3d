//! Generated list documents: real and strange lines, put together at random.

use proptest::prelude::*;

/// A document of up to `max_lines` lines, with any line ends.
pub fn documents(max_lines: usize) -> impl Strategy<Value = String> {
    let line_ends = prop_oneof![6 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\r")];
    let start = prop_oneof![8 => Just(""), 1 => Just("\u{feff}"), 1 => Just("---\na: b\n---\n")];
    (start, line_ends, proptest::collection::vec(lines(), 0..max_lines), any::<bool>()).prop_map(
        |(start, line_end, lines, ends_with_line_end)| {
            let end = if ends_with_line_end { line_end } else { "" };
            format!("{start}{}{end}", lines.join(line_end))
        },
    )
}

/// What has a meaning at the beginning of a text, or could have one.
#[rustfmt::skip]
const PARTS_OF_TEXTS: [&str; 43] = [
    "[P]", "[US1]", "[QA]", "[a](b)", "[", "]", "T001", "T2-T4", "~~", "~T2", "..T3", "*", "**", "_", "`",
    ":", "—", "–", "-", "\\", "\\\\", "|", "#", ">", "1.", "- ", "[ ] ", "(", ")", "→", ".", "5", "<!--",
    "```", "e\u{301}", "\u{301}", "\u{a0}", "\n", "\r\n", "\t", "  ", "\u{2028}", "&amp;",
];

/// Texts that a user can give a task.
pub fn texts() -> impl Strategy<Value = String> {
    let special = prop::sample::select(PARTS_OF_TEXTS.to_vec()).prop_map(str::to_owned);
    let part = prop_oneof![3 => "[a-zé]{1,4}", 2 => special];
    proptest::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

fn lines() -> impl Strategy<Value = String> {
    let indentation = prop_oneof![
        4 => Just(String::new()),
        4 => (1..10_usize).prop_map(|spaces| " ".repeat(spaces)),
        1 => Just("\t".to_owned()),
        1 => Just(" \t".to_owned()),
    ];
    let bullet = prop::sample::select(vec![
        "- ", "- ", "- ", "* ", "+ ", "-   ", "-     ", "-\t", "1. ", "2. ", "10. ", "3) ", "> - ", "- - ",
        "1. - ", "",
    ]);
    let head = prop::sample::select(vec![
        "[ ] T001 ",
        "[x] T002 ",
        "[X] T003 ",
        "[ ] T004 [P] ",
        "[ ] T005 [P] [US1] ",
        "[~] T006 ",
        "[ ] **T007** ",
        "[ ] T008: ",
        "[ ] ",
        "[] T009",
        "[x]  T010 - ",
        "[ ] ~~T011~~ ",
        "[ ] T012-T014 ",
        "",
        "[ ] **T015 [P]** ",
        "[ ] T016. [QA] ",
        "[ ] `T017` — ",
        "[ ] [T018] ",
    ]);
    let strange = texts().prop_map(|text| text.replace(['\n', '\r'], " "));
    let text = prop_oneof![4 => "[a-z]{0,4}( src/a\\.rs)?", 1 => strange];
    let item = (indentation.clone(), bullet, head, text)
        .prop_map(|(indentation, bullet, head, text)| format!("{indentation}{bullet}{head}{text}"));
    let other = prop::sample::select(vec![
        "",
        "",
        "",
        "text",
        "```",
        "---",
        "===",
        "> quote",
        "# Tasks: a",
        "## Phase 1: a (P1)",
        "### Phase 1 b",
        "## Phase 2",
        "## Other",
        "<!-- a",
        "-->",
        "<div>",
        "| a | b |",
        "|---|---|",
        "**Goal**: a",
        "**Total Tasks**: 3",
        "[a]: b",
        "-",
        "1.",
        "* * *",
        "T099 unread",
    ]);
    let other = (indentation, other).prop_map(|(indentation, other)| format!("{indentation}{other}"));
    prop_oneof![3 => item, 2 => other]
}

/// A list item with what is nested in it.
#[derive(Clone, Debug)]
struct Item {
    bullet: &'static str,
    head: &'static str,
    text: String,
    details: Vec<&'static str>,
    /// The columns of nested items behind the column of the text.
    indentation: usize,
    is_loose: bool,
    items: Vec<Item>,
}

impl Item {
    fn write(&self, column: usize, lines: &mut Vec<String>) {
        lines.push(format!("{}{}{}{}", " ".repeat(column), self.bullet, self.head, self.text));
        let column = column + self.bullet.len();
        if self.is_loose {
            lines.push(String::new());
        }
        lines.extend(self.details.iter().map(|detail| format!("{}{detail}", " ".repeat(column))));
        for item in &self.items {
            item.write(column + self.indentation, lines);
        }
    }
}

/// Documents with nested lists in which all lines are indented as their writer means them, without lines that
/// continue a paragraph from the outside.
pub fn nested_lists() -> impl Strategy<Value = String> {
    let bullet = prop::sample::select(vec!["- ", "- ", "- ", "* ", "1. ", "2. ", "10. ", "-   "]);
    let head = prop::sample::select(vec![
        "[ ] T001 ",
        "[x] T002 [P] ",
        "[ ] **T003** [US1] ",
        "[ ] T004: ",
        "",
        "[ ] ",
    ]);
    let details = prop::sample::select(vec![
        vec![],
        vec![],
        vec![],
        vec!["more"],
        vec!["", "more"],
        vec!["```", "- [ ] T005 code", "```"],
        vec!["> quote"],
        vec!["", "    code", ""],
    ]);
    let item = (bullet, head, "[a-z]{1,3}", details, 0..3_usize, any::<bool>());
    let item = item.prop_map(|(bullet, head, text, details, indentation, is_loose)| Item {
        bullet,
        head,
        text,
        details,
        indentation,
        is_loose,
        items: Vec::new(),
    });
    let item = item.prop_recursive(4, 16, 3, |inner| {
        (inner.clone(), proptest::collection::vec(inner, 0..3))
            .prop_map(|(item, items)| Item { items, ..item })
    });
    let between = prop::sample::select(vec![
        vec![],
        vec![],
        vec!["text"],
        vec!["", "## Phase 1: a", ""],
        vec!["## b"],
        vec!["---"],
    ]);
    let parts = proptest::collection::vec((between, item), 1..4);
    let line_ends = prop_oneof![6 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\r")];
    (parts, line_ends).prop_map(|(parts, line_end)| {
        let mut lines = Vec::new();
        for (between, item) in parts {
            lines.extend(between.into_iter().map(str::to_owned));
            item.write(0, &mut lines);
        }
        lines.join(line_end)
    })
}

/// Documents with headings, and with phases that have no tasks and end in all ways.
pub fn headings() -> impl Strategy<Value = String> {
    let lines = prop::sample::select(vec![
        "## Phase 1: a",
        "## Phase 2",
        "### Phase 2.1 b",
        "### c",
        "# Tasks: d",
        "## e",
        "- [ ] T001 f",
        "  - [ ] T002 g",
        "",
        "",
        "text",
        "- note",
        "---",
        "> quote",
        "| a | b |\n|---|---|\n| c | d |",
        "<div>",
        "<!-- a -->",
        "```\na\n```",
        "1. one",
    ]);
    let end = prop::sample::select(vec!["", "\n", "\n\n", "\n```\na", "\n<!-- a"]);
    (proptest::collection::vec(lines, 0..12), end).prop_map(|(lines, end)| lines.join("\n") + end)
}
