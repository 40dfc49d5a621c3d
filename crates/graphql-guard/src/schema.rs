//! An index of the types of the schema by name, built once from the SDL.

use std::collections::{BTreeMap, HashMap};

use async_graphql_parser::Positioned;
use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql_value::{ConstValue as Value, Name};

/// The definition of a type.
#[derive(Debug)]
pub enum TypeDef {
    Scalar,
    Enum(Vec<Name>),
    /// An object or interface and its fields.
    Composite {
        is_object: bool,
        fields: HashMap<Name, Field>,
    },
    Input(Inputs),
}

/// A field of an object or interface.
#[derive(Debug)]
pub struct Field {
    pub ty: Type,
    pub arguments: Inputs,
}

/// The arguments of a field, or the fields of an input object.
pub type Inputs = BTreeMap<Name, Input>;

/// An argument, or a field of an input object.
#[derive(Debug)]
pub struct Input {
    pub ty: Type,
    pub default: Option<Value>,
}

/// The types and directives of the schema by name.
#[derive(Debug, Default)]
pub struct SchemaIndex {
    types: HashMap<Name, TypeDef>,
    directives: HashMap<Name, Inputs>,
}

impl SchemaIndex {
    /// Reads an SDL. Panics when it is not valid.
    pub fn from_sdl(sdl: &str) -> Self {
        let schema = parse_schema(sdl).expect("the SDL is valid");
        let mut known = Self::default();
        for definition in schema.definitions {
            match definition {
                TypeSystemDefinition::Type(each) => {
                    known.types.insert(each.node.name.node.clone(), type_def(each.node));
                }
                TypeSystemDefinition::Directive(each) => {
                    known.directives.insert(each.node.name.node, inputs(each.node.arguments));
                }
                TypeSystemDefinition::Schema(_) => {}
            }
        }
        known
    }

    /// The definition of the type of this name.
    pub fn get(&self, name: &str) -> Option<&TypeDef> {
        self.types.get(name)
    }

    /// A field of an object or interface.
    pub fn field(&self, parent: &str, field: &str) -> Option<&Field> {
        match self.types.get(parent)? {
            TypeDef::Composite { fields, .. } => fields.get(field),
            _ => None,
        }
    }

    /// Whether this is the name of an object type. A value has exactly one object type.
    pub fn is_object(&self, name: &str) -> bool {
        matches!(self.types.get(name), Some(TypeDef::Composite { is_object: true, .. }))
    }

    /// The arguments of a directive.
    pub fn directive(&self, name: &str) -> Option<&Inputs> {
        self.directives.get(name)
    }
}

fn type_def(definition: TypeDefinition) -> TypeDef {
    match definition.kind {
        TypeKind::Scalar | TypeKind::Union(_) => TypeDef::Scalar,
        TypeKind::Enum(kind) => {
            TypeDef::Enum(kind.values.into_iter().map(|value| value.node.value.node).collect())
        }
        TypeKind::Object(kind) => composite(true, kind.fields),
        TypeKind::Interface(kind) => composite(false, kind.fields),
        TypeKind::InputObject(kind) => TypeDef::Input(inputs(kind.fields)),
    }
}

fn composite(is_object: bool, fields: Vec<Positioned<FieldDefinition>>) -> TypeDef {
    let field = |field: Positioned<FieldDefinition>| {
        let FieldDefinition { name, ty, arguments, .. } = field.node;
        (name.node, Field { ty: ty.node, arguments: inputs(arguments) })
    };
    TypeDef::Composite { is_object, fields: fields.into_iter().map(field).collect() }
}

fn inputs(definitions: Vec<Positioned<InputValueDefinition>>) -> Inputs {
    let input = |definition: Positioned<InputValueDefinition>| {
        let InputValueDefinition { name, ty, default_value, .. } = definition.node;
        (name.node, Input { ty: ty.node, default: default_value.map(|default| default.node) })
    };
    definitions.into_iter().map(input).collect()
}

/// The named type inside the lists of a type: `Item` for `[Item!]!`.
pub fn named_type(ty: &Type) -> &Name {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(item) => named_type(item),
    }
}

/// Whether a type is a list.
pub fn is_list(ty: &Type) -> bool {
    matches!(ty.base, BaseType::List(_))
}
