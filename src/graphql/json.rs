//! Answers as JSON. Some of their parts have been written already; the library would not put them in place.

use async_graphql::Value;

/// Writes a text as JSON has it.
pub fn write_text(text: &str, json: &mut Vec<u8>) {
    // Hardly a text has anything to escape, and that is seen sixteen bytes at a time.
    let has_escapes = |text: &str| {
        text.bytes().fold(false, |found, byte| found | (byte < b' ') | (byte == b'"') | (byte == b'\\'))
    };
    if has_escapes(text) {
        serde_json::to_writer(json, text).expect("a text is written into memory");
    } else {
        json.push(b'"');
        json.extend_from_slice(text.as_bytes());
        json.push(b'"');
    }
}

/// Writes things between brackets, with commas.
pub fn write_items<T>(
    open: u8,
    items: impl IntoIterator<Item = T>,
    close: u8,
    json: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    json.push(open);
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            json.push(b',');
        }
        write(item, json)?;
    }
    json.push(close);
    Some(())
}

/// Writes a value as JSON; what was written before stands in it as bytes.
pub fn write_value(value: &Value, json: &mut Vec<u8>) {
    let written = match value {
        Value::Binary(written) => {
            json.extend_from_slice(written);
            Some(())
        }
        Value::Object(fields) => write_items(b'{', fields, b'}', json, |(key, value), json| {
            write_text(key, json);
            json.push(b':');
            write_value(value, json);
            Some(())
        }),
        Value::List(items) => write_items(b'[', items, b']', json, |item, json| {
            write_value(item, json);
            Some(())
        }),
        Value::String(text) => {
            write_text(text, json);
            Some(())
        }
        plain => serde_json::to_writer(json, plain).ok(),
    };
    written.expect("a value is written into memory");
}
