//! The scalars: instants, and ids that are UUIDs.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, ID, InputType, InputValueError, InputValueResult, OutputType, Positioned, Scalar,
    ScalarType, ServerResult, Value,
};
use chrono::{DateTime as ChronoDateTime, Datelike, NaiveDate, SecondsFormat, Timelike, Utc};
use uuid::Uuid;

use crate::domain::{self, BulkIds, Faults, Instant, Problem, Rule};
use crate::graphql::direct_json::write::{WriteJson, write_text, write_unescaped};

/// An instant, as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub Instant);

/// An instant: RFC 3339, always UTC on output, millisecond precision: 2026-11-21T09:30:00.000Z.
#[Scalar(name = "DateTime", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        Self::of(&value).ok_or_else(|| InputValueError::custom("not an RFC 3339 date and time"))
    }

    fn is_valid(value: &Value) -> bool {
        Self::of(value).is_some()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl WriteJson for DateTime {
    /// Digit by digit, since the general way takes ten times as long.
    fn write(&self, json: &mut Vec<u8>) {
        let at = self.0.naive_utc();
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let parts = [
            (0..4, at.year().unsigned_abs()),
            (5..7, at.month()),
            (8..10, at.day()),
            (11..13, at.hour()),
            (14..16, at.minute()),
            (17..19, at.second()),
            (20..23, self.0.timestamp_subsec_millis()),
        ];
        for (place, mut number) in parts {
            for digit in text[place].iter_mut().rev() {
                *digit += (number % 10) as u8;
                number /= 10;
            }
        }
        write_unescaped(&text, json);
    }
}

impl DateTime {
    fn of(value: &Value) -> Option<Self> {
        let Value::String(text) = value else { return None };
        Self::from_text(text)
    }

    /// Reads RFC 3339 with any offset. What is finer than a millisecond is cut; a year that takes more
    /// than four digits in UTC could not be written again and is refused.
    pub fn from_text(text: &str) -> Option<Self> {
        let parsed = ChronoDateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
        let instant = ChronoDateTime::from_timestamp_millis(parsed.timestamp_millis())?;
        (1..=9999).contains(&instant.year()).then_some(Self(instant))
    }
}

/// An instant that stored ones are compared with; on the wire it is a DateTime. Nothing of it is cut: what
/// lies between two milliseconds is neither of them.
pub struct Bound(pub domain::Bound);

impl InputType for Bound {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        <DateTime as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <DateTime as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let value = value.unwrap_or_default();
        let is_between = matches!(&value, Value::String(text) if is_finer_than_milliseconds(text));
        let parsed = <DateTime as InputType>::parse(Some(value)).map_err(InputValueError::propagate)?;
        Ok(Self(domain::Bound { at: parsed.0, is_between }))
    }

    fn to_value(&self) -> Value {
        InputType::to_value(&DateTime(self.0.at))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

/// Whether a text in RFC 3339 lies between two milliseconds.
fn is_finer_than_milliseconds(text: &str) -> bool {
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
    fraction.bytes().take_while(u8::is_ascii_digit).skip(3).any(|digit| digit != b'0')
}

/// A calendar day, as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

/// A calendar day without a time zone: 2026-11-21.
#[Scalar(name = "Date")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        Self::of(&value).ok_or_else(|| InputValueError::custom("not a date like 2026-11-21"))
    }

    fn is_valid(value: &Value) -> bool {
        Self::of(value).is_some()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl WriteJson for Date {
    fn write(&self, json: &mut Vec<u8>) {
        write_text(&self.0.to_string(), json);
    }
}

impl Date {
    fn of(value: &Value) -> Option<Self> {
        let Value::String(text) = value else { return None };
        Self::from_text(text)
    }

    /// Reads a day of the years 1 to 9999 in its one form, which is written again the same.
    pub fn from_text(text: &str) -> Option<Self> {
        let date: NaiveDate = text.parse().ok()?;
        ((1..=9999).contains(&date.year()) && date.to_string() == text).then_some(Self(date))
    }
}

/// The id of something that there is. On the wire it is an ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(pub Uuid);

impl From<Uuid> for Id {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl OutputType for Id {
    fn type_name() -> Cow<'static, str> {
        <ID as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ID as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::String(self.0.to_string()))
    }
}

impl WriteJson for Id {
    fn write(&self, json: &mut Vec<u8>) {
        write_unescaped(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes(), json);
    }
}

/// The UUID in an id argument.
pub fn parse_id(argument: &str, id: &ID) -> domain::Result<Uuid> {
    find_id(id).ok_or_else(|| {
        let mut faults = Faults::default();
        faults.push(argument, Problem::new(Rule::Invalid, "is not a UUID"));
        domain::Error::Invalid(faults.into_found())
    })
}

/// The UUID in an id argument that may be left out.
pub fn parse_optional_id(argument: &str, id: Option<&ID>) -> domain::Result<Option<Uuid>> {
    id.map(|id| parse_id(argument, id)).transpose()
}

/// The UUIDs in the argument `ids` of a call about several things.
pub fn parse_bulk_ids(ids: &[ID]) -> domain::Result<BulkIds> {
    BulkIds::parse(&ids.iter().map(find_id).collect::<Vec<_>>())
}

/// The UUID in an id, if it is one: 36 characters with hyphens.
pub fn find_id(id: &ID) -> Option<Uuid> {
    Uuid::try_parse(id).ok().filter(|_| id.len() == 36)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        match ScalarType::to_value(&DateTime::from_text(text)?) {
            Value::String(shown) => Some(shown),
            _ => None,
        }
    }

    #[test]
    fn instants_come_back_in_utc_with_milliseconds() {
        for (sent, expected) in [
            ("2026-11-21T09:30:00Z", "2026-11-21T09:30:00.000Z"),
            ("2026-11-21t10:30:00.1239+01:00", "2026-11-21T09:30:00.123Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.9999Z", "9999-12-31T23:59:59.999Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
            ("1969-12-31T23:59:59.9996Z", "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(shown(sent).as_deref(), Some(expected), "{sent}");
            let mut written = Vec::new();
            DateTime::from_text(sent).write(&mut written);
            assert_eq!(written, format!("\"{expected}\"").into_bytes(), "{sent}");
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "2026-11-21",
            "2026-11-21T09:30:00",
            "2026-02-30T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-01:00",
            "+12026-11-21T09:30:00Z",
            "1763717400",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
