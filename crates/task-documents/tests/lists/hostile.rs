//! The time of documents that are made to be slow to read. The sizes are small, so that the tests are quick
//! without optimisation: four times the size must not take much more than four times as long.

use std::time::{Duration, Instant};

use task_documents::list::{ListDocument, TaskState, export};

/// The size of the smaller document in bytes.
const SIZE: usize = 1 << 14;
/// The length of the larger document as a multiple of that of the smaller one.
const GROWTH: usize = 4;
/// The maximum of the time for the larger document, as a multiple of that for the smaller one. With quadratic
/// time it would be 16.
const MAX_RATIO: u32 = 9;
/// Below this time, the ratio says nothing.
const SHORT: Duration = Duration::from_millis(25);

fn repeated(part: &str, size: usize) -> String {
    part.repeat(size.div_ceil(part.len()))
}

/// Documents of about this size.
fn documents(size: usize) -> Vec<(&'static str, String)> {
    let parts = |part: &str| repeated(part, size);
    let nested = |bullet: &str, text: &str| {
        let depth = (size as f64).sqrt() as usize / 2;
        (0..depth).map(|level| format!("{}{bullet}{text}\n", "  ".repeat(level))).collect::<String>()
    };
    let numbered = |form: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        for number in 0.. {
            if text.len() >= size {
                break;
            }
            text += &form(number);
        }
        text
    };
    vec![
        ("one long line", parts("a [b](c) *d* ")),
        ("one long task", format!("- [ ] T001 {}", parts("src/a.rs, "))),
        ("quotes", parts("> ")),
        ("quotes in lines", parts("> > > > > > > > - [ ] T001 a\n")),
        ("lists in one line", format!("{}[ ] T001 a\n", parts("- "))),
        ("lists in one line, blank lines", format!("{}[ ] T001 a{}", parts("- "), "\n".repeat(size))),
        ("nested tasks", nested("- ", "[ ] T001 a")),
        ("nested items", nested("- ", "a")),
        ("nested numbers", nested("1. ", "[ ] T001 a")),
        ("boxes", parts("- [ ]\n")),
        ("boxes with other marks", parts("- [~] a\n")),
        ("tasks with the same key", parts("- [ ] T001 a\n")),
        ("tasks", numbered(&|number| format!("- [ ] T{} [P] src/a{number}.rs\n", number % 1_000_000))),
        ("parallel tasks with one file", parts("- [ ] T1 [P] a.rs\n")),
        ("ranges", parts("Depends on T1-T9999\n")),
        ("ranges in tasks", parts("- [ ] T1-T9999 a\n")),
        ("headings", parts("# Phase 1: US1\n")),
        (
            "headings of all levels",
            numbered(&|number| format!("{} Phase {number}\n", "#".repeat(1 + number % 6))),
        ),
        ("phases with tasks", numbered(&|number| format!("## Phase {number}\n- [ ] T001 [US{number}] a\n"))),
        ("open brackets", parts("[")),
        ("open brackets in a task", format!("- [ ] T001 {}", parts("["))),
        ("groups", format!("- [ ] T001 {}", parts("[US1]"))),
        ("open groups", format!("- [ ] T001 {}", parts("[US1] ["))),
        ("signs of emphasis", parts("*_*_`")),
        ("signs of emphasis in a task", format!("- [ ] {}T001 {}", parts("*_"), parts("_*"))),
        ("backslashes", format!("- [ ] T001 {}", parts("\\"))),
        ("backquotes", parts("`a``b```c")),
        ("links", parts("[a](b")),
        ("tables", format!("| a | b |\n|---|---|\n{}", parts("| Phase 1 | 3 tasks |\n"))),
        ("numbers", parts("Total tasks: 7 tasks, Phases 1-2 (3 tasks), 4 tasks marked [P]\n")),
        ("numbers in one line", parts("Phases 1-2, 4 tasks marked [P], (3 tasks) ")),
        ("placeholders", parts("TXXX `TXXX` [Title]\n")),
        ("placeholders in one line", parts("TXXX ")),
        ("comments", parts("<!-- a\n")),
        ("tags", parts("<a")),
        ("references", parts("[a]: b\n[a]\n")),
        ("code fences", parts("```\n~~~\n")),
        ("front matter", format!("---\n{}", parts("a: b\n"))),
        ("line ends", parts("\r")),
        ("long key", format!("- [ ] T1{}", parts(".1"))),
        ("brackets in a path", format!("- [ ] T001 {}", parts("(["))),
        ("colons in a path", format!("- [ ] T001 a.rs{}", parts(":1"))),
        ("labels", parts("**Goal**: a\n")),
        ("combining marks", format!("- [ ] T001 {}", parts("\u{301}"))),
    ]
}

/// Reads the document, and writes it without every second task.
fn time(source: &str) -> Duration {
    let start = Instant::now();
    let document = ListDocument::read(source);
    let left_out = |key: &str| key.bytes().map(usize::from).sum::<usize>() % 2 == 0;
    let state =
        |key: &str| (!left_out(key)).then_some(TaskState { text: "a", completed: true, in_trash: false });
    export(source, &document, state);
    start.elapsed()
}

#[test]
fn the_time_grows_in_proportion_to_the_size() {
    for ((name, small), (_, large)) in documents(SIZE).into_iter().zip(documents(SIZE * GROWTH)) {
        // Other programs can take time from one run, so the best of some counts.
        let is_fine = || {
            let time_of_large = time(&large);
            time_of_large < SHORT || time_of_large < time(&small) * MAX_RATIO
        };
        assert!((0..4).any(|_| is_fine()), "{name}: {:?} and {:?}", time(&small), time(&large));
    }
}
