//! Objects whose selected fields need no resolver are written directly as JSON. async-graphql makes a future
//! and a value for each field of each item, which costs more than the rest of the work on a list.

pub mod long_text;
mod merging;
mod output;
mod selection_writer;
pub mod write;

use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::{ContextSelectionSet, OutputType};

pub use api_macros::DirectJson;
pub use merging::needs_field_merging;
pub use output::{DirectList, DirectObject};
pub use selection_writer::SelectionWriter;

use self::write::WriteJson;

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

/// The writer of a field whose value is not an object.
pub fn scalar<'a, T, V: WriteJson + ?Sized>(
    of: impl Fn(&T) -> &V + Send + Sync + 'a,
) -> Option<FieldWriter<'a, T>> {
    Some(Box::new(move |item, json, ctx| of(item).write_counted(json, ctx)))
}

/// The writer of a field whose value is an object.
pub fn object<'a, T, O: DirectJson + 'a>(
    field: &'a Field,
    ctx: &'a ContextSelectionSet<'a>,
    of: impl Fn(&T) -> &O + Send + Sync + 'a,
) -> Option<FieldWriter<'a, T>> {
    let fields = SelectionWriter::of(&field.selection_set.node, ctx)?;
    Some(Box::new(move |item, json, _| fields.write(of(item), json)))
}

/// The writer of a field whose value is the same object for every item.
pub fn constant<'a, T, O: DirectJson>(
    field: &'a Field,
    ctx: &'a ContextSelectionSet<'a>,
    object: &O,
) -> Option<FieldWriter<'a, T>> {
    let mut written = Vec::new();
    SelectionWriter::of(&field.selection_set.node, ctx)?.write(object, &mut written)?;
    Some(Box::new(move |_, json, _| {
        json.extend_from_slice(&written);
        Some(())
    }))
}
