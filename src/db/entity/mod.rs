//! The rows of the tables, as the migrations define them.

pub mod change_head;
pub mod checklist_item;
pub mod file_change;
pub mod login_attempt;
mod partial_row;
pub mod risk;
pub mod session;
pub mod session_ending;
mod stored;
pub mod task;
pub mod user;

use partial_row::{ColumnSet, partial_row};

use crate::domain::{Error, Result, StoredEnum};

/// The value with a stored name. Fails when this version has no such value.
fn parse_stored<T: StoredEnum>(name: &str) -> Result<T> {
    T::from_name(name).ok_or_else(|| Error::internal(anyhow::anyhow!("a row has the unknown value {name}")))
}
