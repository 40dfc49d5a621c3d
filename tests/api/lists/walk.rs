//! Requests pages of the task list and walks through all of them.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::support::{Actor, Value, json};

/// The list query with all arguments.
pub const LIST: &str = "query($first: Int, $after: String, $last: Int, $before: String,
        $filter: TaskFilter, $orderBy: [TaskOrder!]) {
    tasks(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {
        edges { cursor node { id } } nodes { id } totalCount
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    pub ids: Vec<String>,
    pub cursors: Vec<String>,
    pub has_next: bool,
    pub has_previous: bool,
    pub total: Value,
}

impl Page {
    /// Requests a page and checks that edges, nodes and page info agree.
    pub async fn get(actor: &Actor<'_>, arguments: &Value) -> Result<Self, TestCaseError> {
        let body = actor.execute(LIST, arguments.clone()).await.body;
        prop_assert!(body.get("errors").is_none(), "{arguments} failed: {body:#}");
        let list = &body["data"]["tasks"];
        let texts = |list: &Value, pointer: &str| -> Vec<String> {
            let text = |item: &Value| item.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            list.as_array().into_iter().flatten().filter_map(text).collect()
        };
        let (ids, cursors) = (texts(&list["edges"], "/node/id"), texts(&list["edges"], "/cursor"));
        prop_assert_eq!(ids.len(), cursors.len());
        prop_assert_eq!(&texts(&list["nodes"], "/id"), &ids, "nodes and edges differ");
        let info = &list["pageInfo"];
        prop_assert_eq!(&info["startCursor"], &json!(cursors.first()));
        prop_assert_eq!(&info["endCursor"], &json!(cursors.last()));
        let (has_next, has_previous) = (info["hasNextPage"] == true, info["hasPreviousPage"] == true);
        Ok(Self { ids, cursors, has_next, has_previous, total: list["totalCount"].clone() })
    }

    /// Requests a page that must succeed.
    pub async fn of(actor: &Actor<'_>, arguments: Value) -> Self {
        Self::get(actor, &arguments).await.expect("the page is returned")
    }
}

/// The direction in which a list is paged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

impl Direction {
    /// The names of the arguments for page size and cursor.
    pub fn arguments(self) -> (&'static str, &'static str) {
        match self {
            Self::Forward => ("first", "after"),
            Self::Backward => ("last", "before"),
        }
    }

    /// The cursor for the next page.
    pub fn next_cursor(self, page: &Page) -> Option<&String> {
        match self {
            Self::Forward => page.cursors.last(),
            Self::Backward => page.cursors.first(),
        }
    }

    /// Adds the next page to the pages before it.
    pub fn join(self, list: &mut Vec<String>, page: Vec<String>) {
        let position = if self == Self::Forward { list.len() } else { 0 };
        list.splice(position..position, page);
    }

    /// Splits the expected ids into the next page and the rest.
    fn split(self, ids: &[String], size: usize) -> (&[String], &[String]) {
        match self {
            Self::Forward => ids.split_at(size.min(ids.len())),
            Self::Backward => {
                let (rest, next) = ids.split_at(ids.len().saturating_sub(size));
                (next, rest)
            }
        }
    }
}

/// Pages through a list up to the empty page after its end, and checks each page. Returns the cursors of all
/// tasks in the order of the list.
pub async fn walk(
    actor: &Actor<'_>,
    arguments: &Value,
    direction: Direction,
    size: usize,
    expected: &[String],
) -> Result<Vec<String>, TestCaseError> {
    let (size_name, from_name) = direction.arguments();
    let mut arguments = arguments.clone();
    arguments[size_name] = json!(size);
    let (mut remaining, mut cursors) = (expected, Vec::new());
    loop {
        let page = Page::get(actor, &arguments).await?;
        let (expected_ids, rest) = direction.split(remaining, size);
        prop_assert_eq!(&page.ids, expected_ids, "a page of {}", arguments);
        prop_assert_eq!(&page.total, &json!(expected.len()), "totalCount of {}", arguments);
        let (has_cursor, has_rest) = (arguments.get(from_name).is_some(), !rest.is_empty());
        let ends =
            if direction == Direction::Forward { (has_rest, has_cursor) } else { (has_cursor, has_rest) };
        prop_assert_eq!(
            (page.has_next, page.has_previous),
            ends,
            "hasNextPage and hasPreviousPage of {}",
            arguments
        );
        let Some(cursor) = direction.next_cursor(&page) else { return Ok(cursors) };
        arguments[from_name] = json!(cursor);
        direction.join(&mut cursors, page.cursors);
        remaining = rest;
    }
}
