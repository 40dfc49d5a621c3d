//! Merges a newer version of a list document with the changes that were made since the last import or merge.

mod base;
mod carried;
mod decide;
mod keys;
mod pairing;
mod report;
mod slots;
mod source;
#[cfg(test)]
mod tests;
mod types;

pub use types::{
    Change, ChangeKind, Conflict, ConflictKind, Decisions, Merge, Merged, MergedTask, ServerTask, Side,
    UnknownDecisions,
};

/// Merges a file into a list. It takes time in proportion to the size of both documents.
///
/// Errors: [`UnknownDecisions`] when a single decision is about a key that has no conflict.
pub fn merge(input: Merge<'_>) -> Result<Merged, UnknownDecisions> {
    let base = base::tasks(&input);
    let pairs = pairing::pair(&base, input.tasks, &input.file.1.tasks);
    let decided = decide::decide(&input, &base, &pairs)?;
    let composed = source::compose(&input, &pairs);
    Ok(report::merged(&input, &pairs, decided, composed))
}
