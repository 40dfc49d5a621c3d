//! Property tests of lists: random tasks, filters and orders, compared with the reference implementation.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use super::model::{self, PRIORITIES, STATUSES, Task, folded, instant};
use super::walk::{Direction, Page, walk};
use crate::support::{Actor, TestApp, Value, for_all, json, object, on_both_databases};

/// The instants of tasks and filters: few, so that ties occur, with and without fractions, and at the limits.
const INSTANTS: [&str; 7] = [
    "0001-01-01T00:00:00Z",
    "1969-12-31T23:59:59.999Z",
    "2026-11-21T09:30:00Z",
    "2026-11-21T09:30:00.001Z",
    "2026-11-21T09:30:00.5Z",
    "2026-11-21T12:00:00.01+02:00",
    "9999-12-31T23:59:59.999Z",
];

/// Bounds of filters with more than three fractional digits; most are between two milliseconds.
const BETWEEN: [&str; 6] = [
    "0001-01-01T00:00:00.0000001Z",
    "1969-12-31T23:59:59.9989999Z",
    "2026-11-21T09:30:00.0000000000Z",
    "2026-11-21T09:30:00.0010000010Z",
    "2026-11-21T12:00:00.0099+02:00",
    "9999-12-31T23:59:59.9999Z",
];

/// Titles that differ only in case, prefixes, letters whose lower case is longer or is another letter,
/// characters that UTF-16 sorts differently, and SQL patterns.
const TITLES: [&str; 18] = [
    "a",
    "A",
    "a b",
    "ab",
    "Z",
    "_",
    "É",
    "é",
    "İ",
    "ẞ",
    "ß",
    "ΑΣ",
    "\u{10400}",
    "\u{10428}",
    "\u{ff5a}",
    "50% of it",
    "a_b",
    "a\\b",
];

/// Descriptions and objectives.
const TEXTS: [&str; 8] = [
    "",
    "First line\nand the second",
    "ΟΔΌΣ οδός",
    "100%",
    "x_y\\z",
    "STRASSE straße",
    "İstanbul",
    "Ǆ \u{10400}",
];

/// Labels, some of which differ only in case or Unicode normalization.
const LABELS: [&str; 20] = [
    "a",
    "A",
    "a b",
    "b",
    "É",
    "é",
    "e\u{301}",
    "İ",
    "i\u{307}",
    "i",
    "ß",
    "ss",
    "ΣΑΣ",
    "σας",
    "σασ",
    "Ǆ",
    "ǅ",
    "\u{10400}",
    "%",
    "_",
];

/// Search texts: words, parts of words, several words, characters of SQL patterns, and white space.
const WORDS: [&str; 32] = [
    "a",
    "B",
    "a b",
    "b  A\n",
    "ab",
    "z",
    "%",
    "_",
    "\\",
    "%%",
    "a_b",
    "a%",
    "É",
    "e\u{301}",
    "e",
    "İ",
    "i",
    "\u{307}",
    "ß",
    "ẞ",
    "ss",
    "ς",
    "Σ",
    "ΔΌΣ",
    "ǆ",
    "\u{10428}",
    "\u{3000}a\u{85}",
    "",
    " \n",
    "first SECOND",
    "100% x",
    "\u{ff3a}",
];

const FIELDS: [&str; 7] =
    ["CREATED_AT", "UPDATED_AT", "DUE_AT", "COMPLETED_AT", "PRIORITY", "STATUS", "TITLE"];

/// Random tasks, some of them in the trash.
fn tasks(at_most: usize) -> impl Strategy<Value = Vec<Task>> {
    let at = || select(&INSTANTS[..]).prop_map(instant);
    let due_at = option::weighted(0.6, at());
    let names = (select(&TITLES[..]), select(&STATUSES[..]), select(&PRIORITIES[..]));
    let deleted_at = option::weighted(0.1, at());
    let text = || option::of(select(&TEXTS[..]).prop_map(String::from));
    let texts = (text(), text(), vec(select(&LABELS[..]), 0..=3).prop_map(|labels| kept(&labels)));
    let task = (any::<u8>(), names, texts, due_at, at(), at(), at(), deleted_at);
    vec(task, 0..=at_most).prop_map(|tasks| {
        let task = |(number, task)| {
            let (
                random,
                (title, status, priority),
                texts,
                due_at,
                completed_at,
                created_at,
                updated_at,
                deleted_at,
            ) = task;
            let (description, objective, labels) = texts;
            Task {
                id: Uuid::from_u128((u128::from(random) << 120) | number),
                title: String::from(title),
                description,
                objective,
                labels,
                status,
                priority,
                due_at,
                completed_at: (status == "COMPLETED").then_some(completed_at),
                created_at,
                updated_at,
                deleted_at,
            }
        };
        (0..).zip(tasks).map(task).collect()
    })
}

/// Labels as a task stores them: normalized, with the first spelling of each.
fn kept(labels: &[&str]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for label in labels {
        if kept.iter().all(|other| folded(other) != folded(label)) {
            kept.push(label.nfc().collect());
        }
    }
    kept
}

/// Zero to three sort keys; a field may occur twice.
fn order_by() -> impl Strategy<Value = Vec<Value>> {
    let direction = option::of(select(&["ASC", "DESC"][..]));
    let nulls = option::of(select(&["FIRST", "LAST"][..]));
    let key = (select(&FIELDS[..]), direction, nulls).prop_map(|(field, direction, nulls)| {
        object([
            ("field", Some(json!(field))),
            ("direction", direction.map(Value::from)),
            ("nulls", nulls.map(Value::from)),
        ])
    });
    vec(key, 0..=3)
}

/// Mostly small page sizes, so that lists have several pages.
fn page_size() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 1..=7_usize, 1 => 8..=100_usize]
}

fn direction() -> impl Strategy<Value = Direction> {
    select(&[Direction::Forward, Direction::Backward][..])
}

/// Filters up to five deep, of up to 50 conditions.
fn filter() -> impl Strategy<Value = Value> {
    // Mostly one condition, because many conditions together match nothing.
    let conditions = || prop_oneof![1 => vec(condition(), 0..=2), 3 => vec(condition(), 1)];
    let leaf = conditions().prop_map(object);
    let filter = leaf.prop_recursive(5, 40, 3, move |inner| {
        let list = || {
            let filters = vec(inner.clone(), 1..=3).prop_map(Value::from);
            option::weighted(0.4, prop_oneof![1 => Just(json!([])), 6 => filters])
        };
        (conditions(), list(), list(), option::weighted(0.4, inner.clone())).prop_map(
            |(conditions, and, or, not)| {
                object(conditions.into_iter().chain([("and", and), ("or", or), ("not", not)]))
            },
        )
    });
    filter.prop_filter("more than 50 conditions", |filter| filter.to_string().matches("\":").count() <= 50)
}

/// One condition; null means no condition.
fn condition() -> impl Strategy<Value = (&'static str, Option<Value>)> {
    let any_of = |names: &'static [&str]| {
        prop_oneof![
            1 => select(names).prop_map(Value::from),
            5 => vec(select(names), 0..=5).prop_map(Value::from),
        ]
    };
    let date = select(&["dueAt", "createdAt", "updatedAt", "completedAt"][..]);
    let given = prop_oneof![
        1 => any::<bool>().prop_map(|completed| ("completed", json!(completed))),
        2 => any_of(&STATUSES).prop_map(|any| ("status", any)),
        2 => any_of(&PRIORITIES).prop_map(|any| ("priority", any)),
        4 => (date, date_range()),
        2 => vec(select(&LABELS[..]), 0..=2).prop_map(|labels| ("labels", json!(labels))),
        1 => select(&LABELS[..]).prop_map(|label| ("labels", json!(label))),
        3 => select(&WORDS[..]).prop_map(|words| ("text", json!(words))),
    ];
    let or_null = (given, prop::bool::weighted(0.1));
    or_null.prop_map(|((name, value), is_null)| (name, Some(if is_null { Value::Null } else { value })))
}

fn date_range() -> impl Strategy<Value = Value> {
    let bound = || {
        let at = prop_oneof![
            1 => Just(Value::Null),
            6 => select(&INSTANTS[..]).prop_map(Value::from),
            3 => select(&BETWEEN[..]).prop_map(Value::from),
        ];
        option::weighted(0.4, at)
    };
    let is_null =
        option::weighted(0.3, prop_oneof![1 => Just(Value::Null), 4 => any::<bool>().prop_map(Value::from)]);
    (bound(), bound(), is_null)
        .prop_map(|(from, before, is_null)| object([("from", from), ("before", before), ("isNull", is_null)]))
}

/// Replaces all tasks in the table by these.
async fn replace_all(app: &TestApp, mine: (&Actor<'_>, &[Task]), others: (&Actor<'_>, &[Task])) {
    app.execute_sql("DELETE FROM tasks").await;
    model::insert(app, mine.0, mine.1).await;
    // Both users may have equal tasks; only the ids must differ.
    let other = |task: &Task| Task { id: Uuid::from_u128(task.id.as_u128() | (1 << 64)), ..task.clone() };
    model::insert(app, others.0, &others.1.iter().map(other).collect::<Vec<_>>()).await;
}

on_both_databases! {
    async fn paging_in_any_order_and_direction_returns_each_task_once(app) {
        let (ann, eve) = (app.user("ann").await, app.user("eve").await);
        let case = (tasks(40), tasks(10), order_by(), page_size(), any::<prop::sample::Index>());
        for_all(64, case, async |(tasks, others, order_by, size, index)| {
            replace_all(app, (&ann, &tasks), (&eve, &others)).await;
            let expected = model::list(&tasks, &Value::Null, &order_by);
            let arguments = json!({ "orderBy": order_by });
            let cursors = walk(&ann, &arguments, Direction::Forward, size, &expected).await?;
            walk(&ann, &arguments, Direction::Backward, size, &expected).await?;

            let Some(index) = (!cursors.is_empty()).then(|| index.index(cursors.len())) else { return Ok(()) };
            let backward = json!({ "orderBy": order_by, "last": 100, "before": cursors[index] });
            prop_assert_eq!(&Page::get(&ann, &backward).await?.ids, &expected[..index], "{}", backward);
            let forward = json!({ "orderBy": order_by, "first": 100, "after": cursors[index] });
            prop_assert_eq!(&Page::get(&ann, &forward).await?.ids, &expected[index + 1..], "{}", forward);
            Ok(())
        }).await;
    }

    async fn a_filter_returns_exactly_the_matching_tasks(app) {
        let (ann, eve) = (app.user("ann").await, app.user("eve").await);
        let case = (tasks(20), filter(), order_by(), page_size(), direction());
        for_all(200, case, async |(tasks, filter, order_by, size, direction)| {
            replace_all(app, (&ann, &tasks), (&eve, &tasks)).await;
            let expected = model::list(&tasks, &filter, &order_by);
            let arguments = json!({ "filter": filter, "orderBy": order_by });
            walk(&ann, &arguments, direction, size, &expected).await?;
            Ok(())
        }).await;
    }

    /// Other tests insert rows directly; here the service creates the tasks and computes their search
    /// columns.
    async fn labels_and_words_are_found_case_insensitively_in_any_script(app) {
        let ann = app.user("ann").await;
        let mut tasks = Vec::new();
        let count = TITLES.len().max(LABELS.len());
        for number in 0..count {
            let nth = |texts: &[&'static str]| texts[number % texts.len()];
            let labels = [nth(&LABELS), LABELS[(number + 7) % LABELS.len()]];
            let title = format!("{} {number}", nth(&TITLES));
            let (description, objective) = (nth(&TEXTS), TEXTS[(number + 3) % TEXTS.len()]);
            let input = json!({ "title": title, "description": description, "objective": objective, "labels": labels });
            let task = ann.create(input).await;
            tasks.push(Task {
                id: task["id"].as_str().and_then(|id| id.parse().ok()).expect("a UUID"),
                title,
                description: Some(description.to_owned()),
                objective: Some(objective.to_owned()),
                labels: kept(&labels),
                ..Task::numbered(1)
            });
        }
        let arguments = LABELS.map(|label| json!({ "labels": [label] })).into_iter();
        for filter in arguments.chain(WORDS.map(|words| json!({ "text": words }))) {
            for filter in [json!({ "not": filter }), filter] {
                let arguments = json!({ "filter": filter, "first": 100, "orderBy": [{ "field": "PRIORITY" }] });
                let expected = model::list(&tasks, &filter, &[json!({ "field": "PRIORITY" })]);
                assert_eq!(Page::of(&ann, arguments).await.ids, expected, "{filter}");
            }
        }
    }

    async fn unusual_labels_and_words_in_filters_cause_no_internal_error(app) {
        let ann = app.user("ann").await;
        ann.create(json!({ "title": "one", "labels": ["a", "b"] })).await;
        let query = "query($filter: TaskFilter) { tasks(filter: $filter) { totalCount } }";
        let long = "x".repeat(100_000);
        for odd in ["a\0b", "a\nb", "\n", "", &long, "\u{1}", "\u{feff}"] {
            // In a text search, white space is no condition, and it separates words.
            let found = i32::from(odd.contains('\n') || odd.is_empty());
            for (filter, found) in [(json!({ "labels": [odd] }), 0), (json!({ "text": odd }), found)] {
                let response = ann.execute(query, json!({ "filter": filter })).await;
                let is_told = response.body["data"]["tasks"]["totalCount"] == found || response.code() == "BAD_USER_INPUT";
                assert!(is_told, "{odd:.20?}: {:#}", response.body);
            }
        }
        let many: Vec<String> = (0..40_000).map(|n| n.to_string()).collect();
        for filter in [json!({ "labels": many }), json!({ "text": many.join(" ") })] {
            let response = ann.execute(query, json!({ "filter": filter })).await;
            let is_told = response.body["data"]["tasks"]["totalCount"] == 0 || response.code() == "BAD_USER_INPUT";
            assert!(is_told, "{:#}", response.body);
        }
    }
}
