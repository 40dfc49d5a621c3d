//! The rows, as the migrations made them.

pub mod checklist_item;
pub mod file_change;
pub mod login_attempt;
pub mod risk;
pub mod session;
pub mod session_ending;
pub mod task;
pub mod user;

use crate::domain::{Error, Named, Result};

/// The value that is stored under a name; fails on one that this program does not know.
fn named<T: Named>(name: &str) -> Result<T> {
    T::named(name).ok_or_else(|| Error::internal(anyhow::anyhow!("a row has the unknown value {name}")))
}
