//! Writes the selected fields of an object as JSON.

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::{ContextSelectionSet, Name, OutputType};
use json_text::write_text;

use crate::graphql::direct_json::write::write_items;
use crate::graphql::direct_json::{DirectJson, FieldWriter};

/// Writes the fields that one selection set selects of an object.
pub struct SelectionWriter<'a, T> {
    ctx: &'a ContextSelectionSet<'a>,
    /// The response keys, each in its JSON form with the colon.
    keys: Vec<Vec<u8>>,
    /// The writers of the values, in the order of the keys.
    writes: Vec<FieldWriter<'a, T>>,
}

impl<'a, T: DirectJson> SelectionWriter<'a, T> {
    /// None when a selected field needs its resolver.
    pub fn of(set: &'a SelectionSet, ctx: &'a ContextSelectionSet<'a>) -> Option<Self> {
        let mut fields = Self { ctx, keys: Vec::new(), writes: Vec::new() };
        fields.add(set, ctx)?;
        Some(fields)
    }

    fn add(&mut self, set: &'a SelectionSet, ctx: &'a ContextSelectionSet<'a>) -> Option<()> {
        // Fields that are skipped have been removed from the document before.
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
            // A repeated key without sub-fields has the same value and is skipped. A repeated object would have to
            // be merged, which this writer cannot do.
            return is_leaf.then_some(());
        }
        let write = match field.name.node.as_str() {
            "__typename" => {
                let name = T::type_name();
                Some(Box::new(move |_: &T, json: &mut Vec<u8>, _: &ContextSelectionSet<'_>| {
                    write_text(&name, json);
                    Some(())
                }) as FieldWriter<'a, T>)
            }
            _ => T::field_writer(field, ctx),
        };
        self.writes.push(write?);
        self.keys.push(key);
        Some(())
    }

    /// Writes the object of an item.
    pub fn write(&self, item: &T, json: &mut Vec<u8>) -> Option<()> {
        write_items(b'{', self.keys.iter().zip(&self.writes), b'}', json, |(key, write), json| {
            json.extend_from_slice(key);
            write(item, json, self.ctx)
        })
    }
}

/// Whether every object of this type is of the named type. Every object with an id is a Node.
fn is_type<T: OutputType>(name: &Name) -> bool {
    name.as_str() == T::type_name() || name == "Node"
}
