//! The time of documents that are made to be slow to read. The sizes are small, so that the test is quick without
//! optimisation: four times the size must not take much more than four times as long.

mod limits;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use task_documents::list::{self, ListDocument, ListNow, ListTask, TaskNow, TaskState, Waiting};
use task_documents::merge::{Decisions, Merge, ServerTask, Side, merge};
use task_documents::task::{self, Item, Section, TaskDocument};

use limits::LIMITS;

/// The size of the smaller document in bytes.
const SIZE: usize = 1 << 12;
/// The length of the larger document as a multiple of that of the smaller one.
const GROWTH: usize = 4;
/// The maximum of the time for the larger document, as a multiple of that for the smaller one. With quadratic
/// time it would be 16.
const MAX_RATIO: u32 = 9;
/// Below this time, the ratio says nothing.
const SHORT: Duration = Duration::from_millis(60);

/// Documents that repeat a part: the beginning, the part, and the end.
const REPEATED: [(&str, &str, &str); 106] = [
    ("", "a [b](c) *d* ", ""),
    ("- [ ] T001 ", "src/a.rs, ", ""),
    ("- [ ] T001 a\n", "  more\n", ""),
    ("", "text\n", "===\n"),
    ("", "a\n===\n", ""),
    ("", "> ", ""),
    ("", "> > > > > > > - [ ] T001 a\n", ""),
    ("> a\n", "b\n", ""),
    ("", "> a\nb\n", ""),
    ("", "- > ", "[ ] T001 a\n"),
    ("", "- ", "[ ] T001 a\n"),
    ("", "1. ", "[ ] T001 a\n"),
    ("", "-\n", ""),
    ("", "- [ ]\n", ""),
    ("", "- [~] a\n", ""),
    ("", "- [ ] T001 a\n", ""),
    ("", "- [ ] T001 a\n  1.\nb\n", ""),
    ("", "- [ ] T1 [P] a.rs\n", ""),
    ("", "- [ ] T001 a\n\n  - [ ] T002 b\n\n    c\n", ""),
    ("", "Depends on T1-T9999\n", ""),
    ("", "- [ ] T1-T9999 a\n", ""),
    ("", "- [ ] T001 Depends on T1-T9999\n", ""),
    ("", "# Phase 1: US1\n", ""),
    ("", "## Phase 1\n- [ ] T001 a\n", ""),
    ("", "#\n", ""),
    ("# ", "#", ""),
    ("# ", "[", ""),
    ("", "[", ""),
    ("", "]", ""),
    ("", "![", ""),
    ("- [ ] T001 ", "[", ""),
    ("- [ ] T001 ", "[US1]", ""),
    ("- [ ] T001 ", "[US1] [", ""),
    ("", "*_*_`", ""),
    ("", "**a *", ""),
    ("", "~~a", ""),
    ("- [ ] ", "*_", "T001"),
    ("- [ ] T001 ", "\\", ""),
    ("", "`a``b```c", ""),
    ("", "`", "a"),
    ("", "` ", ""),
    ("", "[a](b", ""),
    ("", "[a](<b", ""),
    ("", "[a][b]", ""),
    ("", "&amp;&", ""),
    ("| a | b |\n|---|---|\n", "| Phase 1 | 3 tasks |\n", ""),
    ("| a | b |\n|---|---|\n|", " a |", "\n"),
    ("", "|", "\n"),
    ("", "a | b\n", ""),
    ("", "| a |\n|---|\n\n", ""),
    ("", "Total tasks: 7 tasks, Phases 1-2 (3 tasks), 4 tasks marked [P]\n", ""),
    ("", "Phases 1-2, 4 tasks marked [P], (3 tasks) ", ""),
    ("", "TXXX `TXXX` [Title]\n", ""),
    ("", "TXXX ", ""),
    ("", "<!-- a\n", ""),
    ("", "<!-- a -->", ""),
    ("", "<a", ""),
    ("", "<", ""),
    ("", "a <?", ""),
    ("", "<div>\n\n", ""),
    ("", "[a]: b\n[a]\n", ""),
    ("", "```\n~~~\n", ""),
    ("- [ ] T001 a\n", "  ```\n", ""),
    ("---\n", "a: b\n", ""),
    ("", "---\n", ""),
    ("", "\r", ""),
    ("", "\n", ""),
    ("", "\t", "a"),
    ("- [ ] T001 a\n", "\t\r", "\tb"),
    ("", " ", ""),
    ("- [ ] T1", ".1", ""),
    ("- [ ] T001 ", "([", ""),
    ("- [ ] T001 a.rs", ":1", ""),
    ("- [ ] T001 ", "a/", ".rs"),
    ("", "**Goal**: a\n", ""),
    ("## Phase 1\n", "**Goal**: a\n\n- [ ] T001 a\n\n", ""),
    ("- [ ] T001 ", "\u{301}", ""),
    ("# T\n", "## Objective\ntext\n", ""),
    ("# T\n## Objective\n", "*hint*\n\n", ""),
    ("# T\n## Objective\n", "\\# a\n", ""),
    ("# T\n", "## Scope\n**In Scope**\n- [x] a\n", ""),
    ("# T\n", "**Status**: Pending | Done / ", ""),
    ("# T\n", "**Owner**: a\n", ""),
    ("# T\n## Risks\n", "| Risk | Likelihood | Impact |\n|---|---|---|\n\n", ""),
    ("# T\n## Files\n**New**\n- ", "`a", ""),
    ("- [ ] T001 ", "depends on T1 (", ""),
    ("- [ ] T001 ", "depends on T1 (a), ", ""),
    ("- [ ] T001 depends on T1", ", T1", ""),
    ("- [ ] T001 ", "not depends on T1 ", ""),
    ("- [ ] T001 ", "depends-", ""),
    ("- [ ] T001 ", "after'", ""),
    ("- [ ] T001 a\n", "  - depends on T2\n", ""),
    ("- [ ] T001 depends on ", "* ", "T1"),
    ("# Dependencies\n\nT1", ": ", ""),
    ("# Dependencies\n\nT1", ": after", ""),
    ("# Dependencies\n\nT1", " - after T1", ""),
    ("# Dependencies\n\nT1", " (can start after T1", ""),
    ("# Dependencies\n\nPhase 1: after ", "a and ", ""),
    ("# Dependencies\n\nPhase 1+", "1+", ""),
    ("# Dependencies\n\nPhase 1+", "Phase 1+", ""),
    ("# Dependencies\n\n", "a b c d (", ""),
    ("# Dependencies\n\nUS1", " depends on US2", ""),
    ("# Dependencies\n\n", "US1 depends on US1-US9. ", ""),
    ("- [ ] T1 a\n# Dependencies\n", "- T1 depends on T1-T2\n", ""),
    ("", "# Dependencies\nT1 depends on T1\n\n", ""),
    ("# Phase 1\n- [ ] T1 a\n# Dependencies\n", "- Phases 1-2 depend on T1, Phase 1+\n", ""),
];

/// More documents that repeat a part, for sections of task documents.
const IN_SECTIONS: [(&str, &str); 11] = [
    ("# T\n## Plan\n", "- [ ] a\n"),
    ("# T\n## Plan\n", "- "),
    ("# T\n## Plan\n", "> "),
    ("# T\n## Plan\n", "- [ ] a\n<!--\n"),
    ("# T\n## Plan\n- [ ] a\n", "\n"),
    ("# T\n## Scope\n- **In Scope**\n", "- "),
    ("# T\n## Risks\n| Risk | Likelihood | Impact |\n|---|---|---|\n", "| a | Low | High |\n"),
    ("# T\n## Risks\n| Risk | Likelihood | Impact |\n|---|---|---|\n|", " a |"),
    ("# T\n## Files\n**New**\n", "- `a`\n"),
    ("# T\n## Files\n", "**New**\n- `a`\n"),
    ("# T\n## Plan\n- [ ] a\n  ```\n", "  text\n"),
];

/// Documents of about this size.
fn documents(size: usize) -> Vec<(String, String)> {
    let repeat = |part: &str| part.repeat(size.div_ceil(part.len()));
    let nested = |bullet: &str, text: &str| {
        let depth = (size as f64).sqrt() as usize / 2;
        (0..depth).map(|level| format!("{}{bullet}{text}\n", "  ".repeat(level))).collect::<String>()
    };
    let numbered = |form: &dyn Fn(usize) -> String| {
        let (mut text, mut number) = (String::new(), 0);
        while text.len() < size {
            text += &form(number);
            number += 1;
        }
        text
    };
    let phases = |statement: &dyn Fn(usize, usize) -> String| {
        let count = size / 50;
        let phase = |number: usize| format!("# Phase {number}\n- [ ] T{number} a\n");
        let statements = (0..count).map(|number| format!("- {}", statement(number, count - 1)));
        (0..count).map(phase).chain(["# Dependencies\n".to_owned()]).chain(statements).collect::<String>()
    };
    let columns = format!("{}\n{}\n", "|a".repeat(size / 8), "|-".repeat(size / 8));
    let repeated = REPEATED.iter().map(|(start, part, end)| (*start, *part, *end));
    let in_sections = IN_SECTIONS.iter().map(|(start, part)| (*start, *part, ""));
    let name = |start: &str, part: &str| format!("{start:?} and many {part:?}");
    let repeated = repeated
        .chain(in_sections)
        .map(|(start, part, end)| (name(start, part), format!("{start}{}{end}", repeat(part))));
    let others = [
        ("nested tasks", nested("- ", "[ ] T001 a")),
        ("nested items", nested("- ", "a")),
        ("nested numbers", nested("1. ", "[ ] T001 a")),
        ("nested steps", format!("# T\n## Plan\n{}", nested("- ", "[ ] a"))),
        ("bullets in one line and blank lines", format!("{}[ ] T001 a{}", repeat("- "), "\n".repeat(size))),
        ("tasks", numbered(&|number| format!("- [ ] T{} [P] src/a{number}.rs\n", number % 1_000_000))),
        ("tasks without marks", numbered(&|number| format!("- [x] T{} a\n  b\n", number % 1_000_000))),
        ("headings", numbered(&|number| format!("{} Phase {number}\n", "#".repeat(1 + number % 6)))),
        ("phases", numbered(&|number| format!("## Phase {number}\n- [ ] T{number} [US{number}] a\n"))),
        ("stories in one mark", format!("- [ ] T001 [{}US0] a", numbered(&|number| format!("US{number}+")))),
        ("stories in many marks", format!("- [ ] T001 {} a", numbered(&|number| format!("[US{number}]")))),
        ("paths in one text", format!("- [ ] T001 [P] {}", numbered(&|number| format!("src/{number}.rs ")))),
        ("definitions", numbered(&|number| format!("[a{number}]: b\n"))),
        ("backquotes", numbered(&|number| format!("{} ", "`".repeat(1 + number % 100)))),
        ("a table with many columns and rows", columns + &"|\n".repeat(size / 4)),
        ("a cycle of tasks", numbered(&|number| format!("- [ ] T{number} depends on T{}, T0\n", number + 1))),
        ("ranges of tasks", numbered(&|number| format!("- [ ] T{number} depends on T0-T{number}\n"))),
        (
            "ranges of later tasks",
            numbered(&|number| format!("- [ ] T{number} depends on T0-T{}\n", size / 40)),
        ),
        (
            "phases that depend on all",
            phases(&|_, last| format!("Phases 0-{last} depend on Phases 0-{last}\n")),
        ),
        (
            "phases that depend on some",
            phases(&|number, last| format!("Phase {last} depends on Phases 0-{number}\n")),
        ),
        (
            "phases in a cycle",
            phases(&|number, _| format!("Phase {number} depends on Phase {}\n", number + 1)),
        ),
        (
            "tasks that depend on phases",
            phases(&|number, last| format!("T{number} depends on Phases 0-{last}\n")),
        ),
        ("tasks that depend on tasks", phases(&|number, last| format!("T0-T{last} depend on T{number}\n"))),
        ("emphasis around a key", format!("- [ ] {}T001 {}", repeat("*_"), repeat("_*"))),
    ];
    repeated.chain(others.map(|(name, text)| (name.to_owned(), text))).collect()
}

/// Reads a list, and writes it: unchanged, and without every second task.
fn use_as_list(source: &str) {
    let document = ListDocument::read(source);
    let by_key: HashMap<&str, &ListTask> =
        document.tasks.iter().map(|task| (task.key.as_str(), task)).collect();
    let unchanged = |key: &str| {
        let task = by_key[key];
        Some(TaskState { text: &task.text, completed: task.ticked, in_trash: false })
    };
    assert_eq!(list::export(source, &document, unchanged), source);
    without_half(source, &document);
}

fn task_now(task: &ListTask) -> Option<TaskNow<'_>> {
    Some(TaskNow { text: &task.text, is_completed: task.ticked })
}

/// Finds out for a list what its tasks wait for.
fn find_waiting(source: &str) {
    let document = ListDocument::read(source);
    for is_marked in [false, true] {
        let tasks = document.tasks.iter().map(task_now).collect();
        let waiting = Waiting::new(&[ListNow { document: &document, is_marked, tasks }], &[], &[]);
        for task in document.tasks.len().saturating_sub(100)..document.tasks.len() {
            assert_eq!(waiting.waits_for(task, 20).is_empty(), !waiting.is_waiting(task));
        }
    }
}

fn is_left_out(key: &str) -> bool {
    key.bytes().map(usize::from).sum::<usize>() % 2 == 0
}

fn without_half(source: &str, document: &ListDocument) -> String {
    let state = TaskState { text: "a", completed: true, in_trash: false };
    list::export(source, document, |key| (!is_left_out(key)).then_some(state))
}

/// Merges a list with itself.
fn merge_with_itself(source: &str) {
    let document = ListDocument::read(source);
    merge_with(source, &document, (source, &document));
}

/// Merges a list with a file that has every second task, and with an empty file, so that the other tasks are
/// carried into the file.
fn merge_with_others(source: &str) {
    let document = ListDocument::read(source);
    for file in [without_half(source, &document), String::new()] {
        merge_with(source, &document, (&file, &ListDocument::read(&file)));
    }
}

fn merge_with(source: &str, document: &ListDocument, file: (&str, &ListDocument)) {
    let in_trash = |task: &ListTask| is_left_out(&task.key);
    let server_task = |task| ServerTask { in_trash: in_trash(task), ..server_task(task) };
    let tasks: Vec<ServerTask<'_>> = document.tasks.iter().map(server_task).collect();
    let decisions = Decisions { single: Vec::new(), all_others: Some(Side::Server) };
    let input =
        Merge { source: (source, document), tasks: &tasks, file, from_current: false, decisions: &decisions };
    assert!(merge(input).is_ok_and(|merged| merged.tasks.len() >= tasks.len()));
}

fn server_task(task: &ListTask) -> ServerTask<'_> {
    let ListTask { key, text, ticked, .. } = task;
    ServerTask { key, text, completed: *ticked, in_trash: false, in_base: true, is_changed: true }
}

/// Reads a task document, and writes it with other values.
fn use_as_task_document(source: &str) {
    let document = TaskDocument::read(source, &LIMITS);
    assert_eq!(task::export(source, &document, &document.values), source);
    let new = |section| Item { origin: None, section, text: "new".to_owned(), done: false, parent: None };
    let mut now = document.values.clone();
    now.title = "New".to_owned();
    now.items.retain(|item| item.parent.is_none());
    now.items.insert(0, new(Section::Action));
    now.items.push(new(Section::Deliverable));
    now.objective = Some("# New".to_owned());
    now.files.reverse();
    now.risks.reverse();
    TaskDocument::read(&task::export(source, &document, &now), &LIMITS);
}

/// What is done with a document, and its name.
type Work = (&'static str, fn(&str));

const WORKS: [Work; 5] = [
    ("list", use_as_list),
    ("waiting", find_waiting),
    ("merge", merge_with_itself),
    ("carry", merge_with_others),
    ("task", use_as_task_document),
];

fn time(work: fn(&str), source: &str) -> Duration {
    let start = Instant::now();
    work(source);
    start.elapsed()
}

#[test]
fn the_time_grows_in_proportion_to_the_size() {
    for ((name, small), (_, large)) in documents(SIZE).into_iter().zip(documents(SIZE * GROWTH)) {
        for (form, work) in WORKS {
            // Other programs can take time from one run, so the best of some counts.
            let is_fine = || {
                let time_of_large = time(work, &large);
                time_of_large < SHORT || time_of_large < time(work, &small) * MAX_RATIO
            };
            let is_linear = (0..4).any(|_| is_fine());
            assert!(is_linear, "{form}, {name}: {:?} and {:?}", time(work, &small), time(work, &large));
        }
    }
}

/// Writes the times for a list of 5,000 tasks in 15 phases, each with two references.
#[test]
#[ignore = "is a measurement, for an optimised build"]
fn a_list_of_5000_tasks() {
    let source: String = (1..=5_000_usize)
        .map(|number| {
            let heading =
                if number % 334 == 1 { format!("## Phase {}\n", number / 334 + 1) } else { String::new() };
            let mark = if number % 2 == 0 { " [P]" } else { "" };
            let before = |distance: usize| number.saturating_sub(distance).max(1);
            format!("{heading}- [ ] T{number}{mark} a (depends on T{}, T{})\n", before(1), before(7))
        })
        .collect();
    let start = Instant::now();
    let document = ListDocument::read(&source);
    println!("read: {:?}", start.elapsed());
    for added in [Vec::new(), vec![(0, 0); 1], (0..2_000).map(|task| (task + 2_000, task)).collect()] {
        let tasks = document.tasks.iter().map(task_now).collect();
        let lists = [ListNow { document: &document, is_marked: true, tasks }];
        let start = Instant::now();
        let waiting = Waiting::new(&lists, &[], &added);
        println!("new: {:?}", start.elapsed());
        let start = Instant::now();
        let found: usize = (4_900..5_000).map(|task| waiting.waits_for(task, 20).len()).sum();
        println!("waits_for of 100 tasks: {:?} {found}", start.elapsed());
    }
}

/// Writes the times of all documents of 1 MiB and of half that size, those of the slowest first.
#[test]
#[ignore = "is a measurement, for an optimised build"]
fn documents_of_one_mebibyte() {
    let mut times = Vec::new();
    for ((name, small), (_, large)) in documents(1 << 19).into_iter().zip(documents(1 << 20)) {
        for (form, work) in WORKS {
            times.push((time(work, &large), time(work, &small), form, name.clone()));
        }
    }
    times.sort();
    for (large, small, form, name) in times.iter().rev() {
        println!(
            "{large:>10.1?} {small:>10.1?} {:>4.1} {form} {name}",
            large.as_secs_f64() / small.as_secs_f64()
        );
    }
    assert!(times.iter().all(|(large, ..)| *large < Duration::from_secs(5)));
}
