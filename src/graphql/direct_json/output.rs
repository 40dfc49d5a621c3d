//! Lists and objects as values of resolvers: they are written directly, or resolved field by field.

use std::borrow::Cow;

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};

use crate::domain::Result;
use crate::graphql::direct_json::write::write_items;
use crate::graphql::direct_json::{DirectJson, SelectionWriter};
use crate::graphql::execution_state::{ExecutionExt, write_error};

/// A list of objects, written directly where that is possible. In the schema it is a list of its items.
pub struct DirectList<T>(pub Vec<T>);

/// An object, written directly where that is possible. In the schema it is the object itself.
pub struct DirectObject<T>(pub T);

/// The initial capacity of the buffer that an object or a list is written to.
const INITIAL_CAPACITY_BYTES: usize = 1024;
/// The most bytes that are reserved for items that have not been written yet.
const MAX_RESERVED_BYTES: usize = 1 << 18;

/// The memory that async-graphql needs for a field of an item while it resolves the field, without texts. It
/// was measured with lists of many small items.
const RESOLVED_FIELD_BYTES: usize = 768;
/// The memory of the field's value afterwards, measured in the same way.
const FIELD_VALUE_BYTES: usize = 256;

/// Writes a value directly. None when that is not possible: then what was charged to the response has been
/// taken back. Errors: Unavailable when no memory is left for the response.
fn try_direct<T: DirectJson>(
    ctx: &ContextSelectionSet<'_>,
    write: impl FnOnce(&SelectionWriter<'_, T>, &mut Vec<u8>) -> Option<()>,
) -> Result<Option<Value>> {
    let state = ctx.execution();
    if !state.allows_direct_json() {
        return Ok(None);
    }
    let charged = state.charged();
    let mut json = Vec::with_capacity(INITIAL_CAPACITY_BYTES);
    let written = SelectionWriter::of(&ctx.item.node, ctx).and_then(|fields| write(&fields, &mut json));
    if written.is_none() {
        // Nothing was awaited since, so no other field has charged anything.
        state.reset_charged_to(charged);
        // Resolving it field by field would need even more memory.
        state.share().take(0)?;
        return Ok(None);
    }
    // The bytes that were charged are counted already.
    state.share().take(json.len().saturating_sub(state.charged() - charged))?;
    Ok(Some(Value::Binary(json.into())))
}

/// Lets async-graphql resolve items field by field, and counts the memory that it needs for that.
async fn field_by_field<T: OutputType>(
    items: &T,
    count: usize,
    ctx: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
) -> ServerResult<Value> {
    let fields = count.saturating_mul(1 + count_fields(&ctx.item.node, ctx));
    let share = ctx.execution().share();
    let counted = share.take(fields.saturating_mul(FIELD_VALUE_BYTES));
    let counted = counted.and_then(|()| share.hold(fields.saturating_mul(RESOLVED_FIELD_BYTES)));
    let _counted = counted.map_err(|error| write_error(ctx, field, error))?;
    items.resolve(ctx, field).await
}

/// How many fields are selected of an item itself.
fn count_fields(set: &SelectionSet, ctx: &ContextSelectionSet<'_>) -> usize {
    let count = |selection: &Positioned<Selection>| match &selection.node {
        Selection::Field(_) => 1,
        Selection::InlineFragment(inline) => count_fields(&inline.node.selection_set.node, ctx),
        Selection::FragmentSpread(spread) => {
            let fragment = ctx.query_env.fragments.get(&spread.node.fragment_name.node);
            fragment.map_or(0, |fragment| count_fields(&fragment.node.selection_set.node, ctx))
        }
    };
    set.items.iter().map(count).sum()
}

impl<T: DirectJson> OutputType for DirectList<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<T> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let written = try_direct(ctx, |fields, json| {
            let mut others = self.0.len();
            write_items(b'[', &self.0, b']', json, |item, json| {
                fields.write(item, json)?;
                // The other items are about as long as the first. That is a guess, and the client chooses the
                // first item, so the reserved bytes are limited.
                json.reserve((std::mem::take(&mut others) * json.len()).min(MAX_RESERVED_BYTES));
                Some(())
            })
        });
        match written.map_err(|error| write_error(ctx, field, error))? {
            Some(list) => Ok(list),
            None => field_by_field(&self.0, self.0.len(), ctx, field).await,
        }
    }
}

impl<T: DirectJson> OutputType for DirectObject<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let written = try_direct(ctx, |fields, json| fields.write(&self.0, json));
        match written.map_err(|error| write_error(ctx, field, error))? {
            Some(object) => Ok(object),
            None => self.0.resolve(ctx, field).await,
        }
    }
}
