//! Task lists: pages, cursors, orders and filters.

mod arguments;
mod model;
mod pages;
mod plans;
mod properties;
mod walk;

use self::model::Task;
use self::walk::LIST;
use crate::support::{Actor, TestApp, Value, code, faults, json};

/// Inserts this number of numbered tasks of a user and returns them, oldest first.
async fn numbered(app: &TestApp, owner: &Actor<'_>, count: u32) -> Vec<Task> {
    let tasks: Vec<Task> = (1..=count).map(Task::numbered).collect();
    model::insert(app, owner, &tasks).await;
    tasks
}

/// The faults of a list whose arguments must be refused.
async fn list_faults(actor: &Actor<'_>, arguments: Value) -> Vec<String> {
    let error = actor.error(LIST, arguments.clone()).await;
    assert_eq!(code(&error), "BAD_USER_INPUT", "{arguments}");
    faults(&error)
}

/// A filter nested in this number of `not`.
fn negated(times: usize, filter: Value) -> Value {
    (0..times).fold(filter, |filter, _| json!({ "not": filter }))
}
