//! Objects whose selected fields need no resolver are written directly as JSON. async-graphql makes a future
//! and a value for each field of each item, which costs more than the rest of the work on a list.

pub mod long_text;
mod merging;
mod output;
mod selection_writer;
pub mod write;
mod writers;

use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::{ContextSelectionSet, OutputType};

pub use api_macros::DirectJson;
pub use merging::needs_field_merging;
pub use output::{DirectList, DirectObject};
pub use selection_writer::SelectionWriter;
pub use writers::{constant, object, scalar};

/// Writes one field of an object as JSON. None: the field needs its resolver, so the object cannot be written
/// directly.
pub type FieldWriter<'a, T> =
    Box<dyn Fn(&T, &mut Vec<u8>, &ContextSelectionSet<'_>) -> Option<()> + Send + Sync + 'a>;

/// An object type of which some fields need no resolver.
pub trait DirectJson: OutputType + Sized {
    /// The writer of a field; None when the field needs its resolver.
    fn field_writer<'a>(field: &'a Field, ctx: &'a ContextSelectionSet<'a>) -> Option<FieldWriter<'a, Self>>;
}

impl<T: DirectJson + 'static> DirectJson for Arc<T> {
    fn field_writer<'a>(field: &'a Field, ctx: &'a ContextSelectionSet<'a>) -> Option<FieldWriter<'a, Self>> {
        let write = T::field_writer(field, ctx)?;
        Some(Box::new(move |item, json, ctx| write(item, json, ctx)))
    }
}
