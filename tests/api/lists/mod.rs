//! Lists: pages, cursors, orders and filters.

mod arguments;
mod model;
mod pages;
mod plans;
mod properties;
mod walk;

use self::model::Task;
use self::walk::LIST;
use crate::support::{Actor, TestApp, Value, code, faults, json};

/// This many numbered tasks of the actor's; gives them back from the oldest.
async fn numbered(app: &TestApp, owner: &Actor<'_>, count: u32) -> Vec<Task> {
    let tasks: Vec<Task> = (1..=count).map(Task::numbered).collect();
    model::insert(app, owner, &tasks).await;
    tasks
}

/// The faults of a list that has to be refused for its arguments.
async fn refused(actor: &Actor<'_>, arguments: Value) -> Vec<String> {
    let error = actor.error(LIST, arguments.clone()).await;
    assert_eq!(code(&error), "BAD_USER_INPUT", "{arguments}");
    faults(&error)
}

/// A filter inside this many `not`.
fn negated(times: usize, filter: Value) -> Value {
    (0..times).fold(filter, |filter, _| json!({ "not": filter }))
}
