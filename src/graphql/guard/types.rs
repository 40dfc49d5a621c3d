//! The schema's types as the guard needs them, read from the SDL once at the start.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, Type, TypeDefinition, TypeKind, TypeSystemDefinition};

/// What a type is.
#[derive(Debug)]
pub enum Definition {
    Scalar,
    Enum(Vec<Name>),
    /// An object or interface and its fields.
    Composite(HashMap<Name, Type>),
    /// The fields with their types, and whether they have defaults.
    Input(HashMap<Name, (Type, bool)>),
}

/// The types of the schema by name.
#[derive(Debug)]
pub struct Types(HashMap<Name, Definition>);

impl Types {
    /// Reads the program's own SDL.
    pub fn from_sdl(sdl: &str) -> Self {
        let schema = parse_schema(sdl).expect("the program prints valid SDL");
        let types = schema.definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(each) => Some((each.node.name.node.clone(), describe(each.node))),
            TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
        });
        Self(types.collect())
    }

    /// What the type of this name is, if there is one.
    pub fn get(&self, name: &str) -> Option<&Definition> {
        self.0.get(name)
    }

    /// The type of a field of an object or interface.
    pub fn field(&self, parent: &str, field: &str) -> Option<&Type> {
        match self.0.get(parent)? {
            Definition::Composite(fields) => fields.get(field),
            _ => None,
        }
    }
}

fn describe(definition: TypeDefinition) -> Definition {
    let composite =
        |fields: Vec<async_graphql::Positioned<async_graphql::parser::types::FieldDefinition>>| {
            Definition::Composite(fields.into_iter().map(|f| (f.node.name.node, f.node.ty.node)).collect())
        };
    match definition.kind {
        TypeKind::Scalar | TypeKind::Union(_) => Definition::Scalar,
        TypeKind::Enum(kind) => {
            Definition::Enum(kind.values.into_iter().map(|value| value.node.value.node).collect())
        }
        TypeKind::Object(kind) => composite(kind.fields),
        TypeKind::Interface(kind) => composite(kind.fields),
        TypeKind::InputObject(kind) => {
            let field =
                |field: async_graphql::Positioned<async_graphql::parser::types::InputValueDefinition>| {
                    let has_default = field.node.default_value.is_some();
                    (field.node.name.node, (field.node.ty.node, has_default))
                };
            Definition::Input(kind.fields.into_iter().map(field).collect())
        }
    }
}

/// The name at the heart of a type: `Task` in `[Task!]!`.
pub fn innermost(ty: &Type) -> &Name {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(item) => innermost(item),
    }
}

/// Whether a type is a list.
pub fn is_list(ty: &Type) -> bool {
    matches!(ty.base, BaseType::List(_))
}
