//! Cursors: the position of a task in an order. A cursor contains the order keys of the task, so that the
//! cost of a page does not depend on its position in the list (keyset pagination).

use std::sync::Arc;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{Instant, OrderField, OrderKey, Task, Title};

/// The value of an order key of one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyValue {
    Null,
    /// Milliseconds since 1970, or the index of an enum value.
    Number(i64),
    Text(String),
}

/// Most cursors are not longer.
const TYPICAL_CURSOR_BYTES: usize = 64;
/// No valid cursor is longer: at most three keys are titles.
const MAX_CURSOR_BYTES: usize = 1 << 14;

/// The order keys and the id of a task, which identify its position in an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CursorKey {
    /// Identifies the order, so that a cursor of another order is rejected.
    pub(super) order: Arc<str>,
    pub keys: Vec<KeyValue>,
    pub id: Uuid,
}

impl CursorKey {
    /// Returns a function from tasks to their cursors in an order.
    pub fn in_order(order: &[OrderKey]) -> impl Fn(&Task) -> Self {
        let name: Arc<str> = signature(order).into();
        move |task| {
            let keys = order.iter().map(|key| key.field.value(task)).collect();
            Self { order: name.clone(), keys, id: task.id }
        }
    }

    /// The cursor of an object that is not a task, in an order whose only key has this value.
    pub fn of_time(order: OrderKey, at: Instant, id: Uuid) -> Self {
        let keys = vec![KeyValue::Number(at.timestamp_millis())];
        Self { order: signature(&[order]).into(), keys, id }
    }

    /// The opaque text that clients send back. It consists of letters, digits, `-` and `_`.
    pub fn encode(&self) -> String {
        let mut text = Vec::new();
        self.append_to(&mut text);
        String::from_utf8(text).expect("base64 is text")
    }

    /// Appends the text that [`Self::encode`] returns. A short cursor needs no memory of its own.
    pub fn append_to(&self, text: &mut Vec<u8>) {
        let mut short = [0; TYPICAL_CURSOR_BYTES];
        let long;
        let bytes: &[u8] = match postcard::to_slice(self, &mut short) {
            Ok(bytes) => bytes,
            Err(_) => {
                long = postcard::to_allocvec(self).expect("writing to memory does not fail");
                &long
            }
        };
        let start = text.len();
        text.resize(start + bytes.len().div_ceil(3) * 4, 0);
        let written = BASE64_URL_SAFE_NO_PAD.encode_slice(bytes, &mut text[start..]);
        text.truncate(start + written.expect("four characters for each three bytes are enough"));
    }

    pub(super) fn decode(cursor: &str, order: &[OrderKey]) -> Option<Self> {
        if cursor.len() > MAX_CURSOR_BYTES {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (position, rest): (Self, _) = postcard::take_from_bytes(&bytes).ok()?;
        let fits = rest.is_empty()
            && *position.order == signature(order)
            && position.keys.len() == order.len()
            && order.iter().zip(&position.keys).all(|(key, value)| key.field.accepts(value));
        fits.then_some(position)
    }
}

/// Three letters for each key: field, direction, position of nulls.
fn signature(order: &[OrderKey]) -> String {
    order
        .iter()
        .flat_map(|key| {
            let field = match key.field {
                OrderField::CreatedAt => 'c',
                OrderField::UpdatedAt => 'u',
                OrderField::DueAt => 'd',
                OrderField::CompletedAt => 'f',
                OrderField::Priority => 'p',
                OrderField::Status => 's',
                OrderField::Title => 't',
                OrderField::DeletedAt => 'x',
                OrderField::List => 'l',
                OrderField::ListPosition => 'n',
            };
            [field, if key.descending { 'd' } else { 'a' }, if key.nulls_first { 'f' } else { 'l' }]
        })
        .collect()
}

impl OrderField {
    /// The value of this field in a task.
    pub fn value(self, task: &Task) -> KeyValue {
        let instant = |at: chrono::DateTime<chrono::Utc>| KeyValue::Number(at.timestamp_millis());
        match self {
            Self::CreatedAt => instant(task.created_at),
            Self::UpdatedAt => instant(task.updated_at),
            Self::DueAt => task.due_at.map_or(KeyValue::Null, instant),
            Self::CompletedAt => task.completed_at.map_or(KeyValue::Null, instant),
            Self::DeletedAt => task.deleted_at.map_or(KeyValue::Null, instant),
            Self::Priority => KeyValue::Number(task.priority as i64),
            Self::Status => KeyValue::Number(task.status as i64),
            Self::Title => KeyValue::Text(Title::key(&task.title)),
            Self::List => {
                task.entry.as_ref().map_or(KeyValue::Null, |entry| KeyValue::Text(entry.list_id.to_string()))
            }
            Self::ListPosition => KeyValue::Number(task.entry.as_ref().map_or(0, |entry| entry.position)),
        }
    }

    /// Whether the field can be null.
    pub fn nullable(self) -> bool {
        matches!(self, Self::DueAt | Self::CompletedAt | Self::List)
    }

    /// Whether a cursor may contain `value` for this field. Cursors come from clients.
    fn accepts(self, value: &KeyValue) -> bool {
        match (self, value) {
            (_, KeyValue::Null) => self.nullable(),
            (Self::Title, KeyValue::Text(text)) => !text.contains('\0'),
            (Self::List, KeyValue::Text(id)) => id.parse::<Uuid>().is_ok(),
            (Self::List, KeyValue::Number(_)) => false,
            (Self::ListPosition, KeyValue::Number(_)) => true,
            (Self::Priority | Self::Status, KeyValue::Number(rank)) => (0..4).contains(rank),
            (Self::Title, _) | (_, KeyValue::Text(_)) => false,
            (_, KeyValue::Number(ms)) => chrono::DateTime::from_timestamp_millis(*ms)
                .is_some_and(|at| (0..=9999).contains(&chrono::Datelike::year(&at))),
        }
    }
}
