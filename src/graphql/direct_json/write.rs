//! Values as JSON, and responses of which some parts have been written as JSON before.

use async_graphql::{ContextSelectionSet, Value};
use bytes::Bytes;
use json_text::write_text;

/// A value that is not an object and has a JSON form.
pub trait WriteJson {
    /// Appends the value's JSON form.
    fn write(&self, json: &mut Vec<u8>);

    /// As [`Self::write`], and charges a long text to the response. None when the response has become too
    /// large.
    fn write_counted(&self, json: &mut Vec<u8>, _: &ContextSelectionSet<'_>) -> Option<()> {
        self.write(json);
        Some(())
    }
}

impl WriteJson for bool {
    fn write(&self, json: &mut Vec<u8>) {
        json.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl WriteJson for i32 {
    fn write(&self, json: &mut Vec<u8>) {
        serde_json::to_writer(json, self).expect("a number is written into memory");
    }
}

impl WriteJson for str {
    fn write(&self, json: &mut Vec<u8>) {
        write_text(self, json);
    }
}

impl WriteJson for String {
    fn write(&self, json: &mut Vec<u8>) {
        write_text(self, json);
    }
}

impl<T: WriteJson> WriteJson for Option<T> {
    fn write(&self, json: &mut Vec<u8>) {
        match self {
            Some(value) => value.write(json),
            None => json.extend_from_slice(b"null"),
        }
    }

    fn write_counted(&self, json: &mut Vec<u8>, ctx: &ContextSelectionSet<'_>) -> Option<()> {
        match self {
            Some(value) => value.write_counted(json, ctx),
            None => {
                self.write(json);
                Some(())
            }
        }
    }
}

impl<T: WriteJson> WriteJson for Vec<T> {
    fn write(&self, json: &mut Vec<u8>) {
        let all = write_items(b'[', self, b']', json, |item, json| {
            item.write(json);
            Some(())
        });
        all.expect("each is written");
    }
}

/// Writes items between two brackets, separated by commas. None as soon as an item cannot be written.
pub fn write_items<T>(
    open: u8,
    items: impl IntoIterator<Item = T>,
    close: u8,
    json: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    json.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        write(item, json)?;
    }
    json.push(close);
    Some(())
}

/// A JSON text in chunks. Long parts that were written before become chunks themselves, since copying them
/// would take as much memory again.
#[derive(Default)]
pub struct JsonChunks {
    done: Vec<Bytes>,
    last: Vec<u8>,
}

/// Shorter parts are copied, since a chunk costs more than the copy.
const MIN_CHUNK_BYTES: usize = 8 << 10;

impl JsonChunks {
    /// Begins with a text.
    pub fn new(text: Vec<u8>) -> Self {
        Self { done: Vec::new(), last: text }
    }

    /// The buffer that the text is appended to.
    pub fn text(&mut self) -> &mut Vec<u8> {
        &mut self.last
    }

    /// Appends a value as JSON. Parts that were written before are binary values in it.
    pub fn add(&mut self, value: Value) {
        match value {
            Value::Binary(written) if written.len() < MIN_CHUNK_BYTES => {
                self.last.extend_from_slice(&written);
            }
            Value::Binary(written) => {
                self.done.push(std::mem::take(&mut self.last).into());
                self.done.push(written);
            }
            Value::Object(fields) => {
                self.last.push(b'{');
                for (index, (key, value)) in fields.into_iter().enumerate() {
                    self.separate(index);
                    write_text(&key, &mut self.last);
                    self.last.push(b':');
                    self.add(value);
                }
                self.last.push(b'}');
            }
            Value::List(items) => {
                self.last.push(b'[');
                for (index, item) in items.into_iter().enumerate() {
                    self.separate(index);
                    self.add(item);
                }
                self.last.push(b']');
            }
            Value::String(text) => write_text(&text, &mut self.last),
            plain => serde_json::to_writer(&mut self.last, &plain).expect("a value is written into memory"),
        }
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.last.push(b',');
        }
    }

    /// All chunks, in order.
    pub fn finish(mut self) -> Vec<Bytes> {
        self.done.push(self.last.into());
        self.done.retain(|piece| !piece.is_empty());
        self.done
    }
}
