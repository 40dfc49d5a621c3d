//! Everything that can go wrong, in the words a person reads. Codes and statuses are GraphQL's affair.

use std::sync::Arc;

use crate::domain::{FieldFault, MAX_FAULTS, PathSegment};

/// A failure of an operation. What it displays is safe to show to anybody.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The token is missing, expired or not to be trusted; the sentence says which.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// A password that does not fit, whatever the reason.
    #[error("{0}")]
    InvalidCredentials(&'static str),
    /// The thing is there and is somebody else's, or the door is closed.
    #[error("{0}")]
    Forbidden(&'static str),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(&'static str),
    /// Some of the things that a call names cannot be had, and so nothing is done: the reason of the
    /// first, and the place of each.
    #[error("{reason}")]
    Bulk { reason: Box<Error>, faults: Vec<FieldFault> },
    /// A value that may exist only once does already.
    #[error("{}", describe(.0))]
    AlreadyExists(Vec<FieldFault>),
    /// The task has moved on since the version that the caller knew.
    #[error("The task is at version {current}, not at the one expected.")]
    VersionConflict { current: i32 },
    /// Concurrent changes kept each other from finishing.
    #[error("The change collided with others at the same time. Try again.")]
    WriteConflict,
    /// Values that break rules.
    #[error("{}", describe(.0))]
    Invalid(Vec<FieldFault>),
    /// Too many attempts; seconds until the next may be made.
    #[error("Too many attempts. Try again in {retry_after} seconds.")]
    RateLimited { retry_after: u64 },
    /// The database, or room to work, is not to be had at present; the cause is for the log.
    #[error("The service is unavailable at the moment. Try again shortly.")]
    Unavailable(Arc<anyhow::Error>),
    /// A lock on what is to be changed was not free in time.
    #[error("Something else is changing this at the moment. Try again shortly.")]
    Locked,
    /// The answer would be larger than answers may be.
    #[error("The answer would have more than {limit} bytes. Ask for less at a time.")]
    ResponseTooLarge { limit: usize },
    /// The operation ran past its time limit.
    #[error("The operation took too long and was given up.")]
    Timeout,
    /// A fault of the service; the cause is for the log and for nobody else.
    #[error("Something went wrong on our side. The request id helps to find out what.")]
    Internal(Arc<anyhow::Error>),
}

impl Error {
    /// Wraps the cause of a fault of the service.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::Internal(Arc::new(cause.into()))
    }

    /// Both results, or the faults of both.
    pub fn zip<A, B>(a: super::Result<A>, b: super::Result<B>) -> super::Result<(A, B)> {
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

    /// What is wrong with one of several things that a call names.
    pub fn problem(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "belongs to somebody else",
            _ => "is not there",
        }
    }

    /// Wraps the reason why the service cannot work at present.
    pub fn unavailable(cause: impl Into<anyhow::Error>) -> Self {
        Self::Unavailable(Arc::new(cause.into()))
    }
}

/// One sentence for each fault: "Title must not be empty."
fn describe(faults: &[FieldFault]) -> String {
    let sentence = |fault: &FieldFault| format!("{} {}.", subject(&fault.path), fault.problem.message);
    faults.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

/// The place of a fault as the start of a sentence: `input.title` is "Title", `input.labels.1` "Item 2 of
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

/// A field's name as the start of a sentence: `usernameOrEmail` is "Username or email".
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
    fn faults_are_told_in_sentences_that_begin_with_the_field() {
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
        let step = vec!["checklist".into(), 3.into(), "children".into(), 0.into()];
        faults.inside(step, |faults| faults.push("text", Problem::required()));
        let error = faults.into_result().expect_err("two faults were pushed");
        let sentences = "Item 2 of labels must not be empty. \
                         Text in item 1 of children in item 4 of checklist must not be empty.";
        assert_eq!(error.to_string(), sentences);
    }
}
