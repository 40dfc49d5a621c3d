//! Changes of a text: bytes to replace, and what is written there.

use std::ops::Range;

/// Bytes to replace, and what is written there.
pub type Change = (Range<usize>, String);

/// Makes changes, which are in the order of the text and do not overlap.
pub fn apply(source: &str, changes: &[Change]) -> String {
    let mut text = String::with_capacity(source.len());
    let mut at = 0;
    for (range, new) in changes {
        text.push_str(&source[at..range.start]);
        text.push_str(new);
        at = range.end;
    }
    text.push_str(&source[at..]);
    text
}

/// Where these bytes of the source are after the changes. The offsets are in order and in no changed bytes.
pub fn new_offsets(changes: &[Change], offsets: impl Iterator<Item = usize>) -> Vec<usize> {
    let (mut changes, mut removed, mut added) = (changes.iter().peekable(), 0, 0);
    let new_offset = |offset: usize| {
        while let Some((range, new)) = changes.next_if(|(range, _)| range.end <= offset) {
            removed += range.len();
            added += new.len();
        }
        offset - removed + added
    };
    offsets.map(new_offset).collect()
}
