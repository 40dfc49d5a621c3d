//! Checks that the inputs of several mutations need. A field is given with its name, by `field!`.

use async_graphql::MaybeUndefined;

use crate::domain::{Faults, Problem, Result, at_most};

/// The value of a field, if it has no fault.
pub fn required<T>(
    faults: &mut Faults,
    (name, raw): (&str, String),
    parse: impl Fn(&str) -> Result<T, Problem>,
) -> Option<T> {
    faults.check(name, parse(&raw))
}

/// The text of a field that can be left out, of at most `max` characters.
pub fn optional_text(
    faults: &mut Faults,
    (name, text): (&str, Option<String>),
    max: usize,
) -> Option<String> {
    text.and_then(|raw| faults.check(name, at_most(&raw, max)))
}

/// The items of a list that can be left out. Each item adds its own faults.
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

/// The value of a field that can be left out and cannot be null.
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

/// The text of a field that can be left out or cleared with null, of at most `max` characters.
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

/// The parsed text of a field that can be left out and cannot be null.
pub fn non_null_text<T>(
    faults: &mut Faults,
    (name, text): (&str, MaybeUndefined<String>),
    parse: impl Fn(&str) -> Result<T, Problem>,
) -> Option<T> {
    let raw = non_null(faults, (name, text))?;
    required(faults, (name, raw), parse)
}
