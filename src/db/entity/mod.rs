//! The rows of the tables, as the migrations define them.

pub mod api_key;
pub mod change_head;
pub mod checklist_item;
pub mod claim;
pub mod email_token;
pub mod file_change;
pub mod login_attempt;
pub mod mail;
mod partial_row;
pub mod reset_request;
pub mod risk;
pub mod session;
pub mod session_ending;
mod stored;
pub mod task;
pub mod task_dependency;
pub mod task_document;
pub mod task_list;
pub mod user;

use partial_row::{ColumnSet, partial_row};

use crate::domain::{Error, Result, StoredEnum};

/// The value with a stored name. Fails when this version has no such value.
pub fn parse_stored<T: StoredEnum>(name: &str) -> Result<T> {
    T::from_name(name).ok_or_else(|| Error::internal(anyhow::anyhow!("a row has the unknown value {name}")))
}
