//! `node` and `nodes` with an API key: an object that its scopes do not cover is null.

use super::{SCOPE_SETS, covers};
use crate::api::ownership::create_objects;
use crate::support::{Value, json, on_both_databases};

/// The objects of the owner, each with the scope that reads it; none for those that every key reads.
const OBJECTS: [(&str, Option<&str>); 9] = [
    ("user", None),
    ("id", Some("TASKS_READ")),
    ("item", Some("TASKS_READ")),
    ("risk", Some("TASKS_READ")),
    ("file", Some("TASKS_READ")),
    ("list", Some("TASKS_READ")),
    ("claim", Some("TASKS_READ")),
    ("session", Some("ACCOUNT")),
    ("key", Some("ACCOUNT")),
];

on_both_databases! {
    #[flags("--limit-credentials-per-minute", "0")]
    async fn an_object_that_the_scopes_do_not_cover_is_null(app) {
        let owner = app.user("owner").await;
        let mut ids = create_objects(&owner).await;
        ids["user"] = json!(owner.id);
        for scopes in SCOPE_SETS {
            let (key, own) = owner.api_key(scopes).await;
            let expected = |(name, scope): (&str, Option<&str>)| match scope {
                Some(scope) if !covers(scopes, scope) => Value::Null,
                _ => json!({ "id": ids[name] }),
            };
            let mut expected: Vec<Value> = OBJECTS.map(expected).into();
            expected.push(json!({ "id": own }));
            let all: Vec<Value> = OBJECTS.iter().map(|(name, _)| ids[name].clone()).chain([json!(own)]).collect();
            let nodes = key.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": all })).await;
            assert_eq!(nodes["nodes"], json!(expected), "{scopes:?}");
            for (id, expected) in all.iter().zip(&expected) {
                let node = key.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
                assert_eq!(node["node"], *expected, "{scopes:?}");
            }
        }
    }
}
