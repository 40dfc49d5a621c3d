//! Objects that are asked for nothing but what they hold: they are written as JSON at once. The library
//! makes a future and a value for each field of each item, which costs more than everything else about a
//! list.

pub mod long_text;
pub mod write;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value};

use crate::domain::Result;
use crate::graphql::direct_json::write::{WriteJson, write_items, write_text};
use crate::graphql::execution_state::{ExecutionExt, write_error};

/// Writes a field of an item as JSON; None: the item has to be answered field by field.
pub type FieldWriter<'a, T> = Box<dyn Fn(&T, &mut Vec<u8>) -> Option<()> + Send + Sync + 'a>;

/// A type some of whose fields are there without asking anybody.
pub trait DirectJson: OutputType + Sized {
    /// How to write a field, if it is one of them.
    fn write<'a>(field: &'a Field, ctx: &'a ContextSelectionSet<'a>) -> Option<FieldWriter<'a, Self>>;
}

impl<T: DirectJson + 'static> DirectJson for Arc<T> {
    fn write<'a>(field: &'a Field, ctx: &'a ContextSelectionSet<'a>) -> Option<FieldWriter<'a, Self>> {
        let write = T::write(field, ctx)?;
        Some(Box::new(move |item, json| write(item, json)))
    }
}

/// A field that is a value of its own.
pub fn scalar<'a, T, V: WriteJson + ?Sized>(
    of: impl Fn(&T) -> &V + Send + Sync + 'a,
) -> Option<FieldWriter<'a, T>> {
    Some(Box::new(move |item, json| {
        of(item).write(json);
        Some(())
    }))
}

/// A field that is an object itself.
pub fn object<'a, T, O: DirectJson + 'a>(
    field: &'a Field,
    ctx: &'a ContextSelectionSet<'a>,
    of: impl Fn(&T) -> &O + Send + Sync + 'a,
) -> Option<FieldWriter<'a, T>> {
    let fields = SelectionWriter::of(&field.selection_set.node, ctx)?;
    Some(Box::new(move |item, json| fields.write(of(item), json)))
}

/// A field that is the same object for every item.
pub fn constant<'a, T, O: DirectJson>(
    field: &'a Field,
    ctx: &'a ContextSelectionSet<'a>,
    object: &O,
) -> Option<FieldWriter<'a, T>> {
    let mut written = Vec::new();
    SelectionWriter::of(&field.selection_set.node, ctx)?.write(object, &mut written)?;
    Some(Box::new(move |_, json| {
        json.extend_from_slice(&written);
        Some(())
    }))
}

/// A list. On the wire it is that of its items.
pub struct DirectList<T>(pub Vec<T>);

/// An object. On the wire it is itself.
pub struct DirectObject<T>(pub T);

/// So many bytes are there to begin with.
const INITIAL_CAPACITY_BYTES: usize = 1024;
/// No more are set aside for what has not been written yet.
const MAX_RESERVED_BYTES: usize = 1 << 18;

/// What the library takes for a field of an item while it resolves it, and for its value afterwards, beside
/// texts: measured with lists of many small items.
const RESOLVED_FIELD_BYTES: usize = 768;
const FIELD_VALUE_BYTES: usize = 256;

/// Writes at once, and if that cannot be, takes back what it has charged to the answer. Errors: Unavailable
/// when the answer takes too much memory.
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
        // Nothing was awaited meanwhile, so nobody else has charged anything.
        state.reset_charged_to(charged);
        // To resolve it field by field would only take more memory.
        state.share().take(0)?;
        return Ok(None);
    }
    // What has been charged is counted already.
    state.share().take(json.len().saturating_sub(state.charged() - charged))?;
    Ok(Some(Value::Binary(json.into())))
}

/// Lets the library resolve items field by field, and counts what that takes.
async fn field_by_field<T: OutputType>(
    items: &T,
    count: usize,
    ctx: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
) -> ServerResult<Value> {
    let fields = count.saturating_mul(1 + count_fields(&ctx.item.node, ctx));
    let share = ctx.execution().share();
    let held = share.take(fields.saturating_mul(FIELD_VALUE_BYTES));
    let held = held.and_then(|()| share.hold(fields.saturating_mul(RESOLVED_FIELD_BYTES)));
    let _held = held.map_err(|error| write_error(ctx, field, error))?;
    items.resolve(ctx, field).await
}

/// How many fields are asked of an item itself.
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
                // They are about as long as the first; what that says is a guess, and the client's to choose.
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

/// Whether a document asks twice for the same objects, in parts that have to be brought together. That is
/// done with values.
pub fn needs_field_merging(document: &ExecutableDocument) -> bool {
    document
        .operations
        .iter()
        .any(|(_, operation)| needs_field_merging_in(&operation.node.selection_set.node, document))
}

fn needs_field_merging_in(set: &SelectionSet, document: &ExecutableDocument) -> bool {
    let mut objects = HashMap::<&str, &SelectionSet>::new();
    let mut sets = vec![set];
    while let Some(set) = sets.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let inner = &field.node.selection_set.node;
                    let key = field.node.response_key().node.as_str();
                    if !inner.items.is_empty() && objects.insert(key, inner).is_some() {
                        return true;
                    }
                }
                Selection::InlineFragment(inline) => sets.push(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let fragment = document.fragments.get(&spread.node.fragment_name.node);
                    sets.extend(fragment.map(|fragment| &fragment.node.selection_set.node));
                }
            }
        }
    }
    objects.into_values().any(|inner| needs_field_merging_in(inner, document))
}

/// What is asked of each item.
pub struct SelectionWriter<'a, T> {
    /// The response keys, each as it is written.
    keys: Vec<Vec<u8>>,
    /// The values, in the order of the keys.
    writes: Vec<FieldWriter<'a, T>>,
}

impl<'a, T: DirectJson> SelectionWriter<'a, T> {
    /// None when something is asked for that an item does not hold.
    pub fn of(set: &'a SelectionSet, ctx: &'a ContextSelectionSet<'a>) -> Option<Self> {
        let mut fields = Self { keys: Vec::new(), writes: Vec::new() };
        fields.add(set, ctx)?;
        Some(fields)
    }

    fn add(&mut self, set: &'a SelectionSet, ctx: &'a ContextSelectionSet<'a>) -> Option<()> {
        // What is skipped has been taken out of the document by now.
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self.add_field(&field.node, ctx)?,
                Selection::InlineFragment(inline) => {
                    let ty = inline.node.type_condition.as_ref().map(|condition| &condition.node.on.node);
                    if ty.is_none_or(is_type::<T>) {
                        self.add(&inline.node.selection_set.node, ctx)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &ctx.query_env.fragments.get(&spread.node.fragment_name.node)?.node;
                    if is_type::<T>(&fragment.type_condition.node.on.node) {
                        self.add(&fragment.selection_set.node, ctx)?;
                    }
                }
            }
        }
        Some(())
    }

    fn add_field(&mut self, field: &'a Field, ctx: &'a ContextSelectionSet<'a>) -> Option<()> {
        let key = format!("\"{}\":", field.response_key().node).into_bytes();
        let is_leaf = field.selection_set.node.items.is_empty();
        if self.keys.contains(&key) {
            // The same value; objects would have to be brought together.
            return is_leaf.then_some(());
        }
        let write = match field.name.node.as_str() {
            "__typename" => {
                let name = T::type_name();
                Some(Box::new(move |_: &T, json: &mut Vec<u8>| {
                    write_text(&name, json);
                    Some(())
                }) as FieldWriter<'a, T>)
            }
            _ => T::write(field, ctx),
        };
        self.writes.push(write?);
        self.keys.push(key);
        Some(())
    }

    /// Writes the object of an item.
    pub fn write(&self, item: &T, json: &mut Vec<u8>) -> Option<()> {
        write_items(b'{', self.keys.iter().zip(&self.writes), b'}', json, |(key, write), json| {
            json.extend_from_slice(key);
            write(item, json)
        })
    }
}

/// Whether everything of this type is of the type named; all that has an id is a Node.
fn is_type<T: OutputType>(name: &Name) -> bool {
    name.as_str() == T::type_name() || name == "Node"
}
