//! Asking for pages, and putting them together.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::support::{Actor, Value, json};

/// A list with all of its arguments.
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
    /// Asks for a page, and sees that its parts agree.
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

    /// A page that has to come.
    pub async fn of(actor: &Actor<'_>, arguments: Value) -> Self {
        Self::get(actor, &arguments).await.expect("the page comes")
    }
}

/// Which way a list is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Forward,
    Backward,
}

impl Way {
    /// The arguments for size and cursor.
    pub fn arguments(self) -> (&'static str, &'static str) {
        match self {
            Self::Forward => ("first", "after"),
            Self::Backward => ("last", "before"),
        }
    }

    /// The cursor that the next page goes on from.
    pub fn onward(self, page: &Page) -> Option<&String> {
        match self {
            Self::Forward => page.cursors.last(),
            Self::Backward => page.cursors.first(),
        }
    }

    /// Puts the next page of a list to those before it.
    pub fn join(self, list: &mut Vec<String>, page: Vec<String>) {
        let place = if self == Self::Forward { list.len() } else { 0 };
        list.splice(place..place, page);
    }

    /// Cuts the next `size` off what is still to come: those, and the rest.
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

/// Walks a list to its end and one page further, where an empty one is; gives back the cursors of all
/// tasks in the order of the list.
pub async fn walk(
    actor: &Actor<'_>,
    arguments: &Value,
    way: Way,
    size: usize,
    expected: &[String],
) -> Result<Vec<String>, TestCaseError> {
    let (size_name, from_name) = way.arguments();
    let mut arguments = arguments.clone();
    arguments[size_name] = json!(size);
    let (mut to_come, mut cursors) = (expected, Vec::new());
    loop {
        let page = Page::get(actor, &arguments).await?;
        let (here, rest) = way.split(to_come, size);
        prop_assert_eq!(&page.ids, here, "a page of {}", arguments);
        prop_assert_eq!(&page.total, &json!(expected.len()), "totalCount of {}", arguments);
        let (came, more) = (arguments.get(from_name).is_some(), !rest.is_empty());
        let ends = if way == Way::Forward { (more, came) } else { (came, more) };
        prop_assert_eq!((page.has_next, page.has_previous), ends, "the ends of {}", arguments);
        let Some(cursor) = way.onward(&page) else { return Ok(cursors) };
        arguments[from_name] = json!(cursor);
        way.join(&mut cursors, page.cursors);
        to_come = rest;
    }
}
