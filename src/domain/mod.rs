//! Pure values and rules: what a title, a filter or an error is.
//! No HTTP, no GraphQL, no SQL and no look at the clock enters here.

mod account;
mod clock;
mod error;
mod fault;
mod id;
mod page;
mod task;
mod text;

pub use account::{
    DisplayName, Email, NewPassword, PASSWORD_RULES, ProfileEdit, Registration, Session, User, Username,
};
pub use clock::Clock;
pub use error::Error;
pub use fault::{Faults, FieldFault, PathSegment, Problem, Rule};
pub use id::new_id;
pub use page::{KeyValue, MAX_PAGE, Page, PageArguments, PageRequest, Position};
pub use task::{
    DateField, DateRange, Description, NewTask, OrderField, OrderKey, StatusChange, Task, TaskEdit,
    TaskFilter, TaskPriority, TaskStatus, Title,
};
pub use text::{MAX_DESCRIPTION, MAX_NAME, MAX_TITLE, normalize};

/// A result whose error is the domain's own.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An instant as the service keeps it: UTC, whole milliseconds.
pub type Instant = chrono::DateTime<chrono::Utc>;
