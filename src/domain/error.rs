//! The errors of the service, with the messages that clients read. The `graphql` layer assigns codes and HTTP
//! statuses.

use std::sync::Arc;

use crate::domain::{FieldFault, MAX_FAULTS, PathSegment, Required};

/// A result with the domain's error type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of an operation. Its message is safe to show to every client.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The token is missing, expired or invalid; the message tells which.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The name or the password is wrong; the message does not tell which.
    #[error("{0}")]
    InvalidCredentials(&'static str),
    /// The object belongs to another user, or the operation is disabled.
    #[error("{0}")]
    Forbidden(&'static str),
    /// What admitted the viewer does not allow the operation.
    #[error("{}", .0.message())]
    MissingRight(Required),
    /// The object does not exist.
    #[error("{0}")]
    NotFound(&'static str),
    /// Some objects of a bulk operation are not accessible, so nothing was changed. `reason` is the error of
    /// the first one; `faults` has the index of each.
    #[error("{reason}")]
    Bulk { reason: Box<Error>, faults: Vec<FieldFault> },
    /// A value that must be unique exists already.
    #[error("{}", describe(.0))]
    AlreadyExists(Vec<FieldFault>),
    /// Another account has taken the address since its verification was requested.
    #[error("This e-mail address belongs to another account.")]
    EmailTaken(Vec<FieldFault>),
    /// The task or task list does not have the version that the caller expected.
    #[error("The {object} has version {current}, not the expected version.")]
    VersionConflict { object: &'static str, current: i32 },
    /// The state of the object does not allow the operation.
    #[error("{0}")]
    Conflict(&'static str),
    /// The task list does not have the revision that the caller expected.
    #[error("The task list has the revision {current}, not the expected one.")]
    RevisionConflict { current: String },
    /// Concurrent changes conflicted with this one.
    #[error("The change conflicted with concurrent changes. Try again.")]
    WriteConflict,
    /// Input values break rules.
    #[error("{}", describe(.0))]
    Invalid(Vec<FieldFault>),
    /// The changes after a cursor are no longer known.
    #[error("The changes after this cursor are no longer known. Read everything again.")]
    CursorExpired,
    /// Too many attempts. `retry_after` is in seconds.
    #[error("Too many attempts. Try again in {retry_after} seconds.")]
    RateLimited { retry_after: u64 },
    /// The database or another resource is not available at the moment. The cause is for the log.
    #[error("The service is unavailable at the moment. Try again shortly.")]
    Unavailable(Arc<anyhow::Error>),
    /// A lock on a row was not free in time.
    #[error("Another change of the same data is in progress. Try again shortly.")]
    Locked,
    /// The response would exceed the size limit. `limit` is in bytes.
    #[error("The response would have more than {limit} bytes. Request less data at a time.")]
    ResponseTooLarge { limit: usize },
    /// Fields without pages would find too many objects through dependencies.
    #[error("The request would follow more than {limit} dependencies. Request less data at a time.")]
    TooManyRelated { limit: usize },
    /// The operation exceeded its time limit.
    #[error("The operation took too long. If it is a mutation, it may have taken effect.")]
    Timeout,
    /// A programming error or an unexpected failure. The cause is for the log only.
    #[error("Internal error. Quote the request id when you report it.")]
    Internal(Arc<anyhow::Error>),
}

impl Error {
    /// Wraps the cause of an internal error.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::Internal(Arc::new(cause.into()))
    }

    /// Both values, or the faults of both.
    pub fn zip<A, B>(a: Result<A>, b: Result<B>) -> Result<(A, B)> {
        match (a, b) {
            (Ok(a), Ok(b)) => Ok((a, b)),
            (Err(Self::Invalid(mut faults)), Err(Self::Invalid(more))) => {
                faults.extend(more);
                faults.truncate(MAX_FAULTS);
                Err(Self::Invalid(faults))
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// The message for one object of a bulk operation.
    pub fn problem(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "belongs to another user",
            _ => "does not exist",
        }
    }

    /// Wraps the reason why the service is unavailable.
    pub fn unavailable(cause: impl Into<anyhow::Error>) -> Self {
        Self::Unavailable(Arc::new(cause.into()))
    }
}

/// One sentence for each fault: "Title must not be empty."
fn describe(faults: &[FieldFault]) -> String {
    let sentence = |fault: &FieldFault| format!("{} {}.", subject(&fault.path), fault.problem.message);
    faults.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

/// The path of a fault as the start of a sentence: `input.title` becomes "Title", `input.labels.1` "Item 2 of
/// labels", `input.checklist.3.text` "Text in item 4 of checklist".
fn subject(path: &[PathSegment]) -> String {
    let mut words = Vec::new();
    let mut steps = path.iter().rev().peekable();
    while let Some(step) = steps.next() {
        match step {
            PathSegment::Field(name) if words.is_empty() => words.push(in_words(name)),
            PathSegment::Field(_) => {}
            PathSegment::Index(index) => {
                let item = if words.is_empty() { "Item" } else { "in item" };
                let list = match steps.peek() {
                    Some(PathSegment::Field(name)) => in_words(name).to_lowercase(),
                    _ => "the list".to_owned(),
                };
                words.push(format!("{item} {} of {list}", index + 1));
            }
        }
    }
    if words.is_empty() { "The input".to_owned() } else { words.join(" ") }
}

/// A field name as the start of a sentence: `usernameOrEmail` becomes "Username or email".
fn in_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for (index, letter) in name.chars().enumerate() {
        match (index, letter.is_uppercase()) {
            (0, _) => words.extend(letter.to_uppercase()),
            (_, true) => {
                words.push(' ');
                words.extend(letter.to_lowercase());
            }
            _ => words.push(letter),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use crate::domain::{Faults, Problem};

    #[test]
    fn faults_are_described_in_sentences_that_begin_with_the_field() {
        let mut faults = Faults::of("input");
        faults.push("title", Problem::required());
        faults.push("usernameOrEmail", Problem::null());
        let error = faults.into_result().expect_err("two faults were pushed");
        assert_eq!(error.to_string(), "Title must not be empty. Username or email must not be null.");
    }

    #[test]
    fn a_fault_in_a_list_says_where_it_is() {
        let mut faults = Faults::of("input");
        faults.within("labels", |faults| faults.within(1, |faults| faults.push("", Problem::required())));
        let path = vec!["checklist".into(), 3.into(), "children".into(), 0.into()];
        faults.inside(path, |faults| faults.push("text", Problem::required()));
        let error = faults.into_result().expect_err("two faults were pushed");
        let sentences = "Item 2 of labels must not be empty. \
                         Text in item 1 of children in item 4 of checklist must not be empty.";
        assert_eq!(error.to_string(), sentences);
    }
}
