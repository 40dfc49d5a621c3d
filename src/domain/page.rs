//! Pages of a list: size, direction and start.

use crate::domain::{CursorKey, Faults, OrderKey, Problem, Result, Rule};

/// The maximum size of a page.
pub const MAX_PAGE: i32 = 100;
/// The size of a page when none is given.
pub const DEFAULT_PAGE: i32 = 20;

/// The arguments of a connection, not validated.
#[derive(Clone, Debug, Default)]
pub struct PageArguments {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

/// A validated page: up to `size` tasks after or before `from`, or from one end of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRequest {
    pub size: usize,
    /// Whether the page is read towards the start of the list (`last` and `before`).
    pub backward: bool,
    pub from: Option<CursorKey>,
}

impl PageRequest {
    /// Validates the combination of the four arguments, and the cursors against the order.
    pub fn parse(arguments: &PageArguments, order: &[OrderKey]) -> Result<Self> {
        let PageArguments { first, after, last, before } = arguments;
        let mut faults = Faults::default();
        let mut refuse_pair = |given: bool, field, other| {
            if given {
                let message = format!("cannot be combined with {other}");
                faults.push(field, Problem::new(Rule::Conflicting, message));
            }
        };
        refuse_pair(first.is_some() && last.is_some(), "last", "first");
        refuse_pair(after.is_some() && before.is_some(), "before", "after");
        refuse_pair(after.is_some() && last.is_some(), "after", "last");
        refuse_pair(before.is_some() && first.is_some(), "before", "first");

        for (field, size) in [("first", first), ("last", last)] {
            if size.is_some_and(|size| !(1..=MAX_PAGE).contains(&size)) {
                faults.push(field, Problem::new(Rule::OutOfRange, "must be from 1 to 100"));
            }
        }
        let mut position = |field, cursor: &Option<String>| {
            let position = CursorKey::decode(cursor.as_deref()?, order);
            let none = || Problem::new(Rule::Invalid, "is not a cursor of this order");
            faults.check(field, position.ok_or_else(none))
        };
        let (after, before) = (position("after", after), position("before", before));

        let backward = last.is_some() || before.is_some();
        let size = first.or(*last).unwrap_or(DEFAULT_PAGE).unsigned_abs() as usize;
        faults.finish(Some(Self { size, backward, from: after.or(before) }))
    }
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// In the order of the list, for both scan directions.
    pub items: Vec<T>,
    pub has_next: bool,
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// Creates a page from up to `size + 1` items in the scan direction. The additional item shows that the
    /// list continues.
    pub fn from_scan(mut items: Vec<T>, request: &PageRequest) -> Self {
        let more = items.len() > request.size;
        items.truncate(request.size);
        let has_start = request.from.is_some();
        let (has_next, has_previous) = if request.backward { (has_start, more) } else { (more, has_start) };
        if request.backward {
            items.reverse();
        }
        Self { items, has_next, has_previous }
    }

    /// Converts the items of the page.
    pub fn map<U>(self, of: impl FnMut(T) -> U) -> Page<U> {
        let Self { items, has_next, has_previous } = self;
        Page { items: items.into_iter().map(of).collect(), has_next, has_previous }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Error, KeyValue};

    fn faulty_fields(arguments: &PageArguments) -> Vec<String> {
        match PageRequest::parse(arguments, &[OrderKey::NEWEST_FIRST]) {
            Err(Error::Invalid(faults)) => {
                faults.iter().map(|fault| format!("{:?}", fault.path[0])).collect()
            }
            other => panic!("{other:?} is not a list of faults"),
        }
    }

    #[test]
    fn a_page_size_out_of_bounds_is_a_fault_of_its_field() {
        for size in [0, -1, i32::MIN, 101, i32::MAX] {
            let first = PageArguments { first: Some(size), ..Default::default() };
            let last = PageArguments { last: Some(size), ..Default::default() };
            assert_eq!(faulty_fields(&first), [r#"Field("first")"#]);
            assert_eq!(faulty_fields(&last), [r#"Field("last")"#]);
        }
    }

    #[test]
    fn an_invalid_cursor_is_a_fault_of_its_field() {
        let position = |keys| CursorKey { order: "cdl".into(), keys, id: Uuid::nil() };
        let good = position(vec![KeyValue::Number(0)]).encode();
        for cursor in [
            "",
            "x",
            "AAAA",
            "e30",
            &good[1..],
            &format!("{good}A"),
            &format!("{good}AAAA"),
            &position(Vec::new()).encode(),
            &position(vec![KeyValue::Null]).encode(),
            &position(vec![KeyValue::Text("x".into())]).encode(),
            &position(vec![KeyValue::Number(i64::MAX)]).encode(),
            &position(vec![KeyValue::Number(0); 2]).encode(),
            &"A".repeat(1 << 20),
        ] {
            let after = PageArguments { after: Some(cursor.to_owned()), ..Default::default() };
            assert_eq!(faulty_fields(&after), [r#"Field("after")"#], "{cursor}");
        }
        let after = PageArguments { after: Some(good), ..Default::default() };
        assert!(PageRequest::parse(&after, &[OrderKey::NEWEST_FIRST]).is_ok(), "it is a cursor");
    }
}
