//! Changes of tasks, and the cursors that mark a position in the order of one owner's changes.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use uuid::Uuid;

use crate::domain::{DEFAULT_PAGE, Faults, MAX_PAGE, Problem, Result, Rule, Task};

/// The first byte of a cursor of changes. A cursor of a list begins with the length of its order, which is
/// smaller.
const FORMAT: u8 = 0xC1;
/// The format, the owner, the position and the base.
const CURSOR_BYTES: usize = 1 + 16 + 8 + 8;

/// A position in the order of one owner's changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeCursor {
    pub owner: Uuid,
    /// The position of the last change that the client knows; -1 before the first.
    pub position: i64,
    /// The counter of the owner when the client began to read from the first task. The client cannot miss what
    /// was deleted before that.
    pub base: i64,
}

impl ChangeCursor {
    /// The opaque text that clients send back. It consists of letters, digits, `-` and `_`.
    pub fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(CURSOR_BYTES);
        bytes.push(FORMAT);
        bytes.extend_from_slice(self.owner.as_bytes());
        bytes.extend_from_slice(&self.position.to_be_bytes());
        bytes.extend_from_slice(&self.base.to_be_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor of `owner` with this text; None for every other text.
    fn decode(text: &str, owner: Uuid) -> Option<Self> {
        let mut bytes = [0; CURSOR_BYTES];
        let length = BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        let (of, numbers) = bytes.strip_prefix(&[FORMAT])?.split_first_chunk()?;
        let (position, base) = numbers.split_first_chunk()?;
        let cursor = Self {
            owner: Uuid::from_bytes(*of),
            position: i64::from_be_bytes(*position),
            base: i64::from_be_bytes(base.try_into().ok()?),
        };
        let is_possible = cursor.position >= -1 && cursor.base >= 0;
        (length == CURSOR_BYTES && cursor.owner == owner && is_possible).then_some(cursor)
    }

    /// Whether everything that was deleted after this cursor is still known. `valid_from` is the position of
    /// the last task that left the trash for good, or that of the last resync.
    pub fn is_valid(&self, head: i64, valid_from: i64) -> bool {
        self.position <= head && self.base <= head && self.position.max(self.base) >= valid_from
    }
}

/// Where a page of changes begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangesFrom {
    /// With the first task of the owner.
    Start,
    /// After the last change; the page is empty.
    Now,
    /// After this cursor.
    Cursor(ChangeCursor),
}

/// A validated page of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangesRequest {
    pub from: ChangesFrom,
    /// The maximum number of changes.
    pub size: usize,
}

/// The arguments of a page of changes, not validated.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChangesArguments<'a> {
    pub after: Option<&'a str>,
    /// Another cursor for the same page. The later one counts.
    pub last_event_id: Option<&'a str>,
    pub first: Option<i32>,
}

impl ChangesRequest {
    /// Validates the arguments of a page for `owner`. Without a cursor the page begins at `default`.
    ///
    /// Errors: Invalid with all faults.
    pub fn parse(owner: Uuid, arguments: ChangesArguments<'_>, default: ChangesFrom) -> Result<Self> {
        let ChangesArguments { after, last_event_id, first } = arguments;
        let mut faults = Faults::default();
        if first.is_some_and(|size| !(1..=MAX_PAGE).contains(&size)) {
            faults.push("first", Problem::new(Rule::OutOfRange, "must be from 1 to 100"));
        }
        let mut cursor = |field, text: Option<&str>| {
            let cursor = ChangeCursor::decode(text?, owner);
            let none = || Problem::new(Rule::Invalid, "is not a cursor of changes of your tasks");
            faults.check(field, cursor.ok_or_else(none))
        };
        let cursors = [cursor("after", after), cursor("lastEventId", last_event_id)];
        let latest = cursors.into_iter().flatten().max_by_key(|cursor| (cursor.position, cursor.base));
        let from = latest.map_or(default, ChangesFrom::Cursor);
        let size = first.unwrap_or(DEFAULT_PAGE).unsigned_abs() as usize;
        faults.finish(Some(Self { from, size }))
    }
}

/// A page of changes.
#[derive(Clone, Debug)]
pub struct Changes {
    /// The tasks, the one whose last change is oldest first.
    pub tasks: Vec<Task>,
    /// The cursor at the end of the page.
    pub cursor: ChangeCursor,
    /// Whether there are changes after the page.
    pub has_more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(owner: Uuid, after: Option<&str>, last_event_id: Option<&str>) -> Result<ChangesRequest> {
        let arguments = ChangesArguments { after, last_event_id, first: None };
        ChangesRequest::parse(owner, arguments, ChangesFrom::Now)
    }

    #[test]
    fn a_cursor_is_accepted_from_its_owner_only() {
        let cursor = ChangeCursor { owner: Uuid::new_v4(), position: -1, base: i64::MAX };
        let text = cursor.encode();
        let read = request(cursor.owner, Some(&text), None).expect("it is the owner's");
        assert_eq!(read.from, ChangesFrom::Cursor(cursor));
        assert!(request(Uuid::new_v4(), Some(&text), None).is_err());
        for other in ["", "x", &text[1..], &format!("{text}A"), &"A".repeat(44)] {
            assert!(request(cursor.owner, Some(other), None).is_err(), "{other}");
        }
    }

    #[test]
    fn the_later_of_two_cursors_counts() {
        let owner = Uuid::new_v4();
        let (early, late) =
            (ChangeCursor { owner, position: 3, base: 9 }, ChangeCursor { owner, position: 5, base: 0 });
        for (after, last_event_id) in [(early, late), (late, early)] {
            let read = request(owner, Some(&after.encode()), Some(&last_event_id.encode()));
            assert_eq!(read.expect("both are valid").from, ChangesFrom::Cursor(late));
        }
    }

    #[test]
    fn a_cursor_expires_with_a_deletion_after_it_and_after_the_beginning_of_its_first_page() {
        let cursor = |position, base| ChangeCursor { owner: Uuid::nil(), position, base };
        assert!(cursor(7, 0).is_valid(9, 7) && !cursor(6, 0).is_valid(9, 7));
        assert!(cursor(2, 8).is_valid(9, 7));
        assert!(!cursor(10, 0).is_valid(9, 0) && !cursor(2, 10).is_valid(9, 0));
    }
}
