//! The keys of tasks, such as T001, T012a and T083-B.

use std::collections::HashSet;

/// The characters that can follow a key directly, besides white space.
const BEHIND: &str = ":.,)[]*_~`—–-→|(/+";
/// The greatest number that a key can have.
const MAX_NUMBER: u32 = 999_999;
/// The smallest number of digits of a key that is made here.
const MIN_DIGITS: usize = 3;

/// The length of the key with which a text begins, without a look at what follows it but letters and digits.
pub fn scan(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'T') {
        return None;
    }
    let digits = 1 + usize::from(bytes.get(1) == Some(&b'-'));
    let mut at = digits + count_digits(&bytes[digits..], 6);
    if at == digits {
        return None;
    }
    let mut end = None;
    loop {
        if text[at..].chars().next().is_none_or(|next| !next.is_alphanumeric()) {
            end = Some(at);
        }
        match suffix(&bytes[at..]) {
            Some(length) => at += length,
            None => return end,
        }
    }
}

/// The length of the key with which a text begins, if what follows it can follow a key and if the key does
/// not begin a range such as `T002-T004`. The text is the rest of a paragraph.
pub fn at(text: &str) -> Option<usize> {
    let length = scan(text)?;
    let rest = &text[length..];
    let is_complete = rest.chars().next().is_none_or(|next| next.is_whitespace() || BEHIND.contains(next));
    (is_complete && !continues_range(rest)).then_some(length)
}

/// Whether a text behind a key makes it the beginning of a range: `-`, `–`, `—`, `~` or `..` and another
/// key, or directly `-`, `–` or `~` and a digit.
fn continues_range(rest: &str) -> bool {
    let is_digit = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    let direct = ["-", "–", "~"].iter().find_map(|sign| rest.strip_prefix(sign));
    direct.is_some_and(is_digit) || begins_with_end_of_range(rest)
}

/// Whether a text begins with the sign of a range and a key. White space and emphasis may stand before each.
pub fn begins_with_end_of_range(text: &str) -> bool {
    let signs = ["-", "–", "—", "~", ".."];
    let text = text.trim_start_matches(|char| is_space_or(char, "*_`]"));
    let behind = signs.iter().find_map(|sign| text.strip_prefix(sign));
    behind.is_some_and(|text| scan(text.trim_start_matches(|char| is_space_or(char, "*_`["))).is_some())
}

fn is_space_or(char: char, others: &str) -> bool {
    char.is_whitespace() || others.contains(char)
}

fn count_digits(bytes: &[u8], max: usize) -> usize {
    bytes.iter().take(max).take_while(|byte| byte.is_ascii_digit()).count()
}

/// The length of the suffix with which a text begins: `.1`, `a`, `-a` or `-1`.
fn suffix(bytes: &[u8]) -> Option<usize> {
    let is_letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    match bytes.first()? {
        b'.' => Some(count_digits(&bytes[1..], 4)).filter(|digits| *digits > 0).map(|digits| 1 + digits),
        b'-' if is_letter(1) => (!is_letter(2)).then_some(2),
        b'-' if is_digit(1) => (!is_letter(2) && !is_digit(2)).then_some(2),
        _ => (is_letter(0) && !is_letter(1)).then_some(1),
    }
}

/// Whether the whole text is a key, such as `T001`.
pub fn is_key(text: &str) -> bool {
    scan(text) == Some(text.len())
}

/// The next free key among `keys`, those of tasks in the trash included: `T` and one more than the greatest
/// number. If a key has the greatest possible number already, it is the greatest free number instead.
pub fn next_key<'a>(keys: impl IntoIterator<Item = &'a str>) -> String {
    let (mut numbers, mut digits) = (HashSet::new(), MIN_DIGITS);
    for number in keys.into_iter().filter_map(|key| key.strip_prefix('T')) {
        if number.len() <= 6 && number.bytes().all(|byte| byte.is_ascii_digit()) {
            digits = digits.max(number.len());
            numbers.extend(number.parse::<u32>());
        }
    }
    let greatest = numbers.iter().max().copied().unwrap_or(0);
    let free = || (1..MAX_NUMBER).rev().find(|number| !numbers.contains(number));
    let next = if greatest < MAX_NUMBER { Some(greatest + 1) } else { free() };
    format!("T{:0digits$}", next.unwrap_or(MAX_NUMBER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_as_long_as_possible() {
        let cases =
            ["T001", "T1000", "T012a", "T007.1", "T1.2.3", "T083-B", "T099b-9", "T-5", "T1-a.2", "T123456"];
        for key in cases {
            assert!(is_key(key), "{key}");
            assert_eq!(at(&format!("{key}: a")), Some(key.len()), "{key}");
        }
        let others = ["", "T", "T-", "t001", "T1234567", "T001ab", "T001a1", "001", "T001é", "T0a1", "TXXX"];
        for text in others {
            assert_eq!((is_key(text), at(text)), (false, None), "{text}");
        }
        assert_eq!(at("T001-ab"), Some(4));
        assert_eq!(at("T001.x"), Some(4));
    }

    #[test]
    fn only_certain_characters_follow_a_key() {
        for next in
            ["", " a", "\ta", "\na"].into_iter().chain(BEHIND.split("").filter(|next| !next.is_empty()))
        {
            assert_eq!(at(&format!("T001{next}")), Some(4), "{next:?}");
        }
        for next in ["!", "?", "=", "\"", "'", "#", "\\", "<"] {
            assert_eq!(at(&format!("T001{next}")), None, "{next:?}");
        }
    }

    #[test]
    fn a_range_is_not_a_key() {
        let ranges = [
            "T002-T004",
            "T5~T6",
            "T030.2~T030.6",
            "T002–T004",
            "T002—T004",
            "T002..T004",
            "T002 - T004",
            "T002-04",
            "T002–12",
            "T002~9",
            "T001-12",
            "**T1**-**T2**",
        ];
        for range in ranges {
            assert_eq!(at(range.trim_start_matches('*')), None, "{range}");
        }
        for task in
            ["T002 - 4 items", "T002 to T004", "T002 — Test", "T002. T004", "T002: T004", "T002~~ T004"]
        {
            assert_eq!(at(task), Some(4), "{task}");
        }
    }

    #[test]
    fn the_next_key_is_one_more_than_the_greatest_number() {
        let cases: [(&[&str], &str); 6] = [
            (&[], "T001"),
            (&["T001", "T070", "T012a", "T099.1", "X100"], "T071"),
            (&["T0005", "T9"], "T0010"),
            (&["T999"], "T1000"),
            (&["T1", "T001#2", "T-9"], "T002"),
            (&["T999999", "T999998"], "T999997"),
        ];
        for (keys, next) in cases {
            assert_eq!(next_key(keys.iter().copied()), next, "{keys:?}");
        }
    }
}
