//! schema.graphql: equal to the schema of the program, with a description of every element.

use std::path::Path;

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{InputValueDefinition, TypeKind, TypeSystemDefinition};

fn committed() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    std::fs::read_to_string(file).expect("schema.graphql exists")
}

#[test]
fn schema_graphql_equals_the_schema_of_the_program() {
    assert!(
        committed() == taskhold::api::sdl(),
        "schema.graphql is stale: run `cargo run -- schema > schema.graphql`"
    );
}

#[test]
fn every_type_field_argument_and_value_has_a_description() {
    let schema = parse_schema(committed()).expect("schema.graphql is valid");
    let mut bare = Vec::new();
    for definition in schema.definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        let name = ty.node.name.node.to_string();
        let mut expect = |what: String, described: bool| {
            if !described {
                bare.push(what);
            }
        };
        expect(name.clone(), ty.node.description.is_some());
        let input = |field: &Positioned<InputValueDefinition>| {
            (field.node.name.node.to_string(), field.node.description.is_some())
        };
        let members: Vec<(String, bool)> = match ty.node.kind {
            TypeKind::Object(async_graphql::parser::types::ObjectType { fields, .. })
            | TypeKind::Interface(async_graphql::parser::types::InterfaceType { fields, .. }) => fields
                .iter()
                .flat_map(|field| {
                    let own = (field.node.name.node.to_string(), field.node.description.is_some());
                    let arguments = field.node.arguments.iter().map(input);
                    let within =
                        |(argument, described)| (format!("{}.{argument}", field.node.name.node), described);
                    std::iter::once(own).chain(arguments.map(within)).collect::<Vec<_>>()
                })
                .collect(),
            TypeKind::InputObject(input_object) => input_object.fields.iter().map(input).collect(),
            TypeKind::Enum(values) => values
                .values
                .iter()
                .map(|value| (value.node.value.node.to_string(), value.node.description.is_some()))
                .collect(),
            TypeKind::Scalar | TypeKind::Union(_) => Vec::new(),
        };
        for (member, described) in members {
            expect(format!("{name}.{member}"), described);
        }
    }
    assert!(bare.is_empty(), "without a description: {bare:#?}");
}
