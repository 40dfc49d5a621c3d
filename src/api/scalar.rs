//! The scalars: date and time, dates, and ids that are UUIDs.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, ID, InputType, InputValueError, InputValueResult, OutputType, Positioned, Scalar,
    ScalarType, ServerResult, Value,
};
use chrono::{DateTime as ChronoDateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use json_text::{Precision, write_instant, write_text, write_unescaped};
use uuid::Uuid;

use crate::domain::{self, BulkIds, Faults, Instant, Problem, Rule};
use crate::graphql::direct_json::write::WriteJson;

/// The scalar DateTime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub Instant);

/// A date and time in RFC 3339. Inputs may have any offset; outputs are in UTC with milliseconds, for example
/// 2026-11-21T09:30:00.000Z.
#[Scalar(name = "DateTime", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        Self::from_value(&value).ok_or_else(|| InputValueError::custom("not an RFC 3339 date and time"))
    }

    fn is_valid(value: &Value) -> bool {
        Self::from_value(value).is_some()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl WriteJson for DateTime {
    fn write(&self, json: &mut Vec<u8>) {
        write_instant(self.0, Precision::Milliseconds, json);
    }
}

impl DateTime {
    fn from_value(value: &Value) -> Option<Self> {
        let Value::String(text) = value else { return None };
        Self::from_text(text)
    }

    /// Parses RFC 3339 with any offset and truncates to milliseconds. Returns `None` also when the year in
    /// UTC is not in 1 to 9999, since RFC 3339 has four digits for it.
    pub fn from_text(text: &str) -> Option<Self> {
        let parsed = ChronoDateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
        let instant = ChronoDateTime::from_timestamp_millis(parsed.timestamp_millis())?;
        (1..=9999).contains(&instant.year()).then_some(Self(instant))
    }
}

/// An instant of a filter, in the schema a DateTime. Stored instants have whole milliseconds; `is_between`
/// tells whether this one lies between two of them, so that comparisons are exact.
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

/// Whether an RFC 3339 text has a nonzero digit beyond the milliseconds.
fn is_finer_than_milliseconds(text: &str) -> bool {
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
    fraction.bytes().take_while(u8::is_ascii_digit).skip(3).any(|digit| digit != b'0')
}

/// The scalar Date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

/// A calendar date without a time zone, for example 2026-11-21.
#[Scalar(name = "Date")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        Self::from_value(&value).ok_or_else(|| InputValueError::custom("not a date like 2026-11-21"))
    }

    fn is_valid(value: &Value) -> bool {
        Self::from_value(value).is_some()
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
    fn from_value(value: &Value) -> Option<Self> {
        let Value::String(text) = value else { return None };
        Self::from_text(text)
    }

    /// Parses a date of the years 1 to 9999 in the form YYYY-MM-DD.
    pub fn from_text(text: &str) -> Option<Self> {
        let date: NaiveDate = text.parse().ok()?;
        ((1..=9999).contains(&date.year()) && date.to_string() == text).then_some(Self(date))
    }
}

/// The id of an object, in the schema an ID.
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

/// The UUID of an id argument. Errors: Invalid.
pub fn parse_id(argument: &str, id: &ID) -> domain::Result<Uuid> {
    find_id(id).ok_or_else(|| {
        let mut faults = Faults::default();
        faults.push(argument, Problem::new(Rule::Invalid, "is not a UUID"));
        domain::Error::Invalid(faults.into_found())
    })
}

/// The UUID of an optional id argument. Errors: Invalid.
pub fn parse_optional_id(argument: &str, id: Option<&ID>) -> domain::Result<Option<Uuid>> {
    id.map(|id| parse_id(argument, id)).transpose()
}

/// The UUIDs of the argument `ids` of a bulk mutation. Errors: Invalid.
pub fn parse_bulk_ids(ids: &[ID]) -> domain::Result<BulkIds> {
    BulkIds::parse(&ids.iter().map(find_id).collect::<Vec<_>>())
}

/// The UUID of an id, if it has the form of 36 characters with hyphens.
pub fn find_id(id: &ID) -> Option<Uuid> {
    Uuid::try_parse(id).ok().filter(|_| id.len() == 36)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> Option<String> {
        match ScalarType::to_value(&DateTime::from_text(text)?) {
            Value::String(text) => Some(text),
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
            assert_eq!(formatted(sent).as_deref(), Some(expected), "{sent}");
            let mut written = Vec::new();
            DateTime::from_text(sent).write(&mut written);
            assert_eq!(written, format!("\"{expected}\"").into_bytes(), "{sent}");
        }
    }

    #[test]
    fn texts_that_are_not_instants_are_refused() {
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
            assert_eq!(formatted(text), None, "{text}");
        }
    }
}
