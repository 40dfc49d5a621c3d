//! The writers of fields, by the kind of their values.

use async_graphql::ContextSelectionSet;
use async_graphql::parser::types::Field;

use crate::graphql::direct_json::write::WriteJson;
use crate::graphql::direct_json::{DirectJson, FieldWriter, SelectionWriter};

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
