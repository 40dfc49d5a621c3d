//! Responses of the engine as JSON.

use async_graphql::{ServerError, Value};

use crate::graphql::JsonChunks;

/// Appends a response that has data.
pub fn add_response(chunks: &mut JsonChunks, errors: &[ServerError], data: Value) {
    let text = chunks.text();
    text.push(b'{');
    if !errors.is_empty() {
        text.extend_from_slice(b"\"errors\":");
        add_errors(text, errors);
        text.push(b',');
    }
    text.extend_from_slice(b"\"data\":");
    chunks.add(data);
    chunks.text().push(b'}');
}

/// Appends a list of errors.
pub fn add_errors(text: &mut Vec<u8>, errors: &[ServerError]) {
    serde_json::to_writer(text, errors).expect("errors are written into memory");
}
