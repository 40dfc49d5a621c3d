//! Checks that several inputs share. Each takes a field as a pair of name and value, made by `field!`.

use async_graphql::MaybeUndefined;

use crate::domain::{Faults, Problem, Result, at_most};

/// The parsed value of a required field; `None` when it has a fault.
pub fn required<T>(
    faults: &mut Faults,
    (name, raw): (&str, String),
    parse: impl Fn(&str) -> Result<T, Problem>,
) -> Option<T> {
    faults.check(name, parse(&raw))
}

/// The text of an optional field, of at most `max` characters.
pub fn optional_text(
    faults: &mut Faults,
    (name, text): (&str, Option<String>),
    max: usize,
) -> Option<String> {
    text.and_then(|raw| faults.check(name, at_most(&raw, max)))
}

/// The parsed items of an optional list. Faults of an item get its index as their path.
pub fn list<T, P>(
    faults: &mut Faults,
    (name, items): (&str, Option<Vec<T>>),
    parse: impl Fn(&mut Faults, T) -> Option<P>,
) -> Vec<P> {
    faults.within(name, |faults| {
        let item = |(index, item)| faults.within(index, |faults| parse(faults, item));
        items.unwrap_or_default().into_iter().enumerate().filter_map(item).collect()
    })
}

/// The value of an optional field that must not be null.
pub fn non_null<T>(faults: &mut Faults, (name, value): (&str, MaybeUndefined<T>)) -> Option<T> {
    match value {
        MaybeUndefined::Value(value) => Some(value),
        MaybeUndefined::Null => {
            faults.push(name, Problem::null());
            None
        }
        MaybeUndefined::Undefined => None,
    }
}

/// The text of an optional field that null clears, of at most `max` characters.
pub fn nullable_text(
    faults: &mut Faults,
    (name, text): (&str, MaybeUndefined<String>),
    max: usize,
) -> Option<Option<String>> {
    match text {
        MaybeUndefined::Value(raw) => faults.check(name, at_most(&raw, max)).map(Some),
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Undefined => None,
    }
}

/// The parsed text of an optional field that must not be null.
pub fn non_null_text<T>(
    faults: &mut Faults,
    (name, text): (&str, MaybeUndefined<String>),
    parse: impl Fn(&str) -> Result<T, Problem>,
) -> Option<T> {
    let raw = non_null(faults, (name, text))?;
    required(faults, (name, raw), parse)
}
