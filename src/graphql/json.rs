//! Answers as JSON. Some of their parts have been written already; the library would not put them in place.

use async_graphql::Value;

/// A value that is not an object, as it is written.
pub trait Leaf {
    fn write(&self, json: &mut Vec<u8>);
}

impl Leaf for bool {
    fn write(&self, json: &mut Vec<u8>) {
        json.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl Leaf for i32 {
    fn write(&self, json: &mut Vec<u8>) {
        serde_json::to_writer(json, self).expect("a number is written into memory");
    }
}

impl Leaf for str {
    fn write(&self, json: &mut Vec<u8>) {
        write_text(self, json);
    }
}

impl Leaf for String {
    fn write(&self, json: &mut Vec<u8>) {
        write_text(self, json);
    }
}

impl<T: Leaf> Leaf for Option<T> {
    fn write(&self, json: &mut Vec<u8>) {
        match self {
            Some(value) => value.write(json),
            None => json.extend_from_slice(b"null"),
        }
    }
}

impl<T: Leaf> Leaf for [T] {
    fn write(&self, json: &mut Vec<u8>) {
        let all = write_items(b'[', self, b']', json, |item, json| {
            item.write(json);
            Some(())
        });
        all.expect("each is written");
    }
}

/// Writes a text as JSON has it.
pub fn write_text(text: &str, json: &mut Vec<u8>) {
    // Hardly a text has anything to escape, and that is seen sixteen bytes at a time.
    let has_escapes = |text: &str| {
        text.bytes().fold(false, |found, byte| found | (byte < b' ') | (byte == b'"') | (byte == b'\\'))
    };
    if has_escapes(text) {
        serde_json::to_writer(json, text).expect("a text is written into memory");
    } else {
        write_unescaped(text.as_bytes(), json);
    }
}

/// Writes a text that has nothing to escape.
pub fn write_unescaped(text: &[u8], json: &mut Vec<u8>) {
    json.push(b'"');
    json.extend_from_slice(text);
    json.push(b'"');
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

/// How many bytes of a value have been written before.
pub fn written(value: &Value) -> usize {
    match value {
        Value::Binary(json) => json.len(),
        Value::Object(fields) => fields.values().map(written).sum(),
        Value::List(items) => items.iter().map(written).sum(),
        _ => 0,
    }
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
