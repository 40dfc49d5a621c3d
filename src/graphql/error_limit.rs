//! Limits the length of errors. A client can send a name of a megabyte, and its error would quote the name.

use async_graphql::{ServerError, Value};

/// The most characters of a message: enough for a sentence about each of a hundred faults.
const MAX_MESSAGE: usize = 12_000;
/// The most characters of a name in the path of a fault.
const MAX_NAME: usize = 100;
/// The most faults of an input in one error.
const MAX_FAULTS: usize = 100;

/// Cuts the texts of an error that are too long. Its path is not cut, since it names fields of the response.
pub fn shorten(error: &mut ServerError) {
    cut(&mut error.message, MAX_MESSAGE);
    let Some(extensions) = &mut error.extensions else { return };
    let Some(Value::List(faults)) = extensions.get("fields") else { return };
    let is_long = faults.len() > MAX_FAULTS || faults.iter().any(has_long_text);
    if is_long {
        let faults = faults.iter().take(MAX_FAULTS).cloned().map(|mut fault| {
            cut_texts(&mut fault);
            fault
        });
        let faults = Value::List(faults.collect());
        extensions.set("fields", faults);
    }
}

fn has_long_text(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() > MAX_NAME,
        Value::List(items) => items.iter().any(has_long_text),
        Value::Object(fields) => fields.values().any(has_long_text),
        _ => false,
    }
}

fn cut_texts(value: &mut Value) {
    match value {
        Value::String(text) => cut(text, MAX_NAME),
        Value::List(items) => items.iter_mut().for_each(cut_texts),
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    // It is one of our sentences, which may quote a name.
                    Value::String(message) if key == "message" => cut(message, MAX_MESSAGE),
                    value => cut_texts(value),
                }
            }
        }
        _ => {}
    }
}

fn cut(text: &mut String, characters: usize) {
    if let Some((end, _)) = text.char_indices().nth(characters) {
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::{FieldFault, Problem, Rule};
    use crate::graphql::error::input_error;

    use super::*;

    #[test]
    fn a_long_name_and_many_faults_are_cut() {
        let fault = |name: String| FieldFault {
            path: vec!["input".into(), name.as_str().into()],
            problem: Problem::new(Rule::Invalid, "is not a field of this input"),
        };
        let mut error = input_error((0..1000).map(|_| fault("ä".repeat(1_000_000))).take(2).collect());
        shorten(&mut error);
        let length = serde_json::to_string(&error).expect("it can be written").len();
        assert!(length < 3 * MAX_MESSAGE, "{length}");
        let mut error = input_error((0..1000).map(|n| fault(n.to_string())).collect());
        shorten(&mut error);
        let fields = error.extensions.as_ref().and_then(|extensions| extensions.get("fields"));
        let Some(Value::List(fields)) = fields else { panic!("it has fields") };
        assert_eq!(fields.len(), MAX_FAULTS);
    }
}
