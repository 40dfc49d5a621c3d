//! Lists whose items are asked for nothing but what they hold: they are answered at once. The library
//! makes a future for each field of each item, which costs more than everything else about a list.

use std::borrow::Cow;

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, InputType, Name, OutputType, Positioned, ServerResult, Value};
use indexmap::IndexMap;

use crate::graphql::context::session;

/// Reads a field of an item; None: the list has to be answered field by field.
pub type Read<'a, T> = Box<dyn Fn(&T) -> Option<Value> + Send + Sync + 'a>;

/// A type some of whose fields are there without asking anybody.
pub trait Plain: OutputType + Sized {
    /// How to read a field, if it is one of them.
    fn read<'a>(field: &'a Field, ctx: &'a ContextSelectionSet<'a>) -> Option<Read<'a, Self>>;
}

/// A field that is a value of its own.
pub fn value<'a, T, V: InputType>(of: impl Fn(&T) -> &V + Send + Sync + 'a) -> Option<Read<'a, T>> {
    Some(Box::new(move |item| Some(of(item).to_value())))
}

/// A field that is an object itself.
pub fn object<'a, T, O: Plain + 'a>(
    field: &'a Field,
    ctx: &'a ContextSelectionSet<'a>,
    of: impl Fn(&T) -> &O + Send + Sync + 'a,
) -> Option<Read<'a, T>> {
    let fields = Fields::of(&field.selection_set.node, ctx)?;
    Some(Box::new(move |item| fields.read(of(item))))
}

/// A list. On the wire it is that of its items.
pub struct List<T>(pub Vec<T>);

impl<T: Plain> List<T> {
    fn at_once(&self, ctx: &ContextSelectionSet<'_>) -> Option<Value> {
        let fields = Fields::of(&ctx.item.node, ctx)?;
        self.0.iter().map(|item| fields.read(item)).collect::<Option<_>>().map(Value::List)
    }
}

impl<T: Plain> OutputType for List<T> {
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
        let charged = session(ctx).charged();
        match self.at_once(ctx) {
            Some(list) => Ok(list),
            None => {
                // Nothing was awaited meanwhile, so nobody else has charged anything.
                session(ctx).charge_again_from(charged);
                self.0.resolve(ctx, field).await
            }
        }
    }
}

/// What is asked of each item.
pub struct Fields<'a, T> {
    /// The object with all its response keys and no values: a copy of it need not sort in the keys again.
    empty: IndexMap<Name, Value>,
    /// The values, in the order of the keys.
    reads: Vec<Read<'a, T>>,
}

impl<'a, T: Plain> Fields<'a, T> {
    /// None when something is asked for that an item does not hold.
    pub fn of(set: &'a SelectionSet, ctx: &'a ContextSelectionSet<'a>) -> Option<Self> {
        let mut fields = Self { empty: IndexMap::new(), reads: Vec::new() };
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
        let key = &field.response_key().node;
        let is_leaf = field.selection_set.node.items.is_empty();
        if self.empty.contains_key(key) {
            // The same value; objects would have to be brought together.
            return is_leaf.then_some(());
        }
        let read = match field.name.node.as_str() {
            "__typename" => {
                let name = Value::from(T::type_name());
                Box::new(move |_: &T| Some(name.clone()))
            }
            _ => T::read(field, ctx)?,
        };
        self.empty.insert(key.clone(), Value::Null);
        self.reads.push(read);
        Some(())
    }

    /// The object of an item.
    pub fn read(&self, item: &T) -> Option<Value> {
        let mut object = self.empty.clone();
        for (value, read) in object.values_mut().zip(&self.reads) {
            *value = read(item)?;
        }
        Some(Value::Object(object))
    }
}

/// Whether everything of this type is of the type named; all that has an id is a Node.
fn is_type<T: OutputType>(name: &Name) -> bool {
    name.as_str() == T::type_name() || name == "Node"
}
