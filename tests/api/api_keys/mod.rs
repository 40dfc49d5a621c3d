//! API keys: their tokens, their lifetimes, how they are listed and used, and what ends them.

mod creation;
mod ends;
mod uses;

use crate::support::{Actor, GraphqlResponse, PASSWORD, Value, json};

const ME: &str = "{ me { id } }";
const CREATE: &str = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    token apiKey { id name scopes start current createdAt expiresAt lastUsedAt lastUsedIpAddress } } }";
const LIST: &str = "{ me { apiKeys {
    id name scopes start current createdAt expiresAt lastUsedAt lastUsedIpAddress } } }";
const REVOKE: &str = "mutation($id: ID!) { revokeApiKey(id: $id) { revokedApiKeyId } }";

/// Creates a key with these fields of the input in addition to the defaults of the tests.
async fn create(actor: &Actor<'_>, fields: Value) -> GraphqlResponse {
    let mut input = json!({ "name": "a key", "scopes": ["ACCOUNT"], "currentPassword": PASSWORD });
    for (name, value) in fields.as_object().expect("an object") {
        input[name] = value.clone();
    }
    actor.execute(CREATE, json!({ "input": input })).await
}

/// The payload of a key that is created.
async fn created(actor: &Actor<'_>, fields: Value) -> Value {
    let response = create(actor, fields).await;
    assert!(response.body.get("errors").is_none(), "{:#}", response.body);
    response.body["data"]["createApiKey"].clone()
}

/// The API keys that a user sees.
async fn listed(actor: &Actor<'_>) -> Vec<Value> {
    actor.data(LIST, json!({})).await["me"]["apiKeys"].as_array().expect("a list").clone()
}

/// Whether a credential works. If it does not, the response is that of an invalid token.
async fn works(actor: &Actor<'_>) -> bool {
    let response = actor.execute(ME, json!({})).await;
    if response.status == 200 {
        return true;
    }
    assert_refused(&response, "Invalid token");
    false
}

/// Asserts that a credential is refused with this message.
fn assert_refused(response: &GraphqlResponse, message: &str) {
    assert_eq!((response.status.as_u16(), response.code().as_str()), (401, "UNAUTHENTICATED"));
    assert_eq!(response.error()["message"], message);
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{message}\"");
    assert_eq!(response.header("www-authenticate"), challenge);
}
